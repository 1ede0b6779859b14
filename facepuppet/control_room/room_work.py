"""What the server does for those who ask, off the loop that answers them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facepuppet.control_room.answers import dumps
from facepuppet.control_room.daemon_worker import DaemonWorker
from facepuppet.control_room.page_pictures import PagePictures
from facepuppet.control_room.page_preview import PagePreview
from facepuppet.core.clock import Clock, SystemClock
from facepuppet.core.errors import FacepuppetError, ImageUnreadableError
from facepuppet.core.files import write_whole
from facepuppet.media.pictures import decode_picture
from facepuppet.media.small_jpeg import thumbnail_jpeg
from facepuppet.session.show import Show

STATE_HZ = 4
THUMBNAIL_PX = 160
_AT_ONCE = "panic"  # waits for nothing that was asked for before, such as a large background
_KEPT_BACKGROUNDS = 20


class RoomWork:
    """One worker makes pictures and looks at the run, another does what is asked for, in its order.

    Args:
        show: the run.
        preview: keeps what goes out.
        folder: where backgrounds that somebody sends are kept, the newest few.
        clock: tells when.

    Attributes:
        show, preview, clock: as given.
        pictures: for whoever looks.
    """

    def __init__(self, show: Show, preview: PagePreview, folder: Path, clock: Clock | None = None) -> None:
        self.show, self.preview, self.clock = show, preview, clock or SystemClock()
        self._looks = DaemonWorker("page pictures")
        self._orders = DaemonWorker("page orders")
        self.pictures = PagePictures(show, preview, self._looks, self.clock)
        self._folder = folder
        self._thumbnails: dict[str, tuple[object, bytes]] = {}
        self._state: asyncio.Future[str] | None = None
        self._state_ns = 0

    async def do(self, verb: str, values: Mapping[str, Any]) -> None:
        """Ask the run for something by name.

        Raises:
            FacepuppetError: what the run says to it.
        """
        if verb == _AT_ONCE:
            self.show.do(verb, values)
        else:
            await asyncio.get_running_loop().run_in_executor(self._orders, self.show.do, verb, values)

    async def state_text(self) -> str:
        """Return how things stand as JSON, looked at once for all who ask in the same quarter of a second."""
        now_ns, state = self.clock.now_ns(), self._state
        failed = state is not None and state.done() and state.exception() is not None
        if state is None or failed or now_ns - self._state_ns > 0.8e9 / STATE_HZ:
            self._state_ns = now_ns
            self._state = state = asyncio.get_running_loop().run_in_executor(
                self._looks, lambda: dumps({"type": "state", **self.show.to_json()})
            )
        return await asyncio.shield(state)

    async def thumbnail(self, name: str) -> bytes:
        """Return a puppet's portrait as a small JPEG.

        Raises:
            ControlError: there is no such puppet.
        """
        avatar = self.show.avatar(name)
        kept = self._thumbnails.get(name)
        if kept is None or kept[0] is not avatar:
            kept = (
                avatar,
                await asyncio.get_running_loop().run_in_executor(
                    self._looks, thumbnail_jpeg, avatar.portrait_rgb, THUMBNAIL_PX
                ),
            )
            self._thumbnails[name] = kept
        return kept[1]

    async def background(self, picture: bytes) -> None:
        """Put the puppet before a picture that somebody sends; it is kept, so that its word stays good.

        Raises:
            ImageUnreadableError: it is no picture.
            OutputUnwritableError: it cannot be kept.
        """
        await asyncio.get_running_loop().run_in_executor(self._orders, self._put_before, picture)

    def close(self) -> None:
        """Let no more be done; what is being done is not waited for."""
        for worker in (self._looks, self._orders):
            worker.shutdown()

    def _put_before(self, picture: bytes) -> None:
        if not picture:
            raise ImageUnreadableError("no picture", "the bytes of one", "Send a JPEG, PNG or WebP picture.")
        decode_picture(picture, name="the new background")
        path = self._folder / f"background-{hashlib.sha256(picture).hexdigest()[:12]}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise FacepuppetError(
                f"{self._folder} ({error.strerror})", "a folder that can be written", "Free some space."
            ) from error
        write_whole(path, picture, private=True)
        self.show.do("background", {"word": str(path)})
        kept = sorted(self._folder.glob("background-*"), key=lambda one: one.stat().st_mtime)
        for old in kept[:-_KEPT_BACKGROUNDS]:
            old.unlink(missing_ok=True)
