"""Resolution and rate that a session can afford: down before anything stalls, up when there is room."""

from __future__ import annotations

from dataclasses import dataclass

from facepuppet.server.messages import Picture
from facepuppet.session.governor import BUSY, Governor, Load, Why


@dataclass(frozen=True, slots=True)
class PictureStep:
    """How a session's pictures are sent.

    Attributes:
        name: what people call it.
        size_px: width and height; even.
        fps: rate at most.
    """

    name: str
    size_px: tuple[int, int]
    fps: float


# Rate before size: sharpness is missed sooner than the last of 30 pictures a second, and one that nobody
# asks for is neither decoded, tracked, drawn nor encoded.
_SCALES = (("full", 1.0, 1.0), ("lighter", 1.0, 2 / 3), ("light", 0.75, 0.5), ("least", 0.5, 0.5))


def steps_of(picture: Picture) -> tuple[PictureStep, ...]:
    """Return what a session may step down to, from what it begins with."""
    return tuple(
        PictureStep(name, _even(picture.size_px, scale), picture.fps * rate) for name, scale, rate in _SCALES
    )


@dataclass(frozen=True, slots=True)
class Flow:
    """What was counted since a session's start.

    Attributes:
        arrived: frames that came from the peer, or were due to come where none is sent.
        taken: new pictures that were encoded.
        cpu: share of this machine's processors that is busy at present, by whomever.
    """

    arrived: int
    taken: int
    cpu: float


class PictureGovernor:
    """Chooses among `steps_of` a picture; time comes in with each look.

    Pictures that come late count where processors are busy; on a machine that has time left it is the
    peer, or the way from it, that is late.

    Args:
        picture: what the session begins with.
    """

    def __init__(self, picture: Picture) -> None:
        self.steps = steps_of(picture)
        self._governor = Governor(n_steps=len(self.steps))
        self._before: tuple[Flow, int] | None = None

    @property
    def step(self) -> PictureStep:
        """The present one."""
        return self.steps[self._governor.at]

    def look(self, flow: Flow, now_ns: int) -> Why | None:
        """Take in how the session fares; returns why `step` has changed, None if it has not."""
        before, self._before = self._before, (flow, now_ns)
        if before is None:
            return None
        then, then_ns = before
        due = min(flow.arrived - then.arrived, self.step.fps * (now_ns - then_ns) * 1e-9)
        load = Load(min(flow.cpu, BUSY), due, flow.taken - then.taken)
        why = self._governor.look(load, now_ns)
        if why is not None:
            self._before = None  # what was on its way at the change says nothing
        return why


def _even(size_px: tuple[int, int], scale: float) -> tuple[int, int]:
    width, height = (max(2, 2 * round(scale * side / 2)) for side in size_px)
    return width, height
