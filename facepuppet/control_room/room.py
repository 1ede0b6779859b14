"""The control room of a run: opened with it, closed with it, and never in its way."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from facepuppet.control_room import loopback_port, run_file
from facepuppet.control_room.page_preview import PagePreview
from facepuppet.control_room.room_server import RoomServer
from facepuppet.control_room.stage_token import stage_address, stage_token
from facepuppet.session.show import Show

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from facepuppet.control_room.room_work import RoomWork

_TOKEN_BYTES = 32


class ControlRoom:
    """Serves the page and the API of a run on this machine, for as long as it is entered.

        preview = PagePreview(canvas_px)
        with LivePipeline(driver, puppet, [camera, preview]) as live:
            with ControlRoom(Show(live), preview) as room:
                print(room.address)
                live.run()

    The port is taken at once; nothing else is done before somebody connects, and nothing that happens to
    the server ends the show.

    Args:
        show: the run.
        preview: one of its sinks.
        port: to serve on, 0 for any; None for the first free one from 8765 on.
        folder: where other programs of this user find runs, and sent backgrounds are kept; the user's own
            folders if None.

    Raises:
        ControlRoomError: on entering, where no port can be taken.
    """

    def __init__(
        self, show: Show, preview: PagePreview, port: int | None = None, *, folder: Path | None = None
    ) -> None:
        self._show, self._preview, self._wanted, self._folder = show, preview, port, folder
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._stage_token = ""
        self._open = ExitStack()
        self._work: RoomWork | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """Of the page, with the token that lets in."""
        return run_file.this_run(self.port, self._token).address

    @property
    def stage_address(self) -> str:
        """Of the page that shows the puppet alone; the same in every run on this port."""
        return stage_address(self.port, self._stage_token)

    def __enter__(self) -> ControlRoom:
        self._stage_token = stage_token(self._folder)
        listening = loopback_port.bind(self._wanted)
        self.port = listening.getsockname()[1]
        server = RoomServer(listening, self._app, self._preview.begun)
        with ExitStack() as opened:
            running = run_file.this_run(self.port, self._token)
            opened.enter_context(run_file.told(running, self._folder and self._folder / "running"))
            server.start()
            opened.callback(server.stop)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        if self._work is not None:
            self._work.close()

    def _app(self) -> ASGIApp:
        """Make what is served; in the server's thread, when the first one connects."""
        import platformdirs

        from facepuppet.control_room.room_work import RoomWork
        from facepuppet.control_room.routes import room_app

        folder = self._folder or Path(platformdirs.user_data_dir("facepuppet", appauthor=False))
        self._work = RoomWork(self._show, self._preview, folder / "backgrounds")
        return room_app(self._work, self._token, self.port, self._stage_token)
