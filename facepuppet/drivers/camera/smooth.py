"""Takes the tracker's tremble out of a performance without making it late.

The head is smoothed as one rigid thing, and the expression apart from it in the head's own frame, region
by region: a trembling head is what people see first, while lips and lids must stay crisp.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from facepuppet.core.geometry import Similarity, head_from_image, rotation_from_vector, vector_from_rotation
from facepuppet.core.types import F32, F64, N_LANDMARKS, Floats
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.face.topology import EYES, IRISES, LIPS

MAX_GAP_S = 0.4  # after a longer silence a filter starts afresh


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
TURN_RESPONSE = Response(1.2, 12.0)  # radians
SHIFT_RESPONSE = Response(1.2, 12.0)  # inter-ocular distances
ZOOM_RESPONSE = Response(0.3, 20.0, 3.0)  # logarithm of scale
SHOULDER_RESPONSE = Response(0.7, 6.0, 2.0)  # shoulder widths


class OneEuro:
    """One Euro filters over the channels of an array, each with its own response.

    G. Casiez, N. Roussel, D. Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
    Interactive Systems", CHI 2012. The time between samples may vary.

    Args:
        channels: one response for each entry along the array's first axis, or a single one for all.
        rank: number of axes of the filtered arrays.
    """

    def __init__(self, channels: Response | list[Response], rank: int = 1) -> None:
        listed = [channels] if isinstance(channels, Response) else channels
        column = (len(listed),) + (1,) * (rank - 1)
        self._min_cutoff = np.array([c.min_cutoff_hz for c in listed]).reshape(column)
        self._beta = np.array([c.beta for c in listed]).reshape(column)
        self._derivative_cutoff = np.array([c.derivative_cutoff_hz for c in listed]).reshape(column)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._t_ns: int | None = None
        self._raw = self._speed = self._value = np.zeros(0)

    def stale(self, t_ns: int) -> bool:
        """Whether there is no past, or it lies too far back to be continued."""
        return self._t_ns is None or t_ns - self._t_ns > MAX_GAP_S * 1e9

    def filter(self, value: Floats, t_ns: int) -> F64:
        """Return the smoothed value at time t_ns; a repeated time changes nothing."""
        x = np.asarray(value, dtype=np.float64)
        if self._t_ns is None or self.stale(t_ns):
            self._raw, self._speed, self._value = x, np.zeros_like(x), x
        elif t_ns > self._t_ns:
            dt_s = (t_ns - self._t_ns) / 1e9
            speed = (x - self._raw) / dt_s
            self._speed = self._speed + _share(self._derivative_cutoff, dt_s) * (speed - self._speed)
            cutoff = self._min_cutoff + self._beta * np.abs(self._speed)
            self._value = self._value + _share(cutoff, dt_s) * (x - self._value)
            self._raw = x
        else:
            return self._value
        self._t_ns = t_ns
        return self._value


class TrackingSmoother:
    """Smooths trackings of one driver; call it with every frame in the order of capture."""

    def __init__(self) -> None:
        self._head = OneEuro([TURN_RESPONSE] * 3 + [ZOOM_RESPONSE] + [SHIFT_RESPONSE] * 3)
        self._unit_px = 1.0  # inter-ocular distance when the head's filter last started
        self._expression = OneEuro(_landmark_responses(), rank=2)
        self._shoulders = OneEuro(SHOULDER_RESPONSE, rank=2)
        self._shoulder_width_px = 1.0

    def smooth(self, tracking: Tracking) -> Tracking:
        """Return the tracking with its face and torso smoothed; what was not seen stays None."""
        face, torso, t_ns = tracking.face, tracking.torso, tracking.captured_ns
        return replace(
            tracking,
            face=None if face is None else self._smooth_face(face, t_ns),
            torso=None if torso is None else self._smooth_torso(torso, t_ns),
        )

    def _smooth_face(self, face: Face, t_ns: int) -> Face:
        landmarks_head = head_from_image(face.landmarks_px, face.image_from_head)
        steady = self._smooth_head(face.image_from_head, t_ns)
        return Face(_f32(steady.apply(self._expression.filter(landmarks_head, t_ns))), steady)

    def _smooth_head(self, image_from_head: Similarity, t_ns: int) -> Similarity:
        if self._head.stale(t_ns):
            self._unit_px = image_from_head.scale
        channels = np.concatenate(
            [
                vector_from_rotation(image_from_head.rotation),
                [np.log(image_from_head.scale)],
                image_from_head.translation / self._unit_px,
            ]
        )
        steady = self._head.filter(channels, t_ns)
        return Similarity(
            rotation_from_vector(steady[:3]), float(np.exp(steady[3])), steady[4:] * self._unit_px
        )

    def _smooth_torso(self, torso: Torso, t_ns: int) -> Torso:
        if self._shoulders.stale(t_ns):
            width_px = float(np.linalg.norm(torso.shoulders_px[1] - torso.shoulders_px[0]))
            self._shoulder_width_px = max(width_px, 1.0)
        unit_px = self._shoulder_width_px
        return replace(
            torso, shoulders_px=_f32(self._shoulders.filter(torso.shoulders_px / unit_px, t_ns) * unit_px)
        )


def _landmark_responses() -> list[Response]:
    responses = [SKIN_RESPONSE] * N_LANDMARKS
    lids = np.concatenate([np.concatenate([eye.ring, eye.upper_fold]) for eye in EYES])
    for indices, response in ((LIPS, LIPS_RESPONSE), (lids, LIDS_RESPONSE), (IRISES, IRIS_RESPONSE)):
        for index in indices:
            responses[index] = response
    return responses


def _share(cutoff_hz: F64, dt_s: float) -> F64:
    """Share of the way to the new value that a first-order low-pass goes in dt_s."""
    return np.asarray(1.0 - np.exp(-2.0 * np.pi * dt_s * cutoff_hz))


def _f32(array: F64) -> F32:
    return array.astype(np.float32)
