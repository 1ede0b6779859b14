"""The options about text that is read out, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.drivers.voice.say_names import SAY, is_say

if TYPE_CHECKING:
    from facepuppet.drivers.voice.saying import Saying

SayCommandOption = Annotated[
    str | None,
    typer.Option(
        "--say-command",
        help="What speaks for --driver say: given a sentence on standard input, or in place of a word {}, it "
        "answers WAV on standard output. Usual: espeak-ng -v en --stdin --stdout -z",
    ),
]
SayRawOption = Annotated[
    int | None,
    typer.Option(
        "--say-raw",
        min=4000,
        max=384000,
        metavar="HZ",
        help="It answers bare samples without a WAV header: 16 bits, mono, so many a second.",
    ),
]
SayToOption = Annotated[
    str,
    typer.Option(
        "--say-to", help="Where the voice is heard: 'default', an output as for --mic-to, or 'none'."
    ),
]


def say_wanted(
    drivers: Sequence[str],
    command: str | None,
    raw_hz: int | None,
    to: str,
    picture_s: Callable[[], float | None],
) -> Saying | None:
    """Read the options; None where no driver reads out.

    Args:
        drivers: words of all drivers.
        command: --say-command.
        raw_hz: --say-raw.
        to: --say-to.
        picture_s: asked for how late pictures are.

    Raises:
        typer.BadParameter: options without the driver, or two that read one terminal.
    """
    saying = [word for word in drivers if is_say(word)]
    if not saying:
        if command is not None or raw_hz is not None or to != "default":
            raise typer.BadParameter("--say-command, --say-raw and --say-to need --driver say")
        return None
    if saying.count(SAY) > 1:
        raise typer.BadParameter("got --driver say twice, expected one that reads what is typed here")
    from facepuppet.cli.controls import on_terminal
    from facepuppet.drivers.voice.saying import ESPEAK, Saying
    from facepuppet.drivers.voice.typed_lines import TypedLines

    typed = TypedLines() if SAY in saying and on_terminal() else None
    return Saying(ESPEAK if command is None else command, raw_hz, to, typed, picture_s)
