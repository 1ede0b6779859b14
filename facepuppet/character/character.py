"""Everything that shapes a performance between its driver and its portrait, in its order."""

from __future__ import annotations

from facepuppet.character.stage import Stage
from facepuppet.character.style import Style
from facepuppet.character.style_stage import StyleStage
from facepuppet.core.types import Expression


class Character:
    """Applies the stages that are there: memory of the user, expression code, style, performances.

    One thread updates; a slot may be filled or emptied between two updates. Without a stage an expression
    comes back as the same object.

    Attributes:
        memory: brings the user's neutral and ranges to what is usual.
        code: moves the expression along directions of an expression code.
        bits: plays recorded performances over it.
    """

    __slots__ = ("_begun", "_style", "bits", "code", "memory")

    def __init__(self) -> None:
        self.memory: Stage | None = None
        self.code: Stage | None = None
        self.bits: Stage | None = None
        self._style: StyleStage | None = None
        self._begun = False

    @property
    def style(self) -> Style | None:
        """The personality it has; None for the driver's own."""
        return None if self._style is None else self._style.style

    @style.setter
    def style(self, style: Style | None) -> None:
        """Take on another: at once before the first update, eased after it."""
        if self._style is None or not self._begun:
            self._style = StyleStage(None if self._begun else style)
        self._style.style = style

    @property
    def shapes(self) -> bool:
        """Whether there is any stage."""
        return any(stage is not None for stage in self._stages)

    def begin(self) -> None:
        """From now on a style that is set eases in: something has been seen."""
        self._begun = True

    def update(self, expression: Expression) -> Expression:
        """Return the expression as the stages shape it, one after another."""
        self._begun = True
        for stage in self._stages:
            if stage is not None:
                expression = stage.update(expression)
        return expression

    @property
    def _stages(self) -> tuple[Stage | None, ...]:
        return self.memory, self.code, self._style, self.bits
