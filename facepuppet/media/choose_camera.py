"""Which of the connected cameras a word means."""

from __future__ import annotations

from collections.abc import Sequence

from facepuppet.core.errors import CameraMissingError
from facepuppet.media.devices import CameraInfo


def find_camera(which: int | str, cameras: Sequence[CameraInfo]) -> CameraInfo:
    """Return the camera with an index, device node, unique id or name.

    Raises:
        CameraMissingError: none fits, or a part of a name fits several.
    """
    if isinstance(which, int):
        fitting = [camera for camera in cameras if camera.index == which]
    else:
        exact = [camera for camera in cameras if which in (camera.name, camera.path, camera.unique_id)]
        fitting = exact or [camera for camera in cameras if which.lower() in camera.name.lower()]
    if len(fitting) == 1:
        return fitting[0]
    raise CameraMissingError(
        f"camera {which!r}, which fits {len(fitting) or 'none'}",
        "the index or name of one camera",
        what_is_there(cameras),
    )


def find_again(camera: CameraInfo, cameras: Sequence[CameraInfo]) -> CameraInfo:
    """Find a camera that was unplugged: as itself, else as the only one of its very name.

    Raises:
        CameraMissingError: it is not back; another camera that took its index does not count.
    """
    if camera.unique_id is None:
        itself = [other for other in cameras if other == camera]
    else:  # indices of macOS and Windows move up when another camera is unplugged
        itself = [other for other in cameras if other.unique_id == camera.unique_id]
    return itself[0] if itself else find_camera(camera.name, [c for c in cameras if c.name == camera.name])


def what_is_there(cameras: Sequence[CameraInfo]) -> str:
    """Return a sentence that lists the cameras."""
    if not cameras:
        return "No camera is connected; plug one in, or use a video file."
    return f"There is: {', '.join(map(str, cameras))}."
