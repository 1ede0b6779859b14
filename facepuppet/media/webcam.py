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
from facepuppet.media.source import Source

BLACK_BELOW = 8.0  # mean of 0..255: darker than any room in which a face can be seen
BLACK_AFTER_S = 3.0  # cameras may start dark while their exposure settles
BACK_OFF_S = (0.25, 0.5, 1.0, 2.0)  # the last one repeats
DAMAGED_IN_A_ROW = 5  # pictures; fewer are skipped, more mean that the camera is gone
SLICE_S = 0.1  # close() never waits longer than this for a sleeping read()

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
        patience_s: float = 120.0,
        clock: Clock | None = None,
        opener: DeviceOpener = OpenCVDevice.open,
        cameras: ListCameras = list_cameras,
    ) -> None:
        self.live = True
        self.n_frames: int | None = None
        self.reconnecting = threading.Event()
        self.reconnects = 0
        self._asked = (size_px, fps)
        self._patience_s = patience_s
        self._clock = clock or SystemClock()
        self._opener = opener
        self._cameras = cameras
        self._closed = threading.Event()
        self._lock = threading.Lock()  # held while the device is used, so that close() cannot pull it away
        self._next_id = 0
        self._camera = find_camera(which, cameras())
        self.description = f"camera {self._camera}"
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

    def _reconnect(self) -> Frame | None:
        """Return the first picture of the camera that came back; None when close() was called."""
        log.warning("%s: lost, trying to reconnect", self.description)
        self.reconnecting.set()
        lost_ns = self._clock.now_ns()
        attempt = 0
        while not self._closed.is_set():
            frame = self._reopened()
            if frame is not None:
                log.warning("%s: back", self.description)
                self.reconnecting.clear()
                self.reconnects += 1
                return frame
            if self._clock.now_ns() - lost_ns > self._patience_s * 1e9:
                raise CameraMissingError(
                    f"{self.description}, gone for {self._patience_s:.0f} s",
                    "the camera to come back",
                    f"Plug it in and start again. {what_is_there(self._cameras())}",
                )
            self._pause(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
            attempt += 1
        return None

    def _reopened(self) -> Frame | None:
        self._release()
        try:
            self._camera = find_again(self._camera, self._cameras())
            self._device = self._opener(self._camera, *self._asked)
        except CaptureError as error:
            log.debug("%s: not back yet: %s", self.description, error)
            return None
        return self._grab()

    def _pause(self, duration_s: float) -> None:
        end_ns = self._clock.now_ns() + round(duration_s * 1e9)
        while not self._closed.is_set() and (left_ns := end_ns - self._clock.now_ns()) > 0:
            self._clock.sleep_s(min(SLICE_S, left_ns * 1e-9))

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
