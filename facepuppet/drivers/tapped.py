"""A driver that somebody listens in on."""

from __future__ import annotations

from collections.abc import Mapping

from facepuppet.core.clock import Clock
from facepuppet.core.metrics import Spread
from facepuppet.core.types import Expression
from facepuppet.drivers.base import Driver
from facepuppet.voice.voice_manner import VoiceManner


class TappedDriver(Driver):
    """Does what another driver does; a subclass hears of it in `heard` and `ended`.

    Args:
        driver: closed with this.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.description, self.fps = driver.description, driver.fps
        self.n_frames, self.live, self.certain = driver.n_frames, driver.live, driver.certain

    def heard(self, expression: Expression) -> None:
        """Take note of an expression, before anybody else sees it."""

    def ended(self) -> None:
        """There will be no more; may come twice."""

    def read(self) -> Expression | None:
        """Return the other driver's next expression."""
        expression = self.driver.read()
        if expression is None:
            self.ended()
        else:
            self.heard(expression)
        return expression

    def start(self, clock: Clock) -> None:
        """Let the other driver go live."""
        self.driver.start(clock)

    def recover(self) -> None:
        """Let the other driver get ready to read again."""
        self.driver.recover()

    def recentre(self) -> None:
        """Re-centre the other driver."""
        self.driver.recentre()

    def set_smoothing(self, strength: float) -> None:
        """As the other driver's."""
        self.driver.set_smoothing(strength)

    @property
    def voice(self) -> VoiceManner | None:
        """As the other driver's."""
        return self.driver.voice

    @property
    def mood(self) -> tuple[float, float] | None:
        """As of the other driver."""
        return self.driver.mood

    def set_voice(self, manner: VoiceManner) -> None:
        """As the other driver's."""
        self.driver.set_voice(manner)

    def look(self, width_px: int) -> bytes | None:
        """As the other driver's."""
        return self.driver.look(width_px)

    @property
    def light(self) -> float | None:
        """As the other driver's."""
        return self.driver.light

    def close(self) -> None:
        """Close the other driver; there will be no more."""
        self.driver.close()
        self.ended()

    @property
    def arrived(self) -> int | None:
        """As the other driver's."""
        return self.driver.arrived

    @property
    def dropped(self) -> int:
        """As the other driver's."""
        return self.driver.dropped

    @property
    def rejected(self) -> int:
        """As the other driver's."""
        return self.driver.rejected

    def timings(self) -> Mapping[str, Spread]:
        """As the other driver's."""
        return self.driver.timings()
