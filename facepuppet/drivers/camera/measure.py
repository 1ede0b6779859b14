"""From a tracked face to an expression: how far face, head and shoulders are from rest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facepuppet.core.geometry import Similarity, head_from_image, vector_from_rotation
from facepuppet.core.types import (
    F32,
    Expression,
    FacePose,
    HeadPose,
    LandmarkOffsets,
    TorsoPose,
)
from facepuppet.drivers.camera.profile import DriverNeutral, RestPose
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.face.gaze import eye_openings
from facepuppet.face.head_pose import HeadFit
from facepuppet.face.irises import iris_position
from facepuppet.face.lips import mouth_width

MIN_SHOULDER_CONFIDENCE = 0.5
# Share of an iris' true way that the tracker reports. Of eyeballs drawn at known places (13 portraits) and of
# rendered heads that look aside (8) it reports .5 to .7 across, of a person measured by hand .65 to .95; up
# and down less, but there lids tell more. Uncorrected, a driver who looks into a corner has a puppet that
# looks halfway.
IRIS_REPORTED = 0.71


class Measure:
    """Compares trackings with one rest; what depends on the rest alone is worked out once.

    Args:
        neutral: the driver's resting face.
        rest_pose: where that driver rests before the camera.
    """

    def __init__(self, neutral: DriverNeutral, rest_pose: RestPose) -> None:
        self._neutral, self._rest_pose = neutral, rest_pose
        self._fit = HeadFit(neutral.landmarks_head)
        self._mouth_width = mouth_width(neutral.landmarks_head)
        self._eye_range = neutral.eye_opening - neutral.eye_shut
        # Told in eye widths, so that a rest that is led to another place or size, but not turned, keeps it.
        self._irises = iris_position(rest_pose.image_from_head.apply(neutral.landmarks_head))

    def pose(self, face: Face) -> Similarity:
        """Return image_from_head of a face, fitted with the neutral as template."""
        return self._fit.of(face.landmarks_px)

    def lead(self, image_from_head: Similarity, torso: Torso | None, share: float) -> None:
        """Let the rest pose follow by a share of the way, so that a held lean re-centres; a turn does not."""
        rest, shoulders = self._rest_pose.image_from_head, self._rest_pose.shoulders_px
        moved = Similarity(
            rest.rotation,
            rest.scale * (image_from_head.scale / rest.scale) ** share,
            rest.translation + share * (image_from_head.translation - rest.translation),
        )
        if shoulders is not None and torso is not None:
            shoulders = shoulders + np.float32(share) * (torso.shoulders_px - shoulders)
        self._rest_pose = RestPose(moved, shoulders)

    def expression(self, tracking: Tracking, image_from_head: Similarity) -> Expression:
        """Tell how a tracked face (and shoulders, when seen) differs from rest.

        Args:
            tracking: must hold a face.
            image_from_head: that face's `pose`.
        """
        assert tracking.face is not None
        return Expression(
            self._face_pose(tracking.face, image_from_head),
            _torso_pose(tracking.torso, self._rest_pose),
            tracking.frame_id,
            tracking.captured_ns,
            tracking.hidden,
        )

    def _face_pose(self, face: Face, image_from_head: Similarity) -> FacePose:
        head = head_from_image(face.landmarks_px, image_from_head).astype(np.float32)
        rest = self._rest_pose.image_from_head
        turn = vector_from_rotation(image_from_head.rotation @ rest.rotation.T)
        x, y, _ = ((image_from_head.translation - rest.translation) / rest.scale).tolist()
        return FacePose(
            HeadPose(turn.astype(np.float32), (x, y), math.log(image_from_head.scale / rest.scale)),
            (iris_position(face.landmarks_px) - self._irises) / IRIS_REPORTED,
            self._opening_ratio(eye_openings(head)),
            LandmarkOffsets(head - self._neutral.landmarks_head, self._mouth_width),
        )

    def _opening_ratio(self, aperture: F32) -> F32:
        """Aperture (2,) relative to relaxed eyes (1), stretched so that this driver's shut lids reach 0."""
        stretched = (aperture - self._neutral.eye_shut) / self._eye_range
        opening: F32 = np.maximum(stretched, 0.0).astype(np.float32)
        return opening


@dataclass(frozen=True, slots=True)
class _Shoulders:
    """The line through the shoulders: its middle, its length (1 at least), its tilt clockwise."""

    x_px: float
    y_px: float
    length_px: float
    roll_rad: float

    @staticmethod
    def of(shoulders_px: F32) -> _Shoulders:
        (x0, y0), (x1, y1) = shoulders_px.tolist()
        across, down = x1 - x0, y1 - y0
        length_px = max(math.hypot(across, down), 1.0)
        return _Shoulders((x0 + x1) / 2, (y0 + y1) / 2, length_px, math.atan2(down, across))


def _torso_pose(now: Torso | None, rest_pose: RestPose) -> TorsoPose | None:
    if now is None or rest_pose.shoulders_px is None or now.confidence < MIN_SHOULDER_CONFIDENCE:
        return None
    seen, rest = _Shoulders.of(now.shoulders_px), _Shoulders.of(rest_pose.shoulders_px)
    unit_px = rest_pose.image_from_head.scale
    lean = (seen.x_px - rest.x_px) / unit_px, (seen.y_px - rest.y_px) / unit_px
    # A turned torso narrows without coming nearer, hence the square root.
    log_scale = 0.5 * math.log(seen.length_px / rest.length_px)
    return TorsoPose(lean, seen.roll_rad - rest.roll_rad, log_scale)
