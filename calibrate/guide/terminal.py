"""Prompts in a terminal: one panel that changes in place, or a line a step where output is no terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from calibrate.guide.guide import Prompt

_WIDTH = 66


class TerminalView:
    """Shows prompts for as long as it is entered.

    Args:
        console: where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, transient=True, refresh_per_second=15) if console.is_terminal else None
        )
        self._last = (0, False)

    def __enter__(self) -> TerminalView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, prompt: Prompt) -> None:
        """Show a prompt in place of the one before."""
        if self._live is not None:
            self._live.update(panel(prompt))
            return
        now = (prompt.number, prompt.blocked)
        if now != self._last:  # a log wants steps and obstacles, not every frame
            said = prompt.hint if prompt.blocked else f"{prompt.title}. {prompt.instruction}"
            self._console.print(f"{prompt.number}/{prompt.count} {said}", markup=False, highlight=False)
        self._last = now


def panel(prompt: Prompt) -> RenderableType:
    """Lay a prompt out: what to do, how far that is seen, and how much time is left."""
    colour = "yellow" if prompt.blocked else ("green" if prompt.reached >= 1.0 else "cyan")
    bars = Table.grid(padding=(0, 1))
    bars.add_column(width=6, style="dim")
    bars.add_column()
    bars.add_row("seen", ProgressBar(1.0, prompt.reached, width=_WIDTH - 14, complete_style=colour))
    bars.add_row("time", ProgressBar(1.0, prompt.elapsed, width=_WIDTH - 14, complete_style="white"))
    body = Group(
        Text(prompt.instruction, style="bold"),
        Text(("! " if prompt.blocked else "") + prompt.hint, style=colour),
        Text(),
        bars,
    )
    title = Text(f" {prompt.number} of {prompt.count} · {prompt.title} ")
    return Panel(body, title=title, title_align="left", border_style=colour, width=_WIDTH, padding=(1, 2))
