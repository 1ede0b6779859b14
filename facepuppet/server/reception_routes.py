"""What is where on the reception's server, but for WHIP and WHEP."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from facepuppet.server.avatar_shelf import OnShelf
from facepuppet.server.http_answers import bearer, ice_values
from facepuppet.server.join_socket import JoinSockets
from facepuppet.server.reception import Reception
from facepuppet.server.token_file import Token

PAGE = Path(__file__).with_name("page")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def page_routes() -> list[BaseRoute]:
    """Return the two pages and what belongs to them."""

    async def join(request: Request) -> Response:
        return _file("join.html")

    async def watch(request: Request) -> Response:
        return _file("watch.html")

    async def asset(request: Request) -> Response:
        return _file(request.path_params["name"])

    return [Route("/", join), Route("/watch/{name}", watch), Route("/assets/{name}", asset)]


def ask_routes(reception: Reception) -> list[BaseRoute]:
    """Return what pages and operators ask."""

    async def avatars(request: Request) -> Response:
        token = _token(reception, request)
        offered = [one for one in reception.shelf.all() if token.may_wear(one.name, one.sha256)]
        return JSONResponse([_values(one) for one in offered])

    async def picture(request: Request) -> Response:
        token, one = _token(reception, request), reception.shelf.get(request.path_params["sha256"])
        if one is None or not token.may_wear(one.name, one.sha256):
            raise HTTPException(404)
        return Response(one.picture, media_type="image/jpeg")

    async def ice(request: Request) -> Response:
        _token(reception, request)
        return JSONResponse(ice_values(reception.settings.ice_servers))

    async def ice_to_watch(request: Request) -> Response:
        reception.check_watcher(request.path_params["name"], bearer(request))
        return JSONResponse(ice_values(reception.settings.ice_servers))

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(request: Request) -> Response:
        trouble = await reception.trouble()
        return JSONResponse({"ready": not trouble, "why": trouble}, 503 if trouble else 200)

    return [
        Route("/api/avatars", avatars),
        Route("/api/avatars/{sha256}/picture", picture),
        Route("/api/ice", ice),
        Route("/api/whep/{name}/ice", ice_to_watch),
        WebSocketRoute("/api/join", JoinSockets(reception).serve),
        Route("/health", health),
        Route("/ready", ready),
    ]


def _token(reception: Reception, request: Request) -> Token:
    token = reception.settings.tokens.find(bearer(request))
    if token is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return token


def _values(one: OnShelf) -> dict[str, str | None]:
    right = None if one.statement is None else one.statement.sentence()
    return {
        "id": one.sha256,
        "name": one.name,
        "picture": f"/api/avatars/{one.sha256}/picture",
        "right": right,
    }


def _file(name: str) -> Response:
    """Return a file of the pages' folder; nothing else can be named."""
    path = PAGE / name
    if path.suffix not in _TYPES or name not in {one.name for one in PAGE.iterdir()}:
        raise HTTPException(404)
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])
