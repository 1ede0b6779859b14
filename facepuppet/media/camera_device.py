"""The one place that talks to camera hardware: OpenCV behind a protocol that tests can fake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from facepuppet.core.errors import CameraBusyError, CameraMissingError, CaptureError
from facepuppet.core.types import U8
from facepuppet.media.camera_backend import camera_backend
from facepuppet.media.devices import CameraInfo, device_holders


class CameraDevice(Protocol):
    """An opened camera."""

    def grab(self) -> bool:
        """Block for the next picture without decoding it; False when the camera is gone."""

    def retrieve(self) -> U8 | None:
        """Decode the grabbed picture to (H, W, 3) BGR; None when it is damaged."""

    def fps(self) -> float | None:
        """Return the rate the driver granted, None when it does not say."""

    def release(self) -> None:
        """Give the camera back."""


class DeviceOpener(Protocol):
    """Opens cameras; OpenCVDevice.open is the real one."""

    def __call__(self, camera: CameraInfo, size_px: tuple[int, int], fps: float) -> CameraDevice:
        """Open a camera, asking for a size and rate that it may not grant.

        Raises:
            CameraMissingError: no such device.
            CameraBusyError: somebody else has it.
        """


class OpenCVDevice:
    """A camera opened by cv2.VideoCapture."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    @classmethod
    def open(cls, camera: CameraInfo, size_px: tuple[int, int], fps: float) -> OpenCVDevice:
        """Open a camera with MJPEG, which USB 2 needs for 720p at 30 FPS."""
        capture = cv2.VideoCapture(camera.index, camera_backend())
        if not capture.isOpened():
            capture.release()
            raise why_not(camera)
        # The order matters to V4L2: the format decides which sizes, the size which rates are on offer.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size_px[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size_px[1])
        capture.set(cv2.CAP_PROP_FPS, fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an old picture is worse than none
        return cls(capture)

    def grab(self) -> bool:
        """See CameraDevice."""
        return bool(self._capture.grab())

    def retrieve(self) -> U8 | None:
        """See CameraDevice."""
        ok, bgr = self._capture.retrieve()
        return np.asarray(bgr, np.uint8) if ok and bgr is not None and bgr.size else None

    def fps(self) -> float | None:
        """See CameraDevice."""
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        return rate if rate > 0 else None

    def release(self) -> None:
        """See CameraDevice."""
        self._capture.release()


def why_not(camera: CameraInfo) -> CaptureError:
    """Return the error that tells best why a camera that is listed did not open."""
    if camera.path is not None and not Path(camera.path).exists():
        return CameraMissingError(
            f"camera {camera}, which is not plugged in", "a connected camera", "Plug it in again."
        )
    if camera.path is not None and not os.access(camera.path, os.R_OK | os.W_OK):
        return CaptureError(
            f"no permission for {camera.path}",
            "a camera that you may read",
            "Run `sudo usermod -aG video $USER`, then log out and in.",
        )
    holders = device_holders(camera.path) if camera.path else ()
    who = f"held by {', '.join(holders)}" if holders else "which does not open"
    return CameraBusyError(
        f"camera {camera}, {who}",
        "a camera that no other program uses",
        "Close other programs that use it (browser tabs too), then try again.",
    )
