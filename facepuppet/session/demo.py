"""Public-domain portraits perform a scripted piece: no camera, no GPU, no download."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.files import check_target
from facepuppet.core.metrics import RunStats
from facepuppet.core.types import Expression
from facepuppet.drivers.scripted import ScriptedDriver
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.consent.clearance import clear_sample
from facepuppet.portrait.consent.revocation import Revocations
from facepuppet.portrait.load import load_avatar, sample_portrait_paths
from facepuppet.session.contact_sheet import ContactSheet
from facepuppet.session.offline import Each, play
from facepuppet.session.puppet import Puppet
from facepuppet.sinks import open_sink
from facepuppet.watermark import Marked

FPS = 30.0
VIDEOS = ("demo.mp4", "demo-collins.mp4")  # one for each portrait
MOMENTS = 7  # of the contact sheet


def run_demo(
    folder: Path,
    seconds: float = 12.0,
    progress: Callable[[int, int], None] | None = None,
    revoked: Path | None = None,
) -> dict[str, RunStats]:
    """Write a video of each portrait, sheet.png and stats.json into a folder, which is made if need be.

    Args:
        folder: where to write.
        seconds: length of the piece.
        progress: called with frames done and frames in all.
        revoked: a revocation list besides this machine's own.

    Returns:
        How each went, by the name of its video.

    Raises:
        ConsentRevokedError: a portrait may not be shown any more.
        OutputUnwritableError: the folder cannot be written to.
    """
    avatars = [load_avatar(path) for path in sample_portrait_paths()]
    revocations = Revocations.load(revoked)
    consents = [clear_sample(avatar.source_sha256, revocations) for avatar in avatars]
    _make_folder(folder)
    for name in (*VIDEOS, "sheet.png", "stats.json"):
        check_target(folder / name)
    n = max(1, round(seconds * FPS))
    sheet = ContactSheet(*avatars)
    shown = {round((i + 0.5) * n / MOMENTS) for i in range(MOMENTS)}
    done = count(1)

    def each(expression: Expression, picture: Marked) -> None:
        i = expression.frame_id
        if i in shown:
            sheet.add(f"{i / FPS:.1f} s", expression, picture)
        if progress is not None:
            progress(next(done), n * len(avatars))

    stats = {
        name: perform(avatar, folder / name, n, each, consent.id)
        for name, avatar, consent in zip(VIDEOS, avatars, consents, strict=True)
    }
    _write(folder / "sheet.png", sheet.to_png())
    told = {name: one.to_json() for name, one in stats.items()}
    _write(folder / "stats.json", (json.dumps(told, indent=2) + "\n").encode())
    return stats


def perform(
    avatar: Avatar, path: Path, n: int, each: Each | None = None, consent_id: str | None = None
) -> RunStats:
    """Let a portrait perform the scripted piece in n frames, into a video file.

    `each`, if given, is called with every expression and its picture.
    """
    puppet = Puppet(avatar, consent_id=consent_id)
    driver = ScriptedDriver(n / FPS, FPS)
    with open_sink(path, puppet.canvas_px, FPS) as sink:
        return play(driver, puppet, sink, each)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OutputUnwritableError:
    return OutputUnwritableError(
        f"'{path}', which cannot be written ({error.strerror})",
        "a folder that can be written to",
        "Choose another --out.",
    )
