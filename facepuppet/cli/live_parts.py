"""What a live run is put together from: its puppets, its outputs, its card and its recordings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from facepuppet.cli.options import canvas_px, composer
from facepuppet.cli.rights import RightsOptions, cleared
from facepuppet.core.errors import OutputUnwritableError

if TYPE_CHECKING:
    from facepuppet.control_room import PagePreview
    from facepuppet.core.types import U8
    from facepuppet.inference.runtime import Runtime
    from facepuppet.portrait.pack import Pack
    from facepuppet.session.puppet import Puppet
    from facepuppet.sinks.fanout import Fanout
    from facepuppet.sinks.preview_window import PreviewWindow
    from facepuppet.sinks.recording_switch import RecordingSwitch
    from facepuppet.sinks.sink import Sink
    from facepuppet.watermark import Key
    from facepuppet.watermark.certificate import Credentials

_log = logging.getLogger(__name__)


PAGE = "page"  # a sink that is there anyway: nothing else need be open


@dataclass(frozen=True, slots=True)
class Look:
    """How pictures look, as the options say."""

    canvas: str
    background: str
    mirror: bool
    label: str
    label_every_s: float | None


def open_puppets(
    paths: Sequence[Path],
    look: Look,
    rights: RightsOptions,
    revoked: Path | None,
    key: Key,
    runtime: Runtime,
    maker: str = "builtin",
    fps: float = 30.0,
) -> dict[str, Puppet]:
    """Load every portrait, clear the right to use it, and make a puppet of it; the first is shown.

    All are of one canvas size: where that is the portrait's own, of the first one's.

    Raises:
        FacepuppetError: a portrait will not do, or may not be used.
    """
    from facepuppet.portrait.load import load_as_pack
    from facepuppet.session.call_counter import next_session
    from facepuppet.session.puppet import Puppet

    puppets: dict[str, Puppet] = {}
    session, canvas = next_session(), look.canvas
    for path in paths:
        pack = load_as_pack(path)
        consent = cleared(pack, rights, revoked)
        tell_remarks(pack)
        composed = composer(pack.avatar, canvas, look.background, look.mirror, look.label, look.label_every_s)
        canvas = "x".join(map(str, composed.canvas_px)) if canvas_px(canvas) is None else canvas
        puppets[_new_name(pack.avatar.name, puppets)] = Puppet(
            pack.avatar,
            composed,
            key=key,
            session=session,
            consent_id=consent.id,
            engine=runtime,
            maker=maker,
            fps=fps,
            seed=session * len(paths) + len(puppets),  # no run idles as another, nor one portrait as the next
        )
    return puppets


def tell_remarks(pack: Pack) -> None:
    """Log what will suffer with a bare picture, one line each; of a pack its maker was told."""
    from facepuppet.portrait.remarks import remarks_on

    if pack.version == 0:
        for remark in remarks_on(pack.avatar):
            _log.warning("%s: %s", pack.avatar.name, remark)


def _new_name(name: str, taken: Mapping[str, Any]) -> str:
    """Return a name that none has yet: two portraits may be called alike."""
    number, new = 1, name
    while new in taken:
        number += 1
        new = f"{name} {number}"
    return new


def card_of(word: str | None, size_px: tuple[int, int]) -> U8 | None:
    """Draw the card that an option's word means: a picture file, or else a text; None for None.

    Raises:
        ImageUnreadableError: a file that is no picture.
    """
    if word is None:
        return None
    from facepuppet.frames.cpu.compose.card import draw_card, fit_card
    from facepuppet.media.pictures import load_picture

    return fit_card(load_picture(word), size_px) if Path(word).is_file() else draw_card(size_px, word)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where pictures go.

    Attributes:
        fanout: sends them everywhere.
        recordings: what is recorded on demand.
        preview: what the control room shows.
        windows: preview windows, whose keys are commands.
    """

    fanout: Fanout
    recordings: RecordingSwitch
    preview: PagePreview
    windows: Sequence[PreviewWindow]


def open_outputs(
    words: Sequence[str],
    size_px: tuple[int, int],
    fps: float,
    credentials: Credentials | None,
    *,
    ui: bool,
    folder: Path | None,
) -> Outputs:
    """Open every output or none.

    With anything else to look at, a virtual camera that is not there may come later.

    Args:
        words: of the outputs.
        size_px: width and height of the pictures.
        fps: nominal rate.
        credentials: who signs recordings; this machine's own if None.
        ui: the control room gets pictures, too.
        folder: of recordings on demand; the user's own for videos if None.

    Raises:
        SinkError: one cannot be opened.
    """
    from facepuppet.control_room import PagePreview
    from facepuppet.core.clock import SystemClock
    from facepuppet.sinks.fanout import Fanout
    from facepuppet.sinks.preview_window import PreviewWindow
    from facepuppet.sinks.sink_words import open_sink

    with ExitStack() as opened:
        waits = ui or len(words) > 1
        opens = partial(open_sink, clock=SystemClock(), credentials=credentials, waits=waits)
        sinks = [opened.enter_context(opens(word, size_px, fps)) for word in words if word != PAGE]
        opened.pop_all()
    switch, preview = recordings(folder, size_px, fps, credentials), PagePreview(size_px)
    beside = [switch, preview] if ui and sinks else [switch]
    windows = [sink for sink in sinks if isinstance(sink, PreviewWindow)]
    return Outputs(Fanout(sinks or [preview], beside=beside), switch, preview, windows)


def recordings(
    folder: Path | None, size_px: tuple[int, int], fps: float, credentials: Credentials | None
) -> RecordingSwitch:
    """Return what records on demand, into a folder; into the user's own for videos if None."""
    from facepuppet.sinks.recording_switch import RecordingSwitch

    def open_one() -> tuple[Sink, Path]:
        from facepuppet.core.clock import SystemClock
        from facepuppet.sinks.sink_words import open_sink

        path = _recording_path(folder)
        return open_sink(path, size_px, fps, clock=SystemClock(), credentials=credentials), path

    return RecordingSwitch(size_px, open_one)


def _recording_path(folder: Path | None) -> Path:
    """Return a name that says when, in a folder that is made if need be."""
    if folder is None:
        import platformdirs

        folder = Path(platformdirs.user_videos_dir()) / "facepuppet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputUnwritableError(
            f"'{folder}', which cannot be made ({error.strerror})",
            "a folder for recordings",
            "Choose another --recordings.",
        ) from error
    stem = datetime.now().strftime("facepuppet %Y-%m-%d %H.%M.%S")
    path, number = folder / f"{stem}.mp4", 1
    while path.exists():
        number += 1
        path = folder / f"{stem} ({number}).mp4"
    return path


def tell_end(output: Fanout, failure: Exception | None) -> None:
    """Raise what went wrong, once everything is closed and told; a lost output comes last."""
    if failure is not None:
        raise failure
    if output.failures:  # the others went on, but not all that was asked for is there
        raise output.failures[0][1]


def said(context: typer.Context, *names: str) -> list[str]:
    """Return those options that the command line names itself; `no_label` speaks of the label, too."""
    sources = {name: context.get_parameter_source(name) for name in names}
    told = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    return [name.removeprefix("no_") for name in told]


def tell(line: str) -> None:
    """Tell the user something, where no data is piped."""
    if line:
        typer.echo(line, err=True)
