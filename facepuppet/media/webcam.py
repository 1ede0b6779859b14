"""A camera that may be unplugged and plugged in again in the middle of a call."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import CameraBlackError, CameraMissingError, CaptureError
from facepuppet.core.types import U8, Frame
from facepuppet.media.camera_device import CameraDevice, DeviceOpener, OpenCVDevice
from facepuppet.media.choose_camera import find_again, find_camera, what_is_there
from facepuppet.media.devices import CameraInfo, list_cameras
from facepuppet.media.patience import PATIENCE_S, Patience
from facepuppet.media.source import Source

BLACK_BELOW = 8.0  # mean of 0..255: darker than any room in which a face can be seen
BLACK_AFTER_S = 3.0  # cameras may start dark while their exposure settles
DAMAGED_IN_A_ROW = 5  # pictures; fewer are skipped, more mean that the camera is gone

ListCameras = Callable[[], Sequence[CameraInfo]]

log = logging.getLogger(__name__)


class Webcam(Source):
    """A webcam by index or name (case-insensitive, a part is enough).

    When it is unplugged, read() keeps trying with growing pauses, finds it by name under a new
    index too, and frame ids count on; `reconnecting` is set meanwhile. The size and rate asked
    for are wishes: `size_px` and `fps` tell what was granted.

    Args:
        which: index, name, or device node.
        patience_s: how long to wait for an unplugged camera before giving up.

    Raises:
        CameraMissingError: no such camera (the message lists what is there).
        CameraBusyError: another program holds it.
        CameraBlackError: from read(), when nothing but black came in the first seconds.
    """

    def __init__(
        self,
        which: int | str,
        size_px: tuple[int, int] = (1280, 720),
        fps: float = 30.0,
        *,
        patience_s: float = PATIENCE_S,
        clock: Clock | None = None,
        opener: DeviceOpener = OpenCVDevice.open,
        cameras: ListCameras = list_cameras,
    ) -> None:
        self.live = True
        self.n_frames: int | None = None
        self._asked = (size_px, fps)
        self._clock = clock or SystemClock()
        self._opener = opener
        self._cameras = cameras
        self._closed = threading.Event()
        self._lock = threading.Lock()  # held while the device is used, so that close() cannot pull it away
        self._next_id = 0
        self._camera = find_camera(which, cameras())
        self.description = f"camera {self._camera}"
        self._patience = Patience(self.description, self._clock, self._closed, patience_s)
        self._device: CameraDevice | None = opener(self._camera, size_px, fps)
        self.fps = self._device.fps()
        self._opened_ns = self._clock.now_ns()
        self._seen_light = False
        self._first = self._grab()
        if self._first is None:
            self.close()
            raise CameraMissingError(
                f"camera {self._camera}, which opened but delivers no picture",
                "a camera that delivers pictures",
                "Unplug it and plug it in again, or choose another with --camera.",
            )
        self.size_px = (self._first.rgb.shape[1], self._first.rgb.shape[0])

    def read(self) -> Frame | None:
        """Block for the next picture, through unplugging if need be; None after close()."""
        frame, self._first = self._first, None
        with self._lock:
            if frame is None and not self._closed.is_set():
                frame = self._grab() or self._reconnect()
        if frame is not None:
            self._watch_for_light(frame)
        return frame

    def close(self) -> None:
        """Give the camera back; a blocked read() returns None."""
        self._closed.set()
        with self._lock:
            self._release()

    def _grab(self) -> Frame | None:
        """Return the next picture that is not damaged; None when the camera is gone."""
        for _ in range(DAMAGED_IN_A_ROW):
            if self._device is None or not self._device.grab():
                return None
            captured_ns = self._clock.now_ns()  # before decoding, which takes milliseconds
            bgr = self._device.retrieve()
            if bgr is not None:
                rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
                self._next_id += 1
                return Frame(rgb, self._next_id - 1, captured_ns)
        return None

    @property
    def reconnecting(self) -> threading.Event:
        """Set while the camera is unplugged."""
        return self._patience.reconnecting

    @property
    def reconnects(self) -> int:
        """How often it was plugged in again."""
        return self._patience.reconnects

    def _reconnect(self) -> Frame | None:
        """Return the first picture of the camera that came back; None when close() was called."""
        return self._patience.until_back(
            self._reopened, lambda: f"Plug it in and start again. {what_is_there(self._cameras())}"
        )

    def _reopened(self) -> Frame | None:
        self._release()
        try:
            self._camera = find_again(self._camera, self._cameras())
            self._device = self._opener(self._camera, *self._asked)
        except CaptureError as error:
            log.debug("%s: not back yet: %s", self.description, error)
            return None
        return self._grab()

    def _watch_for_light(self, frame: Frame) -> None:
        if self._seen_light:
            return
        self._seen_light = not is_black(frame.rgb)
        if not self._seen_light and frame.captured_ns - self._opened_ns > BLACK_AFTER_S * 1e9:
            raise CameraBlackError(
                f"only black pictures from {self.description}",
                "a lit picture",
                "Open its shutter or lens cap, close other programs that use it, "
                f"or choose another camera. {what_is_there(self._cameras())}",
            )

    def _release(self) -> None:
        if self._device is not None:
            self._device.release()
            self._device = None


def is_black(rgb: U8) -> bool:
    """Tell whether a picture is black but for sensor noise."""
    return float(rgb[::8, ::8].mean()) < BLACK_BELOW
