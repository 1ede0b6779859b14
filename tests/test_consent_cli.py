"""No portrait is shown without a right to it: what the programs ask, tell, refuse and mark."""

from __future__ import annotations

import dataclasses
import json
import os
import select
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from consents import agreed
from PIL import Image
from program import one_line, run
from skimage import data
from typer.testing import CliRunner

import calibrate.cli
from calibrate.consent import consent_from_options
from facepuppet.core.errors import ConsentError, ConsentRevokedError, ImageUnreadableError
from facepuppet.core.types import Expression
from facepuppet.frames.cpu.compose import Composer
from facepuppet.portrait.consent import Consent
from facepuppet.portrait.consent.sample import sample_consent, sample_consents
from facepuppet.portrait.load import portrait_sha256, sample_portrait_path
from facepuppet.portrait.pack import Pack, load_pack, save_pack
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import detect

SAMPLE = str(sample_portrait_path())
PROGRAM = (sys.executable, "-c", "from facepuppet.cli import main; main()")
AGREED = ("--right", "consent", "--subject", "Zoë", "--granted", "2026-01-05")


@pytest.fixture(autouse=True)
def _folders_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered at the start of a test, and nothing is revoked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *a, **k: str(tmp_path / "data"))
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *a, **k: str(tmp_path / "config"))


@pytest.fixture
def portrait(tmp_path: Path) -> str:
    """A portrait file that nobody has said anything about."""
    Image.fromarray(data.astronaut()).save(tmp_path / "someone.png")
    return "someone.png"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `facepuppet demo` writes when nobody can be asked; its video is a driver, too."""
    folder = tmp_path_factory.mktemp("demo")
    words = ("demo", "--out", str(folder), "--seconds", "1.5")
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run(
        [*PROGRAM, *words],
        stdin=subprocess.DEVNULL,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.strip() == ""
    assert not (folder / "data" / "facepuppet" / "consent").exists(), "nothing was asked, nothing is kept"
    return folder


def render(portrait: str, driver: object = "none.mp4") -> tuple[str, ...]:
    return (
        "render",
        "--avatar",
        portrait,
        "--input",
        str(driver),
        "--output",
        "out.mp4",
        "--canvas",
        "320x180",
    )


def marked_by(path: Path | str, capsys: pytest.CaptureFixture[str]) -> str:
    """The consent id that `facepuppet detect` reads from a video."""
    status, out, err = run(capsys, "detect", str(path), "--json")
    assert status == 0, err
    return str(json.loads(out)["consent"])


def test_the_demo_asks_nothing_and_carries_its_records_id(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hopper, collins = sample_consents()
    assert marked_by(demo / "demo-collins.mp4", capsys) == collins.id
    _, out, _ = run(capsys, "detect", str(demo / "demo.mp4"))
    assert f"(consent record {hopper.id})" in out


def test_nobody_there_to_ask_is_a_clear_refusal(portrait: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (render(portrait), ("run", "--avatar", portrait, "--sink", "out.mp4")):
        status, _, err = run(capsys, *words)
        assert status == 2
        for part in ("--right self, consent", "--subject NAME --granted", "remembered"):
            assert part in one_line(err)
    assert not Path("out.mp4").exists()


def test_said_once_it_is_remembered_told_and_marked(
    portrait: str, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capsys, *render(portrait), *AGREED)
    assert status == 2 and "none.mp4" in err, "the answer came before what failed"
    status, _, err = run(capsys, *render(portrait, demo / "demo.mp4"))
    assert status == 0, err
    kept = Path("data/consent", f"{portrait_sha256(portrait)}.json")
    consent = Consent.from_json(kept.read_bytes())
    assert err.strip() == consent.sentence()
    assert "Zoë agreed on 2026-01-05" in err
    assert marked_by("out.mp4", capsys) == consent.id


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_asked_once_on_a_terminal(tmp_path: Path) -> None:
    said = on_a_terminal("theft\nconsent\n\x1b[2J\nZoë\n2999-01-01\n5 January\n2026-01-05\n", tmp_path)
    for part in (
        "By what right",
        "got 'theft'",
        "subject",
        "still to come",
        "YYYY-MM-DD",
        "Zoë agreed on 2026",
    ):
        assert part in said
    again = on_a_terminal("", tmp_path)
    assert "By what right" not in again
    assert "Zoë agreed on 2026-01-05" in again


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    "answers", [pytest.param("\x04", marks=pytest.mark.thorough), "\x03", "consent\nZoë\n\x04"]
)
def test_no_answer_leaves_nothing(answers: str, tmp_path: Path) -> None:
    assert "Right to use" not in on_a_terminal(answers, tmp_path)
    assert not list(tmp_path.rglob("*.json"))


_PATIENCE = 6  # times ten seconds without a word


def on_a_terminal(answers: str, data_folder: Path) -> str:
    """Run the programs' common way to ask before a terminal, type answers, and return what it shows."""
    import fcntl
    import termios

    words = f"from facepuppet.cli.rights import *; cleared_portrait({'5' * 64!r}, RightsOptions(), None)"
    controller, terminal = os.openpty()
    program = subprocess.Popen(
        [sys.executable, "-c", words],
        stdin=terminal,
        stderr=terminal,
        env={**os.environ, "XDG_DATA_HOME": str(data_folder / "data")},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    shown = b""
    try:
        while b"Right" not in shown:  # typed ahead, an interrupt would end Python before it asks
            shown += os.read(controller, 4096)
        os.write(controller, answers.encode())
        for _ in range(_PATIENCE):
            while select.select([controller], [], [], 10.0)[0] and (part := os.read(controller, 4096)):
                shown += part
            # Python drops an interrupt that comes while it runs a destructor: who is not heard presses again.
            os.write(controller, answers[-1].encode())
    except OSError:  # how Linux tells that nobody holds the terminal any more
        pass
    program.wait(60)
    os.close(controller)
    return shown.decode(errors="replace")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--right", "consent"), "--subject NAME --granted YYYY-MM-DD"),
        (("--right", "consent", "--subject", "Zoë"), "--subject NAME --granted YYYY-MM-DD"),
        (("--right", "self", "--subject", "Zoë"), "--right consent"),
        (("--granted", "2026-01-05"), "--right consent"),
        (("--right", "consent", "--subject", "\x1b[2J", "--granted", "2026-01-05"), "printable"),
        (("--right", "consent", "--subject", "Zoë", "--granted", "2999-01-05"), "later than"),
        (("--right", "self", "--revoked", "none.txt"), "none.txt"),
    ],
)
def test_bad_words_are_one_clear_line(
    words: tuple[str, ...], said: str, portrait: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capsys, *render(portrait), *words)
    assert status == 2
    assert said in one_line(err)
    assert "\x1b" not in err
    assert not Path("data/consent").exists(), "nothing is remembered"


@pytest.mark.parametrize("words", [("--right", "theft"), ("--right", "consent", "--granted", "soon")])
def test_wrong_usage_is_told_without_a_traceback(
    words: tuple[str, ...], portrait: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capsys, *render(portrait), *words)
    assert status == 2
    assert "Traceback" not in err and words[-1] in err


def test_revoked_rights_stop_every_program(
    portrait: str, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the portrait, by the id, in the given list and in the machine's own."""
    run(capsys, *render(portrait), "--right", "self")
    record = Consent.from_json(next(Path("data/consent").glob("*.json")).read_bytes())
    Path("config").mkdir()
    for entry in (record.id, record.claim.portrait_sha256):
        Path("list.txt").write_text(f"{entry}  # taken back\n")
        for command in (
            render(portrait, demo / "demo.mp4"),
            ("run", "--avatar", portrait, "--sink", "out.mp4"),
        ):
            status, _, err = run(capsys, *command, "--revoked", "list.txt")
            assert status == 2 and "revoked" in one_line(err)
    Path("config/revoked.txt").write_text(f"{record.id}\n{sample_consent().id}\n")
    for command in (render(portrait), render(SAMPLE), ("demo", "--out", "folder")):
        status, _, err = run(capsys, *command)
        assert status == 2 and "revoked" in one_line(err)
    assert not Path("out.mp4").exists() and not Path("folder").exists()


@pytest.mark.thorough
def test_a_pack_tells_its_own_right_and_marks_it(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    consent = agreed(hopper().source_sha256)
    save_pack(Pack(hopper(), consent.to_json()), "me.puppet")
    status, _, err = run(capsys, *render("me.puppet", demo / "demo.mp4"))
    assert (status, err.strip()) == (0, consent.sentence())
    assert marked_by("out.mp4", capsys) == consent.id
    status, _, err = run(
        capsys,
        *("run", "--avatar", "me.puppet", "--camera", str(demo / "demo.mp4"), "--seconds", "1"),
        *("--sink", "live.mp4", "--canvas", "192x144"),
    )
    assert status == 0
    assert err.startswith(consent.sentence())


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (None, "facepuppet-calibrate avatar PHOTO"),
        (b"{}", "no consent record"),
        (agreed("6" * 64).to_json(), "another portrait"),
        (agreed(hopper().source_sha256).to_json().replace(b"agreed", b"begged"), "changed after signing"),
    ],
    ids=["none", "nonsense", "another portrait's", "tampered with"],
)
def test_a_pack_without_a_valid_record_is_refused(
    record: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save_pack(Pack(hopper(), record), "me.puppet")
    for words in ((), ("--right", "self")):
        status, _, err = run(capsys, *render("me.puppet"), *words)
        assert status == 2
        assert said in one_line(err)


def test_a_pack_of_the_old_version_is_asked_about_as_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    old_pack(Path("old.puppet"))
    status, _, err = run(capsys, *render("old.puppet"))
    assert status == 2 and "--right self" in one_line(err)
    run(capsys, *render("old.puppet"), "--right", "fictional")
    _, _, err = run(capsys, *render("old.puppet"))
    assert "Right to use (fictional)" in err and "none.mp4" in err


def old_pack(path: Path) -> None:
    """A pack of version 1, which had no place for a record, of a portrait that nobody knows."""
    import zipfile

    save_pack(Pack(dataclasses.replace(hopper(), source_sha256="7" * 64)), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = members["manifest.json"].replace(b'"version": 2', b'"version": 1')
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


@pytest.mark.usefixtures("known_range")
def test_calibrate_makes_no_pack_without_a_right(portrait: str) -> None:
    words = ["avatar", portrait, "--out", "me.puppet"]
    refused = CliRunner().invoke(calibrate.cli.app, words)
    assert "--right self" in str(refused.exception)
    assert not Path("me.puppet").exists()
    Path("form.pdf").write_bytes(b"signed")
    made = CliRunner().invoke(calibrate.cli.app, [*words, *AGREED, "--document", "form.pdf"])
    assert made.exit_code == 0, made.output
    pack = load_pack("me.puppet")
    assert pack.consent is not None
    consent = Consent.from_json(pack.consent)
    consent.check_portrait(pack.avatar.source_sha256)
    assert consent.claim.grant is not None and consent.claim.grant.document is not None
    assert (consent.claim.grant.subject, consent.claim.grant.document.name) == ("Zoë", "form.pdf")
    assert consent_from_options(Path(portrait)) == consent, "remembered"


def test_calibrate_honours_what_was_revoked_and_needs_the_document(portrait: str) -> None:
    record = consent_from_options(Path(portrait), "self")
    Path("list.txt").write_text(record.id)
    with pytest.raises(ConsentRevokedError):
        consent_from_options(Path(portrait), revoked=Path("list.txt"))
    with pytest.raises(ConsentError, match=r"none\.pdf"):
        consent_from_options(Path(portrait), "consent", "Zoë", datetime(2026, 1, 5), Path("none.pdf"))
    with pytest.raises(ImageUnreadableError):
        consent_from_options(Path("none.png"), "self")


def test_from_python_the_id_is_an_argument() -> None:
    consent = agreed(hopper().source_sha256)
    for consent_id, schema in ((consent.id, 2), (None, 1)):
        composer = Composer(hopper(), (320, 180))
        puppet = Puppet(hopper(), composer, session=5, consent_id=consent_id)
        unseen = [Expression.absent(i, round(i / 30 * 1e9)) for i in range(31)]
        shown = [(np.array(puppet.show(each).rgb), each.captured_ns * 1e-9) for each in unseen]
        found = detect(shown).best.payload
        assert found is not None
        assert (found.schema, found.session, found.consent_id) == (schema, 5, consent_id)
