"""Options that several commands share, and how their words become values. Imports nothing heavy."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.files import check_target, write_whole

if TYPE_CHECKING:
    from facepuppet.character.style import Style
    from facepuppet.frames.cpu.compose import Composer
    from facepuppet.inference.runtime import Runtime
    from facepuppet.portrait.avatar import Avatar
    from facepuppet.vision.trackers import TrackingModels
    from facepuppet.watermark import Key
    from facepuppet.watermark.certificate import Credentials

CORNERS = ("tl", "tr", "bl", "br", "off")
# The same as vision.TRACKERS and inference.ENGINES, which would import ONNX Runtime.
TRACKER_WORDS = ("builtin", "mediapipe")
ENGINE_WORDS = ("auto", "tensorrt", "tensorrt-rtx", "cuda", "directml", "coreml", "openvino", "cpu")

# The same as frames.MAKERS, which come with the messages and NumPy.
MAKER_WORDS = ("auto", "builtin", "liveportrait")
# The same as session.ladder's, which comes with the messages and NumPy.
QUALITY_WORDS = ("auto", "best", "good", "fair", "low")


def _one_of(words: Sequence[str]) -> Callable[[str], str]:
    """A check that lets only some words pass."""

    def check(text: str) -> str:
        if text not in words:
            raise typer.BadParameter(f"got {text!r}, expected one of {', '.join(words)}")
        return text

    return check


def _canvas(text: str) -> str:
    if text != "portrait":
        canvas_px(text)
    return text


def finite(value: float | None) -> float | None:
    """Refuse NaN, which passes every bound (typer looks for it from 0.29 on)."""
    if value is not None and math.isnan(value):
        raise typer.BadParameter(f"got {value}, expected a number")
    return value


CameraOption = Annotated[
    str,
    typer.Option(
        "--camera",
        "--input",
        help="Camera index or name, video file (loop:FILE plays it over and over), URL, recording "
        "(.npz, .csv), a file of sound or mic for a voice, or script for the built-in piece.",
    ),
]
DriversOption = Annotated[
    list[str] | None,
    typer.Option(
        "--driver",
        help="Who drives: camera (what --camera says), mic (or mic:NAME) for your voice, say (reads lines "
        "out; say:FILE, say:PATH.sock, say:PORT), livelink or another tracker on the network, or a file; "
        "several by priority, of which the first that sees a face drives.",
    ),
]
SendOption = Annotated[
    list[str] | None,
    typer.Option(
        "--send", help="Tell another program what the driver does: vmc, livelink or vts, :HOST:PORT; several."
    ),
]
TrackingOption = Annotated[
    Path | None,
    typer.Option(
        "--tracking", help="Record the driver's expressions, too (.npz, or .csv as Live Link Face's)."
    ),
]
ProfileOption = Annotated[Path | None, typer.Option("--profile", help="Driver profile (TOML).")]
AvatarOption = Annotated[Path, typer.Option("--avatar", help="Portrait picture or avatar pack.")]
AvatarsOption = Annotated[
    list[Path],
    typer.Option("--avatar", help="Portrait picture or avatar pack; several, to switch between."),
]
CanvasOption = Annotated[
    str,
    typer.Option(
        "--canvas", callback=_canvas, help="WIDTHxHEIGHT, or 'portrait' for the portrait's own size."
    ),
]
StyleOption = Annotated[
    str,
    typer.Option(
        "--style",
        help="The puppet's personality: off, reserved, outgoing, calm, theatrical, deadpan, or a .toml file.",
    ),
]
BackgroundOption = Annotated[
    str,
    typer.Option("--background", help="'portrait', 'blur', a colour such as '#00ff00', or an image file."),
]
LabelOption = Annotated[
    str,
    typer.Option(
        "--label", callback=_one_of(CORNERS), help="Corner of the visible label: tl, tr, bl, br or off."
    ),
]
NoLabelOption = Annotated[bool, typer.Option("--no-label", help="The same as --label off.")]
LabelEveryOption = Annotated[
    float | None,
    typer.Option(
        "--label-every",
        callback=finite,
        min=5,
        help="Show the label for 4 s in every so many.",
        metavar="SECONDS",
    ),
]
MirrorOption = Annotated[bool, typer.Option("--mirror", help="Flip left and right.")]
KeyOption = Annotated[
    Path | None, typer.Option("--key", help="File with a private watermark key, in place of the public one.")
]
SignerOption = Annotated[
    tuple[Path, Path] | None,
    typer.Option(
        "--signer", help="PEM files of your certificate chain and its key, to sign .mp4 and .mov recordings."
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        callback=_one_of(ENGINE_WORDS),
        help="What runs the networks: auto (the first of these that works; the tracker's on the CPU), "
        "tensorrt, tensorrt-rtx, cuda, directml, coreml, openvino or cpu.",
    ),
]
MakerOption = Annotated[
    str,
    typer.Option(
        "--maker",
        callback=_one_of(MAKER_WORDS),
        help="Who draws the head: builtin, liveportrait (once imported: facepuppet engines import), or auto: "
        "the larger of them that holds the cadence here.",
    ),
]
TrackerOption = Annotated[
    str,
    typer.Option(
        "--tracker",
        callback=_one_of(TRACKER_WORDS),
        help="Who tracks a camera's face: builtin, or mediapipe to compare (extra facepuppet[mediapipe]).",
    ),
]
FpsOption = Annotated[
    float,
    typer.Option(
        "--fps",
        callback=finite,
        min=5,
        max=60,
        help="Frames a second of the output; offline of what a voice drives, as videos have their own.",
    ),
]
QualityOption = Annotated[
    str,
    typer.Option(
        "--quality",
        callback=_one_of(QUALITY_WORDS),
        help="auto (steps down where the machine is slow or on battery), or keep best, good, fair or low.",
    ),
]
StatsOption = Annotated[Path | None, typer.Option("--stats", help="Write figures of the run as JSON.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def canvas_px(text: str) -> tuple[int, int] | None:
    """Read "1280x720"; None for "portrait".

    Raises:
        typer.BadParameter: anything else, or a size no video has.
    """
    if text == "portrait":
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter(f"got {text!r}, expected WIDTHxHEIGHT such as 1280x720, or 'portrait'")
    size = int(width), int(height)
    if not all(128 <= side <= 4096 for side in size):
        raise typer.BadParameter(f"got {text}, expected sides of 128 to 4096 pixels")
    return size


def composer(
    avatar: Avatar, canvas: str, background: str, mirror: bool, label: str, label_every_s: float | None
) -> Composer:
    """Build the composer that the options describe."""
    from facepuppet.frames.cpu.compose import Backdrop, Composer, Corner

    backdrop = Backdrop.parse(background)
    return Composer(
        avatar,
        canvas_px(canvas),
        mirror=mirror,
        backdrop=backdrop,
        label=Corner(label),
        label_every_s=label_every_s,
    )


def style_of(word: str) -> Style | None:
    """Open a style; None for "off".

    Raises:
        StyleError: there is none of that name, or its file will not do.
    """
    if word == "off":
        return None
    from facepuppet.character.style_file import load_style

    return load_style(word)


def open_engines(engine: str, tracker: str) -> tuple[Runtime, TrackingModels]:
    """Open what runs the networks, and what the tracker is made of.

    Raises:
        EngineError: the engine cannot run here.
        TrackerError: the tracker's package is not installed.
    """
    from facepuppet.inference.runtime import Runtime
    from facepuppet.vision.trackers import tracking_models

    runtime = Runtime(engine)
    return runtime, tracking_models(tracker, runtime)


def watermark_key(path: Path | None) -> Key:
    """Read a private key, or take the public one."""
    from facepuppet.watermark import PUBLIC_KEY, Key

    return PUBLIC_KEY if path is None else Key.from_file(path)


def signer(files: tuple[Path, Path] | None, outputs: Sequence[str | Path]) -> Credentials | None:
    """Read the user's certificate and make sure, before any work, that it will sign the outputs.

    Args:
        files: the chain and its key; None lets this machine's own sign.
        outputs: video files, and words for other sinks.

    Raises:
        WatermarkError: the certificate cannot sign.
        OutputUnwritableError: no output, or not every video file, is of a kind that can be signed.
    """
    if files is None:
        return None
    from facepuppet.watermark.provenance import SIGNED_SUFFIXES
    from facepuppet.watermark.signing_check import checked_credentials

    recordings = [Path(word) for word in map(str, outputs) if not _is_sink_word(word)]
    unsigned = [path for path in recordings if path.suffix.lower() not in SIGNED_SUFFIXES]
    if unsigned or not recordings:
        raise OutputUnwritableError(
            f"--signer with {str(unsigned[0])!r}" if unsigned else "--signer without a recording",
            "a recording that can be signed (.mp4 or .mov)",
            "Choose one of these, or leave --signer out.",
        )
    return checked_credentials(*files)


def _is_sink_word(word: str) -> bool:
    return word in {"virtual", "window", "page"} or word.startswith("virtual:")


def engine_line(networks: Mapping[str, str], fallbacks: Sequence[str], frame_path: str = "CPU") -> str:
    """Say what runs networks and frames, and how much of it failed, to be appended to a line."""
    names: dict[str, list[str]] = {}
    for name, engine in networks.items():
        names.setdefault(engine, []).append(name)
    running = "".join(f"; {', '.join(those)} by {engine}" for engine, those in names.items())
    if not networks:
        running = "; mouth and eyes by geometry alone"
    if frame_path != "CPU":
        running += f"; frames by {frame_path}"
    return running + (f"; FALLEN BACK {len(fallbacks)} times (see the warnings)" if fallbacks else "")


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file.

    Raises:
        OutputUnwritableError: it cannot be written.
    """
    write_whole(path, (json.dumps(values, indent=2) + "\n").encode())


def check_writable(*paths: Path | None) -> None:
    """Check, before any work is done, that files written at its end have a place.

    Raises:
        OutputUnwritableError: a folder is missing or read-only, or stands where the file should.
    """
    for path in paths:
        if path is None:
            continue
        if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise OutputUnwritableError(
                f"{str(path)!r}, which cannot be written",
                "the name of a file in an existing folder that you may write to",
                "Choose another folder.",
            )


_READ_AS = re.compile("^(?:loop|voice|say):")  # what may stand before the name of a file that is read


def refuse_clobbering(*written: str | Path | None, read: Sequence[str | Path | None]) -> None:
    """Check that no output falls on an input or on another output, before any work is done.

    Args:
        written: outputs; words that are no files, and None, do not matter.
        read: inputs, the same.

    Raises:
        OutputUnwritableError: two of them are one file.
    """
    taken = {os.path.realpath(_READ_AS.sub("", str(path))) for path in read if path}
    for path in written:
        if not path:
            continue
        if os.path.realpath(path) in taken:
            raise OutputUnwritableError(
                f"'{path}', which is also another input or output of this run",
                "a file of its own for each output",
                "Choose another name.",
            )
        taken.add(os.path.realpath(path))


def check_outputs(*paths: Path | None) -> None:
    """Check that files can be written under their names, before the work that they shall hold is done.

    Raises:
        OutputUnwritableError: one of them cannot.
    """
    for path in paths:
        if path is not None:
            check_target(path)


def camera_word(word: str) -> str:
    """Let a camera's bare name stand for the camera: what is no number, file or URL is a name."""
    from facepuppet.drivers.remote.protocol_names import is_remote
    from facepuppet.drivers.voice.say_names import is_say
    from facepuppet.drivers.voice.voice_words import is_mic

    prefixed = "://" in word or word.startswith(("camera:", "loop:", "voice:")) or is_remote(word)
    known = word.isdecimal() or word == "script" or is_mic(word) or is_say(word) or prefixed
    return word if known or Path(word).exists() or Path(word).suffix else f"camera:{word}"
