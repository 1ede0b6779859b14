"""Takes the tracker's tremble out of a performance without making it late.

The head is smoothed as one rigid thing, and the expression apart from it in the head's own frame, region
by region: a trembling head is what people see first, while lips and lids must stay crisp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from facepuppet.core.geometry import Similarity, head_from_image, rotation_from_vector, vector_from_rotation
from facepuppet.core.types import F32, F64, N_LANDMARKS, Floats, Parts
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.face.topology import EYES, IRISES, LIPS

MOST_STRENGTH, LEAST_STRENGTH = 4.0, 1e-3  # the least leaves nothing of the past
MAX_GAP_S = 0.4  # after a longer silence a filter starts afresh
_HEAD_CHANNELS = 7  # rotation vector, logarithm of scale, translation


@dataclass(frozen=True, slots=True)
class Response:
    """How a One Euro filter answers: low cutoff when still, higher with speed.

    Attributes:
        min_cutoff_hz: cutoff of a value that does not move; lower removes more tremble.
        beta: Hz of cutoff gained for each unit of speed (units of the value a second); higher lags less.
        derivative_cutoff_hz: cutoff of the speed estimate.
    """

    min_cutoff_hz: float
    beta: float
    derivative_cutoff_hz: float = 4.0


# Chosen on talking and still clips so that speech and blinks lag by well under a frame while the tremble
# of still faces falls to less than half (tests/test_smooth.py measures both where clips are at hand).
LIPS_RESPONSE = Response(1.5, 20.0)  # landmarks are in inter-ocular distances
LIDS_RESPONSE = Response(1.0, 40.0)
IRIS_RESPONSE = Response(0.7, 30.0)
SKIN_RESPONSE = Response(1.0, 30.0)
# A head that nods or tilts by a degree must not be late: with (1.2, 12), roll of lively clips came out at .87
# in place of .89, of still ones at half the correlation, with no less tremble in the pictures.
TURN_RESPONSE = Response(2.0, 30.0)  # radians
SHIFT_RESPONSE = Response(1.2, 12.0)  # inter-ocular distances
ZOOM_RESPONSE = Response(0.3, 20.0, 3.0)  # logarithm of scale
SHOULDER_RESPONSE = Response(0.7, 6.0, 2.0)  # shoulder widths
HIDDEN_SLOWER = 4.0  # a face of which a part is hidden makes the network's head tremble and lean


class OneEuro:
    """One Euro filters over an array, each value with its own response or all with the same.

    G. Casiez, N. Roussel, D. Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
    Interactive Systems", CHI 2012. The time between samples may vary.

    Args:
        channels: one response for each value of a flat array, or a single one for all of any array.

    Attributes:
        strength: divides every cutoff: 2 smooths twice as much, 0 not at all. May change at any time.
    """

    def __init__(self, channels: Response | list[Response]) -> None:
        listed = [channels] if isinstance(channels, Response) else channels
        # In radians a second, as `_rest_of_way` wants them.
        self._min_cutoff = 2.0 * np.pi * np.array([c.min_cutoff_hz for c in listed])
        self._beta = 2.0 * np.pi * np.array([c.beta for c in listed])
        self._derivative_cutoff = 2.0 * np.pi * np.array([c.derivative_cutoff_hz for c in listed])
        self.strength = 1.0
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._t_ns: int | None = None
        self._raw = self._speed = self._value = np.zeros(0)

    def stale(self, t_ns: int) -> bool:
        """Whether there is no past, or it lies too far back to be continued."""
        return self._t_ns is None or t_ns - self._t_ns > MAX_GAP_S * 1e9

    def filter(self, value: Floats, t_ns: int, slower: F64 | None = None) -> F64:
        """Return the smoothed value at time t_ns; a repeated time changes nothing.

        Args:
            value: one for each channel.
            t_ns: must not decrease.
            slower: divides the cutoff of each channel, this time.
        """
        x = np.asarray(value, dtype=np.float64)
        if self._t_ns is None or self.stale(t_ns):
            self._raw, self._speed, self._value = x, np.zeros_like(x), x
        elif t_ns > self._t_ns:
            dt_s = (t_ns - self._t_ns) / 1e9
            speed = (x - self._raw) / dt_s
            self._speed = speed + _rest_of_way(self._derivative_cutoff, dt_s) * (self._speed - speed)
            cutoff = self._min_cutoff + self._beta * np.abs(self._speed)
            if (strength := self.strength) != 1.0:
                cutoff /= max(strength, LEAST_STRENGTH)
            if slower is not None:
                cutoff /= slower
            self._value = x + _rest_of_way(cutoff, dt_s) * (self._value - x)
            self._raw = x
        else:
            return self._value
        self._t_ns = t_ns
        return self._value


class TrackingSmoother:
    """Smooths trackings of one driver; call it with every frame in the order of capture."""

    def __init__(self) -> None:
        self._face = OneEuro(_face_responses())
        self._unit_px = 1.0  # inter-ocular distance when the face's filter last started
        self._shoulders = OneEuro(SHOULDER_RESPONSE)
        self._shoulder_width_px = 1.0

    def set_strength(self, strength: float) -> None:
        """Smooth more or less from now on, by any thread; 1 is as usual, 0 not at all.

        Raises:
            ValueError: no number from 0 to 4.
        """
        if not (math.isfinite(strength) and 0.0 <= strength <= MOST_STRENGTH):
            raise ValueError(f"got smoothing {strength}, expected a number from 0 to {MOST_STRENGTH:g}")
        self._face.strength = self._shoulders.strength = strength

    def smooth(self, tracking: Tracking) -> Tracking:
        """Return the tracking with its face and torso smoothed; what was not seen stays None."""
        face, torso, t_ns = tracking.face, tracking.torso, tracking.captured_ns
        return Tracking(
            None if face is None else self._smooth_face(face, t_ns, tracking.hidden),
            None if torso is None else self._smooth_torso(torso, t_ns),
            tracking.image_size_px,
            tracking.frame_id,
            t_ns,
            tracking.hidden,
        )

    def _smooth_face(self, face: Face, t_ns: int, hidden: Parts) -> Face:
        pose = face.image_from_head
        if self._face.stale(t_ns):
            self._unit_px = pose.scale
        channels = np.empty(_HEAD_CHANNELS + 3 * N_LANDMARKS)
        channels[:3] = vector_from_rotation(pose.rotation)
        channels[3] = math.log(pose.scale)
        channels[4:_HEAD_CHANNELS] = pose.translation / self._unit_px
        channels[_HEAD_CHANNELS:] = head_from_image(face.landmarks_px, pose).ravel()
        steady = self._face.filter(channels, t_ns, _slower_head() if hidden else None)
        steady_pose = Similarity(
            rotation_from_vector(steady[:3]),
            math.exp(steady[3]),
            steady[4:_HEAD_CHANNELS] * self._unit_px,
        )
        return Face(_f32(steady_pose.apply(steady[_HEAD_CHANNELS:].reshape(N_LANDMARKS, 3))), steady_pose)

    def _smooth_torso(self, torso: Torso, t_ns: int) -> Torso:
        if self._shoulders.stale(t_ns):
            self._shoulder_width_px = max(math.dist(*torso.shoulders_px.tolist()), 1.0)
        unit_px = self._shoulder_width_px
        steady = self._shoulders.filter(torso.shoulders_px / unit_px, t_ns)
        return Torso(_f32(steady * unit_px), torso.confidence)


@cache
def _slower_head() -> F64:
    slower = np.ones(_HEAD_CHANNELS + 3 * N_LANDMARKS)
    slower[:_HEAD_CHANNELS] = HIDDEN_SLOWER
    return slower


def _face_responses() -> list[Response]:
    """Of the head's channels, then of its landmarks' coordinates."""
    landmarks = [SKIN_RESPONSE] * N_LANDMARKS
    lids = np.concatenate([np.concatenate([eye.ring, eye.upper_fold]) for eye in EYES])
    for indices, response in ((LIPS, LIPS_RESPONSE), (lids, LIDS_RESPONSE), (IRISES, IRIS_RESPONSE)):
        for index in indices:
            landmarks[index] = response
    head = [TURN_RESPONSE] * 3 + [ZOOM_RESPONSE] + [SHIFT_RESPONSE] * 3
    return head + [response for response in landmarks for _ in range(3)]


def _rest_of_way(cutoff: F64, dt_s: float) -> F64:
    """Share of the way that a first-order low-pass with a cutoff in rad/s still has to go after dt_s."""
    return np.asarray(np.exp(-dt_s * cutoff))


def _f32(array: F64) -> F32:
    return array.astype(np.float32)
