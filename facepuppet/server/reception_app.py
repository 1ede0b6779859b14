"""The reception as an ASGI application: for Ray Serve, or for any server of such."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from facepuppet.core.errors import FacepuppetError
from facepuppet.server.http_answers import as_over, as_unforeseen
from facepuppet.server.reception import Reception
from facepuppet.server.reception_guard import ReceptionGuard
from facepuppet.server.reception_routes import ask_routes, page_routes
from facepuppet.server.seat import RefusedError
from facepuppet.server.whip_routes import whip_routes


def reception_app(reception: Reception) -> ASGIApp:
    """Return the guarded application; its lifespan starts and stops the reception."""

    @asynccontextmanager
    async def open_house(app: Starlette) -> AsyncIterator[None]:
        await reception.start()
        yield
        await reception.stop()

    others = Middleware(
        CORSMiddleware,
        allow_origins=list(reception.settings.origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["authorization", "content-type"],
        expose_headers=["location", "link", "retry-after"],
    )
    app = Starlette(
        routes=[*page_routes(), *ask_routes(reception), *whip_routes(reception)],
        middleware=[others] if reception.settings.origins else [],
        exception_handlers={
            HTTPException: as_over,
            FacepuppetError: as_over,
            RefusedError: as_over,
            Exception: as_unforeseen,
        },
        lifespan=open_house,
    )
    return ReceptionGuard(app, reception.settings.origins)
