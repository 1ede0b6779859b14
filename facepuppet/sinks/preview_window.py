"""A preview window on this machine's screen."""

from __future__ import annotations

import os
import platform
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import cv2

from facepuppet.core.errors import WindowUnavailableError
from facepuppet.sinks.sink import Sink
from facepuppet.watermark import Marked

X11_SOCKETS = Path("/tmp/.X11-unix")  # where the X server listens, by protocol


class PreviewWindow(Sink):
    """Shows each frame in a window; closing the window ends the sink with an error.

    The window belongs to the thread that sends first. On macOS only the main thread may.

    Args:
        size_px: width and height of the frames.
        title: shown above them.

    Attributes:
        on_key: called with the character of a key that is pressed in the window, from the sending thread.

    Raises:
        WindowUnavailableError: no display.
    """

    def __init__(self, size_px: tuple[int, int], title: str = "facepuppet preview") -> None:
        if not display_reachable():
            raise WindowUnavailableError(
                f"no display (DISPLAY is {os.environ.get('DISPLAY', 'not set')!r})",
                "a desktop session",
                "Start it from a desktop, or use a file or the virtual camera instead.",
            )
        self.size_px = size_px
        self.description = f"window {title!r}"
        self.on_key: Callable[[str], None] | None = None
        self._title = title
        self._shown = False

    def _write(self, frame: Marked, pts_s: float | None) -> None:
        if not self._shown:
            self._open()
        elif cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise WindowUnavailableError(
                "a closed preview window", "an open one", "Start again to see the preview."
            )
        cv2.imshow(self._title, cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2BGR))
        pressed = cv2.waitKey(1)  # also lets the window system draw
        if pressed >= 0 and self.on_key is not None:
            self.on_key(chr(pressed & 0xFF))

    def close(self) -> None:
        """Close the window."""
        if self._shown:
            self._shown = False
            cv2.destroyWindow(self._title)
            cv2.waitKey(1)

    def _open(self) -> None:
        on_main = threading.current_thread() is threading.main_thread()
        if platform.system() == "Darwin" and not on_main:
            raise WindowUnavailableError(
                "a preview window in a background thread",
                "the main thread, which macOS demands",
                "Use the virtual camera or a file on macOS.",
            )
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._title, *self.size_px)
        self._shown = True


def display_reachable() -> bool:
    """Tell whether a window can be opened; asked first because Qt ends the whole process when not."""
    if platform.system() != "Linux":
        return True
    host, _, rest = os.environ.get("DISPLAY", "").rpartition(":")
    number = rest.partition(".")[0]
    if not number.isdigit():
        return False
    try:
        if host in ("", "unix"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(X11_SOCKETS / f"X{number}"))
        else:
            socket.create_connection((host, 6000 + int(number)), timeout=2.0).close()
    except OSError:
        return False
    return True
