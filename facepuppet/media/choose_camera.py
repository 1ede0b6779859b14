"""Which of the connected cameras a word means."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from facepuppet.core.errors import CameraMissingError
from facepuppet.media.devices import CameraInfo


def find_camera(which: int | str, cameras: Sequence[CameraInfo]) -> CameraInfo:
    """Return the camera with an index, device node or name.

    Raises:
        CameraMissingError: none fits, or a part of a name fits several.
    """
    if isinstance(which, int):
        fitting = [camera for camera in cameras if camera.index == which]
    else:
        exact = [camera for camera in cameras if which in (camera.name, camera.path)]
        fitting = exact or [camera for camera in cameras if which.lower() in camera.name.lower()]
    if len(fitting) == 1:
        return fitting[0]
    if isinstance(which, int) and platform.system() != "Linux":
        return CameraInfo(which, "not listed")  # the list is a guess there: opening it will tell
    raise CameraMissingError(
        f"camera {which!r}, which fits {len(fitting) or 'none'}",
        "the index or name of one camera",
        what_is_there(cameras),
    )


def find_again(camera: CameraInfo, cameras: Sequence[CameraInfo]) -> CameraInfo:
    """Find a camera that was unplugged: under its old index, or as the only one of its name.

    Raises:
        CameraMissingError: it is not back; another camera that took its index does not count.
    """
    return camera if camera in cameras else find_camera(camera.name, cameras)


def what_is_there(cameras: Sequence[CameraInfo]) -> str:
    """Return a sentence that lists the cameras."""
    if not cameras:
        return "No camera is connected; plug one in, or use a video file."
    return f"There is: {', '.join(map(str, cameras))}."
