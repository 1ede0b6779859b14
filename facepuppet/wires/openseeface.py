"""OpenSeeFace: a webcam's face as landmarks and a head pose, UDP 11573; nothing is sent while none is seen.

After facetracker.py and Unity/OpenSee.cs of the project (2025-06). A datagram holds one block a face, in the
order of their ids, little-endian and unpadded; older senders leave out the features, its last 56 bytes. Read
are the head, the 3-D landmarks and the pupils:

- The quaternion (x y z w) is that of the inverse of the head's rotation, from a model with x to the image
  left, y up, z to the viewer, to a camera with x down and y right (rows and columns). Pose fitting starts at
  the camera and ends behind it: depths are negative, and the picture is that of the rotation's negative.
  Two of its rows lie in the picture and count; depth follows from them. So Euler angles, which flip at rest,
  are not needed. Found by projecting landmarks of its own tracker's packets again; yaw, pitch and roll rise
  with those of our tracker.
- 3-D landmarks come as x to the image's left, y down, z away, pupils and centres of eyeballs last. Of a face
  just found, or lost in between, `success` is 0 and they are zeros.
- Openness of the eyes and the features are exactly 1 and 0 until their ranges are learnt, which takes seconds
  to minutes, and the first squint then counts as shut: neither is used (see `openseeface_shapes`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facepuppet.core.geometry import euler_from_rotation, rotation_from_quaternion
from facepuppet.core.types import F32, F64
from facepuppet.wires.expressions import INTER_OCULAR_M
from facepuppet.wires.openseeface_shapes import INTER_OCULAR, STEADY, LandmarkShapes
from facepuppet.wires.wire_face import MalformedPacketError, WireFace, WireSample

PORT = 11573
FACE = np.dtype(
    [
        *(("time", "<f8"), ("id", "<i4"), ("size", "<f4", 2), ("open", "<f4", 2), ("success", "u1")),
        *(("error", "<f4"), ("quaternion", "<f4", 4), ("euler", "<f4", 3), ("translation", "<f4", 3)),
        *(("confidence", "<f4", 68), ("points", "<f4", (68, 2)), ("points_3d", "<f4", (70, 3))),
        ("features", "<f4", 14),
    ]
)
WITHOUT_FEATURES = np.dtype([(name, FACE[name]) for name in (FACE.names or ())[:-1]])
MOST_FACES = 40  # of a datagram; the tracker refuses to send more
_USED = ("time", "quaternion", "translation", "confidence", "points", "points_3d")
_PUPILS, _EYEBALLS = slice(66, 68), slice(68, 70)  # the person's right eye first
_FARTHEST = 10.0  # that a landmark is from the nose, in units of the model, whose face is one wide
_LEAST_SURE = 0.2  # of a pupil; so far the tracker itself shows none
# How far eyes turn over how far its pupils say: in seven clips the spread of our own driver's eyes, whose
# share is measured (drivers.camera.measure), is 1.9 times as large across and 1.55 up and down (medians).
_EYE_GAIN = np.float32(1.7)
_BACK_S = 1.0  # a clock that goes back so far is another sender's

Face = npt.NDArray[np.void]


class OpenSeeFaceDecoder:
    """Follows one face of one sender, as long as that is there; its first moments are its rest."""

    def __init__(self) -> None:
        self._id: int | None = None
        self._last_s = -np.inf
        self._shapes = LandmarkShapes()
        self._rest_gaze: list[F32] = []
        self._gaze: F32 | None = None

    def recentre(self) -> None:
        """Take the next moments for rest."""
        self._shapes, self._rest_gaze, self._gaze = LandmarkShapes(), [], None

    def decode(self, packet: bytes) -> WireSample | None:
        """Return what a datagram says of the face that is followed.

        Raises:
            MalformedPacketError: of another length, or what is used of it holds what is no number.
        """
        faces = _faces_of(packet)
        face = self._followed(faces)
        sent_s = float(face["time"])
        if face["id"] != self._id or sent_s < self._last_s - _BACK_S:
            self.recentre()
        self._id, self._last_s = int(face["id"]), sent_s
        return WireSample(self._face_of(face, sent_s) if _is_seen(face) else None, sent_s)

    def _followed(self, faces: Face) -> Face:
        """The face of before, else the largest; one that is seen, if there is one."""
        seen = [face for face in faces if _is_seen(face)] or list(faces)
        same = [face for face in seen if face["id"] == self._id]
        return max(same or seen, key=_extent)

    def _face_of(self, face: Face, sent_s: float) -> WireFace:
        landmarks = face["points_3d"].astype(np.float64) * (-1.0, 1.0, 1.0)
        weights = self._shapes.weights(landmarks[:66, :2], sent_s)
        return WireFace(weights, _head(face), self._eyes(landmarks, face["confidence"]), _position(face))

    def _eyes(self, landmarks: F64, confidence: F32) -> F32:
        """Angles (2, 2) of the eyes against those at rest; an eye that is not sure goes with the other."""
        sight = landmarks[_PUPILS] - landmarks[_EYEBALLS]
        x, y, z = sight.T
        angles = np.stack([np.arctan2(x, -z), np.arctan2(y, np.hypot(x, z))], axis=1).astype(np.float32)
        angles *= _EYE_GAIN
        sure = confidence[_PUPILS] >= _LEAST_SURE
        if not sure.any():
            return np.zeros((2, 2), np.float32)
        angles[~sure] = angles[sure][0]
        if self._gaze is None:
            self._rest_gaze.append(angles)
            rest: F32 = np.median(self._rest_gaze, axis=0).astype(np.float32)
            if not self._shapes.resting:
                unsettled: F32 = angles - rest
                return unsettled
            self._gaze, self._rest_gaze = rest, []
        against_rest: F32 = angles - self._gaze
        return against_rest


def _faces_of(packet: bytes) -> Face:
    for kind in (FACE, WITHOUT_FEATURES):
        if packet and len(packet) % kind.itemsize == 0 and len(packet) < MOST_FACES * kind.itemsize:
            faces = np.frombuffer(packet, kind)
            if all(np.isfinite(faces[name]).all() for name in _USED):
                return faces
            raise MalformedPacketError("a value that is no number")
    raise MalformedPacketError(f"{len(packet)} bytes, no multiple of a face's {FACE.itemsize}")


def _is_seen(face: Face) -> bool:
    """Whether pose and landmarks are those of a face; of one just found they are zeros."""
    landmarks = face["points_3d"][STEADY, :2]
    return bool(
        face["success"]
        and abs(float(np.linalg.norm(face["quaternion"])) - 1.0) < 0.1
        and np.abs(face["points_3d"]).max() < _FARTHEST
        and np.abs(face["translation"]).max() < _FARTHEST**2
        and np.ptp(landmarks, axis=0).min() > 1.0 / _FARTHEST**2
    )


def _extent(face: Face) -> float:
    return float(np.ptp(face["points"][:66], axis=0).max())


def _front(face: Face) -> float:
    """-1 where the pose lies behind the camera, as it does, 1 where it lies before it."""
    return -1.0 if face["translation"][2] < 0 else 1.0


def _head(face: Face) -> F32:
    """Yaw, pitch and roll (3,) in our signs."""
    x, y, z, w = face["quaternion"].tolist()
    camera_from_model = _front(face) * rotation_from_quaternion(w, x, y, z).T
    right, down = -camera_from_model[1], -camera_from_model[0]
    return np.array(euler_from_rotation(np.stack([right, down, np.cross(right, down)])), np.float32)


def _position(face: Face) -> F32:
    """Place (3,) in metres to the image right, down and away; the tracker's unit is that of its model."""
    down, right, away = (_front(face) * face["translation"].astype(np.float64)).tolist()
    return np.array([right, down, away], np.float32) * np.float32(INTER_OCULAR_M / INTER_OCULAR)
