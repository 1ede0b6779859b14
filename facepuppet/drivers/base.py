"""What every driver offers: a camera, a script, a recording, and whatever comes next."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import TypeVar

from facepuppet.core.clock import Clock
from facepuppet.core.metrics import Spread
from facepuppet.core.types import Expression
from facepuppet.voice.voice_manner import VoiceManner

D = TypeVar("D", bound="Driver")
_SLICE_S = 0.05  # close() never waits longer than this for a pause to end


class Driver(ABC):
    """Gives expressions, read by one thread; every other method may be called from any.

    A subclass needs `read` alone. Offline every expression counts, and none is late. After `start` time is
    real: `read` gives what is newest, and what is played from a file or a script waits until it is due.

        class Nodding(Driver):
            def read(self):
                self.n = getattr(self, "n", -1) + 1
                turn = np.array([0.2 * math.sin(self.n / 5), 0, 0], np.float32)
                face = face_of_blendshapes(np.zeros(52, np.float32), HeadPose(turn))
                return self.paced(Expression(face, None, self.n, self.n * 33_333_333))

    Attributes:
        description: who it is, in words for a person.
        fps: nominal expressions a second; None when unknown.
        n_frames: how many there will be, perhaps estimated; None when unknown or endless.
        live: it is endless and cannot be played offline, as a camera.
        certain: where it shows a face there is no doubt of it, and no flicker: it takes over at once.
    """

    description: str = "a driver"
    fps: float | None = None
    n_frames: int | None = None
    live: bool = False
    certain: bool = False
    _pace: _Pace | None = None

    @abstractmethod
    def read(self) -> Expression | None:
        """Block for the next expression; None at the end and after close().

        Raises:
            FacepuppetError: it cannot go on; the message says what to do.
        """

    def start(self, clock: Clock) -> None:
        """Go live: from now on expressions come in real time, stamped by this clock."""
        self._pace = _Pace(clock)

    def recover(self) -> None:  # noqa: B027 - most drivers hold nothing that can break
        """Get ready to `read` again after it failed in a way nobody foresaw; the reading thread calls it."""

    def recentre(self) -> None:  # noqa: B027 - most drivers have nothing to re-centre
        """Take the next moments as rest, if rest is measured here; safe in a signal handler."""

    def set_smoothing(self, strength: float) -> None:  # noqa: B027 - most drivers do not tremble
        """Take more or less tremble out, if that is done here; 1 is as usual, 0 takes none out.

        Raises:
            ValueError: a strength that is no number from 0 to 4.
        """

    @property
    def voice(self) -> VoiceManner | None:
        """How the voice moves the face; None where no voice drives."""
        return None

    @property
    def mood(self) -> tuple[float, float] | None:
        """Valence and arousal heard in the voice that drives now, −1 to 1 each; None where none does."""
        return None

    def set_voice(self, manner: VoiceManner) -> None:  # noqa: B027 - most drivers have no voice
        """Let the voice move the face in another way, if one drives."""

    def look(self, width_px: int) -> bytes | None:
        """Return what a camera sees now as a JPEG for its user's own eyes; None where there is none.

        It goes to nobody but the user, who asked for it; no sink takes it.
        """
        return None

    @property
    def light(self) -> float | None:
        """Mean brightness of the driver's face, 0 to 1, as a camera sees it now; None where there is none."""
        return None

    def close(self) -> None:
        """Release what is held and wake a blocked read(); safe to call twice."""
        if self._pace is not None:
            self._pace.closed.set()

    @property
    def arrived(self) -> int | None:
        """How many frames or packets came in so far; None when that is what was read."""
        return None

    @property
    def dropped(self) -> int:
        """How many of these were replaced by newer ones before they were looked at."""
        return 0

    @property
    def rejected(self) -> int:
        """How many packets from the network were of no use: not understood, or somebody else's."""
        return 0

    def timings(self) -> Mapping[str, Spread]:
        """Return the time of each step so far, by its name."""
        return {}

    def paced(self, expression: Expression) -> Expression:
        """Once live, wait until an expression is due by its own time, and stamp it with that moment."""
        return expression if self._pace is None else self._pace.wait(expression)

    def __enter__(self: D) -> D:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Pace:
    """Holds expressions back until they are due; the first one is due at once."""

    def __init__(self, clock: Clock) -> None:
        self.closed = threading.Event()
        self._clock = clock
        self._offset_ns: int | None = None

    def wait(self, expression: Expression) -> Expression:
        if self._offset_ns is None:
            self._offset_ns = self._clock.now_ns() - expression.captured_ns
        due_ns = self._offset_ns + expression.captured_ns
        while not self.closed.is_set() and (left_ns := due_ns - self._clock.now_ns()) > 0:
            self._clock.sleep_s(min(_SLICE_S, left_ns * 1e-9))
        return replace(expression, captured_ns=self._clock.now_ns())
