"""What a folder offers: each file checked before it is shown, and by what right it is worn."""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
import threading
from datetime import date
from pathlib import Path

import pytest
from avatars import hopper
from consents import agreed
from PIL import Image

from facepuppet.core.errors import ConsentError, ConsentMissingError, ConsentRevokedError, ServerError
from facepuppet.portrait.consent import Basis, Claim, Consent, Grant
from facepuppet.portrait.consent.revocation import Revocations
from facepuppet.portrait.consent.store import ConsentStore
from facepuppet.portrait.load import portrait_sha256, sample_portrait_path
from facepuppet.portrait.pack import Pack, save_pack
from facepuppet.server.avatar_shelf import AvatarShelf

NOTHING = Revocations()


@pytest.fixture(scope="module")
def zoe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait that says nothing of its right."""
    path = tmp_path_factory.mktemp("portraits") / "zoe.png"
    Image.open(sample_portrait_path()).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    return path


@pytest.fixture
def store(tmp_path: Path) -> ConsentStore:
    return ConsentStore(tmp_path / "consent")


def scanned(folder: Path | None) -> AvatarShelf:
    shelf = AvatarShelf(folder)
    shelf.scan()
    return shelf


def test_without_a_folder_the_built_in_portraits_are_offered() -> None:
    shelf = scanned(None)
    assert [one.name for one in shelf.all()] == ["eileen_collins", "grace_hopper"]
    assert all(one.statement is not None for one in shelf.all())
    one = shelf.named("grace_hopper")
    assert one is not None and one is shelf.get(one.sha256)
    picture = Image.open(io.BytesIO(one.picture))
    assert picture.format == "JPEG" and max(picture.size) <= 320 and picture.width == picture.height


def test_a_folders_files_are_checked_and_those_that_will_not_do_are_told(
    tmp_path: Path, zoe: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(zoe, tmp_path)
    Image.new("RGB", (400, 400)).save(tmp_path / "nobody.png")
    (tmp_path / "broken.puppet").write_bytes(b"PK\3\4 and then nothing")
    (tmp_path / "notes.txt").write_text("not looked at", encoding="utf-8")
    (tmp_path / "folder.png").mkdir()
    save_pack(Pack(hopper()), tmp_path / "rightless.puppet")
    save_pack(Pack(hopper(), agreed().to_json()), tmp_path / "anothers.puppet")
    shelf = scanned(tmp_path)
    assert [one.name for one in shelf.all()] == ["zoe"]
    told = {one.getMessage().split("'")[1] for one in caplog.records if "not offered" in one.getMessage()}
    assert told == {"nobody.png", "broken.puppet", "folder.png", "rightless.puppet", "anothers.puppet"}
    caplog.clear()
    shelf.scan()
    assert not caplog.records, "a file that has not changed is not looked at, nor told, again"


def test_a_scan_takes_in_what_is_new_and_away_what_is_gone(tmp_path: Path, zoe: Path) -> None:
    shelf = scanned(tmp_path)
    assert shelf.all() == []
    shutil.copy(zoe, tmp_path)
    shelf.scan()
    (one,) = shelf.all()
    assert one.file() == zoe.read_bytes()
    (tmp_path / "zoe.png").write_bytes(zoe.read_bytes() + b"\0")
    with pytest.raises(ServerError, match="not there as it was"):
        one.file()
    shelf.scan()
    (other,) = shelf.all()
    assert other.sha256 != one.sha256 and other.file() == zoe.read_bytes() + b"\0"
    (tmp_path / "zoe.png").unlink()
    shelf.scan()
    assert shelf.all() == [] and shelf.named("zoe") is None


def test_two_of_a_name_are_told_apart_by_their_digest_alone(tmp_path: Path, zoe: Path) -> None:
    shutil.copy(zoe, tmp_path)
    shutil.copy(sample_portrait_path(), tmp_path / "zoe.jpg")
    shelf = scanned(tmp_path)
    assert len(shelf.all()) == 2 and shelf.named("zoe") is None
    for one in shelf.all():
        assert shelf.named(one.sha256) is one


def test_a_portrait_without_a_statement_takes_a_visitors_and_forgets_it(
    tmp_path: Path, zoe: Path, store: ConsentStore
) -> None:
    (one,) = scanned(zoe.parent).all()
    with pytest.raises(ConsentMissingError):
        one.cleared(None, NOTHING, store)
    grant = Grant("Zoë Ångström", date(2026, 1, 5))
    stated = one.cleared(Claim.make(Basis.CONSENT, one.source_sha256, grant), NOTHING, store)
    assert Consent.from_json(stated.to_json()).claim.grant == grant
    assert stated.claim.portrait_sha256 == portrait_sha256(zoe)
    assert store.recall(one.source_sha256) is None
    with pytest.raises(ConsentMissingError):
        one.cleared(None, NOTHING, store)
    again = one.cleared(Claim.make(Basis.SELF, one.source_sha256), NOTHING, store)
    assert again.maker == stated.maker, "the server's one key signs"
    with pytest.raises(ConsentError, match="another portrait"):
        one.cleared(Claim.make(Basis.SELF, "0" * 64), NOTHING, store)


def test_a_packs_own_statement_stands_before_a_visitors(tmp_path: Path, store: ConsentStore) -> None:
    avatar = dataclasses.replace(hopper(), source_sha256="7" * 64)
    own = agreed("7" * 64)
    save_pack(Pack(avatar, own.to_json()), tmp_path / "zoe.puppet")
    (one,) = scanned(tmp_path).all()
    assert one.statement == own
    stated = Claim.make(Basis.SELF, "7" * 64)
    assert one.cleared(None, NOTHING, store) == one.cleared(stated, NOTHING, store) == own
    for entry in (own.id, own.digest, "7" * 64):
        with pytest.raises(ConsentRevokedError):
            one.cleared(None, Revocations(frozenset({entry})), store)


def test_a_revoked_portrait_is_not_worn_by_any_right(zoe: Path, store: ConsentStore) -> None:
    (one,) = scanned(zoe.parent).all()
    revoked = Revocations(frozenset({one.source_sha256}))
    for basis in (Basis.SELF, Basis.FICTIONAL):
        with pytest.raises(ConsentRevokedError):
            one.cleared(Claim.make(basis, one.source_sha256), revoked, store)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs an operating system with named pipes")
def test_a_pipe_among_the_portraits_is_left_out_and_waited_for_by_nobody(tmp_path: Path, zoe: Path) -> None:
    shutil.copy(zoe, tmp_path / "zoe.png")
    os.mkfifo(tmp_path / "pipe.png")
    shelf = AvatarShelf(tmp_path)
    scan = threading.Thread(target=shelf.scan, daemon=True)
    scan.start()
    scan.join(20)
    assert not scan.is_alive() and [one.name for one in shelf.all()] == ["zoe"]


def test_a_name_that_is_no_text_is_offered_as_one(tmp_path: Path, zoe: Path) -> None:
    try:
        shutil.copy(zoe, tmp_path / os.fsdecode(b"z\xffo\ne.png"))
    except OSError:
        pytest.skip("needs a file system with names of any bytes")
    assert [one.name for one in scanned(tmp_path).all()] == ["z?o?e"]
