"""Which of OpenCV's backends opens cameras here: each counts them in its own order."""

from __future__ import annotations

import platform

import cv2


def camera_backend() -> int:
    """Return the backend to open cameras with; left to choose, OpenCV may take one that counts otherwise."""
    backends = {"Linux": cv2.CAP_V4L2, "Darwin": cv2.CAP_AVFOUNDATION, "Windows": cv2.CAP_MSMF}
    return int(backends.get(platform.system(), cv2.CAP_ANY))
