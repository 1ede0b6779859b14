"""WHIP (RFC 9725) for programs that send a driver, and WHEP for those that take the puppet.

A WHIP client's offer sends a picture; what comes back is watched by WHEP, or on the watch page: the answer's
Link headers name both. There is no trickle ICE: offers bring their candidates along.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from facepuppet.server.http_answers import SDP, bearer, ice_links, offer_in, over_answer
from facepuppet.server.join_events import InLine, Seated
from facepuppet.server.join_message import Asked, driven_by, right_of
from facepuppet.server.join_socket import watch_path
from facepuppet.server.messages import Over, Why
from facepuppet.server.reception import Reception

_PATIENCE_S = 20.0  # for a host that starts


def whip_routes(reception: Reception) -> list[BaseRoute]:
    """Return what speaks WHIP and WHEP."""

    async def whip(request: Request) -> Response:
        secret = bearer(request)
        if reception.settings.tokens.find(secret) is None:
            return over_answer(Over(Why.REFUSED, "This access code is not known here."), 401)
        asked = _asked(request, secret, await offer_in(request))
        async with aclosing(reception.join(asked)) as events:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    event = await anext(events)
            except TimeoutError:
                return over_answer(Over(Why.FULL, "No host has answered in time.", again=True))
        if isinstance(event, InLine):
            return over_answer(
                Over(Why.FULL, f"All places are taken: place {event.place} in line.", again=True)
            )
        return over_answer(event) if isinstance(event, Over) else _created(event, reception)

    async def hang_up(request: Request) -> Response:
        is_known = reception.leave(request.path_params["ticket"], bearer(request))
        return Response(status_code=200 if is_known else 404)

    async def whep(request: Request) -> Response:
        name = request.path_params["name"]
        errand, answer = await reception.watch(name, bearer(request), await offer_in(request))
        headers = {"Location": f"/api/whep/{name}/{errand}"}
        return Response(answer, 201, headers, media_type=SDP)

    async def look_away(request: Request) -> Response:
        name, errand = request.path_params["name"], request.path_params["errand"]
        reception.unwatch(name, bearer(request), errand)
        return Response()

    return [
        Route("/api/whip", whip, methods=["POST"]),
        Route("/api/whip/{ticket}", hang_up, methods=["DELETE"]),
        Route("/api/whep/{name}", whep, methods=["POST"]),
        Route("/api/whep/{name}/{errand}", look_away, methods=["DELETE"]),
    ]


def _asked(request: Request, secret: str, offer: str) -> Asked:
    said = request.query_params
    right = None
    if "right" in said:
        right = right_of(said["right"], said.get("subject"), said.get("granted"))
    sound = said.get("sound", "true") != "false"
    return Asked(
        secret, said.get("avatar", ""), offer, right, driven_by(said.get("driven_by", "camera")), sound
    )


def _created(event: Seated, reception: Reception) -> Response:
    answer = Response(event.answer, 201, {"Location": f"/api/whip/{event.address.back}"}, media_type=SDP)
    for link in (
        *ice_links(reception.settings.ice_servers),
        f'<{watch_path(event)}>; rel="alternate"; type="text/html"',
        f'</api/whep/{event.address.name}>; rel="alternate"; type="{SDP}"',
    ):
        answer.headers.append("Link", link)
    return answer
