"""The one face of a portrait: found at any scale, judged, and told plainly when it will not do."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.avatar.vision import Box, FaceMesher, detect_faces
from facepuppet.errors import FaceTooSmallError, FaceTurnedAwayError, NoFaceError, SeveralFacesError
from facepuppet.topology import CHIN, FOREHEAD, OUTER_CORNERS
from facepuppet.types import F32, U8

_log = logging.getLogger(__name__)

MIN_FACE_WIDTH_PX = 64.0
MAX_YAW_RAD = np.deg2rad(55.0)
MAX_PITCH_RAD = np.deg2rad(40.0)
MAX_ROLL_RAD = np.deg2rad(50.0)
RIVAL_WIDTH_RATIO = 0.55  # a second face narrower than this is scenery

_SEARCH_SIDE_PX = 1024
_DETECTOR_CONFIDENCE = 0.4
_OVAL_LEFT, _OVAL_RIGHT = 234, 454  # beside the ears
_MESH_CROP_SCALE = 2.0  # crop side over detected box side
_MESH_CROP_SIDES_PX = (192, 640)  # smaller crops are enlarged, larger ones reduced


def face_width_px(landmarks_px: F32) -> float:
    """Return the distance between the sides of the face oval, however the face is turned."""
    left, right = landmarks_px[[_OVAL_LEFT, _OVAL_RIGHT]]
    return float(np.linalg.norm(right - left))


@dataclass(frozen=True, slots=True)
class FaceView:
    """A face with its mesh.

    Attributes:
        landmarks_px: (478, 3) float32 in the picture's pixels, z away from the viewer.
        width_px: distance between the sides of the face oval, turned faces included.
        yaw_rad: positive when the face turns to the image's right.
        pitch_rad: positive when it looks down.
        roll_rad: positive clockwise on the picture.
    """

    landmarks_px: F32
    width_px: float
    yaw_rad: float
    pitch_rad: float
    roll_rad: float

    @classmethod
    def of(cls, landmarks_px: F32) -> FaceView:
        """Measure the mesh."""
        across = landmarks_px[OUTER_CORNERS[1]] - landmarks_px[OUTER_CORNERS[0]]
        down = landmarks_px[CHIN] - landmarks_px[FOREHEAD]
        return cls(
            landmarks_px=landmarks_px,
            width_px=face_width_px(landmarks_px),
            yaw_rad=float(np.arctan2(-across[2], np.hypot(across[0], across[1]))),
            pitch_rad=float(np.arctan2(down[2], np.hypot(down[0], down[1]))),
            roll_rad=float(np.arctan2(across[1], across[0])),
        )


def find_the_face(rgb: U8) -> FaceView:
    """Find the portrait's one face in an (H, W, 3) RGB picture and check that it will do.

    Raises:
        NoFaceError, SeveralFacesError, FaceTooSmallError, FaceTurnedAwayError: it will not.
    """
    faces = find_faces(rgb)
    if not faces:
        raise NoFaceError(
            "a picture in which no human face was found",
            "one face seen from the front or at three quarters",
            "Use a picture in which both eyes and the mouth can be seen.",
        )
    _check_alone(faces)
    _check_size(faces[0])
    _check_pose(faces[0])
    return faces[0]


def find_faces(rgb: U8) -> list[FaceView]:
    """Find every face in an (H, W, 3) RGB picture, widest first, in its pixels."""
    with FaceMesher() as mesher:
        meshes = [mesh for box in _face_boxes(rgb) if (mesh := mesh_in_box(mesher, rgb, box)) is not None]
        if not meshes and (whole := mesher.landmarks_px(rgb)) is not None:
            meshes = [whole]
    faces = sorted((FaceView.of(mesh) for mesh in meshes), key=lambda face: -face.width_px)
    distinct: list[FaceView] = []
    for face in faces:
        if all(_apart(face, other) for other in distinct):
            distinct.append(face)
    return distinct


def mesh_in_box(mesher: FaceMesher, rgb: U8, box: Box) -> F32 | None:
    """Read the (478, 3) mesh of the face inside box, through a crop at the network's liking."""
    side = max(box.width_px, box.height_px) * _MESH_CROP_SCALE
    centre_x, centre_y = box.centre_px
    x0, y0 = round(centre_x - side / 2), round(centre_y - side / 2)
    crop = _padded_crop(rgb, x0, y0, max(2, round(side)))
    crop_side = int(np.clip(crop.shape[0], *_MESH_CROP_SIDES_PX))
    scale = crop.shape[0] / crop_side
    interpolation = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    resized = cv2.resize(crop, (crop_side, crop_side), interpolation=interpolation).astype(np.uint8)
    mesh = mesher.landmarks_px(resized)
    if mesh is None:
        return None
    return np.asarray(mesh * np.float32(scale) + np.array([x0, y0, 0], np.float32), dtype=np.float32)


def _face_boxes(rgb: U8) -> list[Box]:
    """Detect with both detectors, on the picture as it is and with a wide margin (faces filling it)."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _SEARCH_SIDE_PX / max(height, width))
    small = rgb
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    margin = max(small.shape[:2]) // 2
    wide = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REPLICATE).astype(np.uint8)
    boxes: list[Box] = []
    for picture, offset in ((small, 0), (wide, margin)):
        for far in (False, True):
            found = detect_faces(picture, far=far, min_confidence=_DETECTOR_CONFIDENCE)
            boxes += [_placed(box, offset, scale) for box in found]
    return boxes


def _placed(box: Box, offset_px: int, scale: float) -> Box:
    return Box(
        (box.x_px - offset_px) / scale,
        (box.y_px - offset_px) / scale,
        box.width_px / scale,
        box.height_px / scale,
    )


def _padded_crop(rgb: U8, x0: int, y0: int, side: int) -> U8:
    height, width = rgb.shape[:2]
    inside = rgb[max(0, y0) : min(height, y0 + side), max(0, x0) : min(width, x0 + side)]
    top, left = max(0, -y0), max(0, -x0)
    bottom, right = side - top - inside.shape[0], side - left - inside.shape[1]
    return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT).astype(np.uint8)


def _apart(face: FaceView, other: FaceView) -> bool:
    distance = np.linalg.norm(face.landmarks_px[:, :2].mean(axis=0) - other.landmarks_px[:, :2].mean(axis=0))
    return bool(distance > 0.5 * max(face.width_px, other.width_px))


def _check_alone(faces: list[FaceView]) -> None:
    if len(faces) < 2:
        return
    if faces[1].width_px >= RIVAL_WIDTH_RATIO * faces[0].width_px:
        rivals = sum(face.width_px >= RIVAL_WIDTH_RATIO * faces[0].width_px for face in faces)
        raise SeveralFacesError(
            f"a picture with {rivals} faces of comparable size",
            "one person",
            "Crop it to the one to animate.",
        )
    _log.warning("a second, much smaller face is in the portrait; the largest is used")


def _check_size(face: FaceView) -> None:
    if face.width_px < MIN_FACE_WIDTH_PX:
        raise FaceTooSmallError(
            f"a face {face.width_px:.0f} px wide",
            f"at least {MIN_FACE_WIDTH_PX:.0f} px",
            "Use a larger picture of the same person; 200 px and more look good.",
        )


def _check_pose(face: FaceView) -> None:
    angles = (
        ("turned", face.yaw_rad, MAX_YAW_RAD),
        ("tilted up or down", face.pitch_rad, MAX_PITCH_RAD),
        ("tilted sideways", face.roll_rad, MAX_ROLL_RAD),
    )
    for word, angle, limit in angles:
        if abs(angle) > limit:
            raise FaceTurnedAwayError(
                f"a face {word} by {np.rad2deg(abs(angle)):.0f} degrees",
                f"at most {np.rad2deg(limit):.0f}",
                "Use a picture in which the face looks more towards the camera.",
            )
