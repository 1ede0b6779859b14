"""What a portrait's face must be like, and plain words when it is not."""

from __future__ import annotations

import logging

import numpy as np

from facepuppet.core.errors import FaceTooSmallError, FaceTurnedAwayError, NoFaceError, SeveralFacesError
from facepuppet.core.types import F32, U8
from facepuppet.portrait.face_search import find_faces, mirrored_reading
from facepuppet.portrait.face_view import FaceView

_log = logging.getLogger(__name__)

MIN_FACE_WIDTH_PX = 64.0
MIN_FORCED_WIDTH_PX = 24.0  # narrower than this eyes are single pixels: nothing can be animated
MAX_YAW_RAD = float(np.deg2rad(55))
MAX_PITCH_RAD = float(np.deg2rad(40))
MAX_ROLL_RAD = float(np.deg2rad(50))
RIVAL_WIDTH_RATIO = 0.55  # a second face narrower than this is scenery

# Readings of honest portraits and of their mirror images differ by at most 0.014 of the face's
# width (72 photos and paintings); those of upside-down faces by 0.05 and more.
MAX_UNSTEADINESS = 0.025
_SIGNS = [33, 263, 133, 362, 61, 291, 1, 10, 13, 152]  # eye and mouth corners, nose, forehead, lip, chin


def find_the_face(rgb: U8, *, force: bool = False) -> FaceView:
    """Find the portrait's one face in an (H, W, 3) RGB picture and check that it will do.

    Its landmarks are the mean of what is read in the picture and in its mirror image: the mesh sits to one
    side of the face by half a percent of the inter-ocular distance and more, which the mean takes out.

    Args:
        rgb: the picture.
        force: take the widest face, however small, turned, doubtful or beset by others it is.

    Raises:
        NoFaceError, SeveralFacesError, FaceTooSmallError, FaceTurnedAwayError: it will not. When forced,
            only for want of a face, or of pixels to move.
    """
    found = find_faces(rgb)
    steady = _centred(rgb, found)
    if force and found:
        face = (steady or found)[0]
        check_size(face, MIN_FORCED_WIDTH_PX)
        return face
    if found and not steady:
        raise FaceTurnedAwayError(
            "something like a face whose eyes, nose and mouth cannot be made out reliably",
            "an upright, uncovered human face",
            "Use a picture that shows both eyes and the mouth; turn it upright first.",
        )
    face = choose_face(steady)
    check_size(face)
    check_pose(face)
    return face


def choose_face(faces: list[FaceView]) -> FaceView:
    """Return the widest of the faces found (widest first).

    Raises:
        NoFaceError: there is none.
        SeveralFacesError: the next is nearly as wide.
    """
    if not faces:
        raise NoFaceError(
            "a picture in which no human face was found",
            "one face seen from the front or at three quarters",
            "Use a picture that shows both eyes and the mouth, upright and close.",
        )
    rivals = sum(face.width_px >= RIVAL_WIDTH_RATIO * faces[0].width_px for face in faces)
    if rivals > 1:
        raise SeveralFacesError(
            f"a picture with {rivals} faces of comparable size",
            "one person",
            "Crop it to the one to animate.",
        )
    if len(faces) > 1:
        _log.warning("a second, much smaller face is in the portrait; the largest is used")
    return faces[0]


def check_size(face: FaceView, least_px: float = MIN_FACE_WIDTH_PX) -> None:
    """Raise FaceTooSmallError when there are fewer pixels across the face than least_px."""
    if face.width_px < least_px:
        raise FaceTooSmallError(
            f"a face {face.width_px:.0f} px wide",
            f"at least {least_px:.0f} px",
            "Use a larger picture of the same person; 200 px and more look good.",
        )


def check_pose(face: FaceView) -> None:
    """Raise FaceTurnedAwayError when the face is in profile or steeply tilted."""
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
                "Use a picture, upright, in which the face looks more towards the camera.",
            )


def _centred(rgb: U8, found: list[FaceView]) -> list[FaceView]:
    """Return the faces of which the mirrored picture tells the same, each the mean of both, widest first."""
    faces = [face for face in (centred(rgb, read) for read in found) if face is not None]
    return sorted(faces, key=lambda face: -face.width_px)


def centred(rgb: U8, face: FaceView) -> FaceView | None:
    """Return the mean of a face as read in an (H, W, 3) RGB picture and as read in its mirror image.

    None where the two disagree: then the mesh is a guess.
    """
    mirrored_px = mirrored_reading(rgb, face)
    if mirrored_px is None or unsteadiness(face, mirrored_px) > MAX_UNSTEADINESS:
        return None
    return FaceView.of((face.landmarks_px + mirrored_px) * np.float32(0.5))


def unsteadiness(face: FaceView, mirrored_px: F32 | None) -> float:
    """Return how far readings of a face and of its mirror image are apart, in face widths.

    Args:
        face: as read.
        mirrored_px: (478, 3) as `mirrored_reading` tells; None, nothing was read, is infinitely far.
    """
    if mirrored_px is None:
        return float("inf")
    gaps = np.linalg.norm((face.landmarks_px - mirrored_px)[_SIGNS, :2], axis=1)
    return float(gaps.mean() / face.width_px)
