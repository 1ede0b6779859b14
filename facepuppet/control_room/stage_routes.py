"""The stage: a bare page that shows the puppet alone, transparent around it, for OBS's browser source."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from facepuppet.control_room.answers import json_answer
from facepuppet.control_room.room_work import RoomWork
from facepuppet.control_room.stage_socket import StageSockets

_PAGE = Path(__file__).with_name("stage")
_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}


def stage_routes(work: RoomWork, address: str) -> list[BaseRoute]:
    """Return the page, its socket, and where to learn its address.

    Args:
        work: what is done for those who ask.
        address: of the page, with the token that lets in to it.
    """
    sockets = StageSockets(work.preview.stage, work.clock)

    async def page(request: Request) -> Response:
        path = _PAGE / request.path_params.get("name", "index.html")
        if path not in _PAGE.iterdir():
            raise HTTPException(404)
        return Response(path.read_bytes(), media_type=_TYPES[path.suffix])

    async def told(request: Request) -> Response:
        return json_answer({"address": address})

    return [
        Route("/stage", page),
        Route("/stage/{name}", page),
        Route("/api/stage", told),
        WebSocketRoute("/api/stage", sockets.serve),
    ]
