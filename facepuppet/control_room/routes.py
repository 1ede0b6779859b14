"""What is where on the control room's server."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from facepuppet.control_room.answers import error_answer, json_answer, read_object
from facepuppet.control_room.api_document import api_document, api_page
from facepuppet.control_room.guard import Guard
from facepuppet.control_room.live_socket import LiveSockets
from facepuppet.control_room.room_work import RoomWork
from facepuppet.control_room.stage_routes import stage_routes
from facepuppet.control_room.stage_token import stage_address
from facepuppet.control_room.verbs_json import all_verbs
from facepuppet.core.errors import ControlError, FacepuppetError
from facepuppet.session.verbs import VERBS

PAGE = Path(__file__).with_name("page")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def room_app(work: RoomWork, token: str, port: int, stage_token: str) -> ASGIApp:
    """Return the guarded application.

    Args:
        work: what is done for those who ask.
        token: that lets them in.
        port: of the server.
        stage_token: that lets them look at the stage alone.
    """
    sockets = LiveSockets(work)
    routes = [*_page_routes(), *_look_routes(work), *_ask_routes(work)]
    routes.append(WebSocketRoute("/api/live", sockets.serve))
    routes += stage_routes(work, stage_address(port, stage_token))
    handlers = {HTTPException: _as_json, FacepuppetError: _as_problem, Exception: _as_unforeseen}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), token, port, stage_token)


def _page_routes() -> list[BaseRoute]:
    async def page(request: Request) -> Response:
        return _file("index.html")

    async def asset(request: Request) -> Response:
        return _file(request.path_params["name"])

    return [Route("/", page), Route("/assets/{name}", asset)]


def _look_routes(work: RoomWork) -> list[BaseRoute]:
    """Return what only looks."""

    async def verbs(request: Request) -> Response:
        return json_answer(all_verbs())

    async def state(request: Request) -> Response:
        return Response(await work.state_text(), media_type="application/json")

    async def avatar(request: Request) -> Response:
        return Response(await work.thumbnail(request.path_params["name"]), media_type="image/jpeg")

    async def document(request: Request) -> Response:
        return json_answer(api_document())

    async def readable(request: Request) -> Response:
        return Response(api_page(), media_type="text/html")

    return [
        Route("/api", readable),
        Route("/api/openapi.json", document),
        Route("/api/verbs", verbs),
        Route("/api/state", state),
        Route("/api/avatars/{name:path}", avatar),
    ]


def _ask_routes(work: RoomWork) -> list[BaseRoute]:
    """Return what asks for something."""

    async def do(request: Request) -> Response:
        verb, body = request.path_params["verb"], await request.body()
        if verb not in VERBS:
            problem = ControlError(f"{verb[:60]!r}", f"one of {', '.join(VERBS)}", "Correct the word.")
            return error_answer(problem, 404)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            expected, todo = "Content-Type: application/json", "Say so with what is sent."
            return error_answer(ControlError(f"{kind[:60]!r}", expected, todo), 415)
        await work.do(verb, read_object(body))
        return json_answer({"done": verb})

    async def background(request: Request) -> Response:
        await work.background(await request.body())
        return json_answer({"done": "background"})

    return [
        Route("/api/do/{verb}", do, methods=["POST"]),
        Route("/api/background", background, methods=["POST"]),
    ]


def _file(name: str) -> Response:
    """Return a file of the page's folder; nothing else can be named."""
    path = PAGE / name
    if path.suffix not in _TYPES or name not in {one.name for one in PAGE.iterdir()}:
        raise HTTPException(404)
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])


async def _as_json(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = ControlError(
        f"{request.method} {request.url.path[:80]}",
        "what /api tells",
        f"{error.detail}: correct the address.",
    )
    answer = error_answer(problem, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _as_unforeseen(request: Request, error: Exception) -> Response:
    problem = ControlError("something that nobody foresaw", "an answer", "The show goes on as it was.")
    return error_answer(problem, 500)


async def _as_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, FacepuppetError)
    return error_answer(error)
