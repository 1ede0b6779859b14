"""How the reception's refusals are said over HTTP, and how a bearer says who they are."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facepuppet.core.errors import FacepuppetError
from facepuppet.server.messages import IceServer, Over, Why
from facepuppet.server.seat import RefusedError

SDP = "application/sdp"
_RETRY_S = 10
_STATUS = {Why.REFUSED: 400, Why.REVOKED: 403, Why.LEFT: 404}  # of others: 503, as they may do later


def over_values(over: Over) -> dict[str, Any]:
    """Return an end as plain values."""
    return {"over": {"why": over.why.value, "sentence": over.sentence, "again": over.again}}


def over_answer(over: Over, status: int | None = None) -> Response:
    """Return an end as an answer; with when to try again where that makes sense."""
    status = status or _STATUS.get(over.why, 503)
    headers = {"Retry-After": str(_RETRY_S)} if status == 503 else None
    return JSONResponse(over_values(over), status, headers)


def bearer(request: Request) -> str:
    """Return the secret that comes with a request.

    Raises:
        HTTPException: none does.
    """
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return secret.strip()


async def offer_in(request: Request) -> str:
    """Return the SDP that comes with a request.

    Raises:
        HTTPException: something else does.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
        raise HTTPException(415, f"Content-Type: {SDP}")
    try:
        return (await request.body()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise HTTPException(400, "no SDP") from error


def ice_links(servers: tuple[IceServer, ...]) -> list[str]:
    """Return STUN and TURN servers as values of Link headers (RFC 9725, 4.6)."""
    links = []
    for one in servers:
        link = f'<{one.url}>; rel="ice-server"'
        if one.username:
            link += f'; username="{one.username}"; credential="{one.credential}"; credential-type="password"'
        links.append(link)
    return links


def ice_values(servers: tuple[IceServer, ...]) -> list[dict[str, str]]:
    """Return STUN and TURN servers as a page's RTCPeerConnection takes them."""
    return [
        {
            "urls": one.url,
            **({"username": one.username, "credential": one.credential} if one.username else {}),
        }
        for one in servers
    ]


async def as_over(request: Request, error: Exception) -> Response:
    """Answer with a refusal or an error of ours."""
    if isinstance(error, RefusedError):
        return over_answer(error.over)
    if isinstance(error, HTTPException):
        answer = over_answer(Over(Why.REFUSED, f"{error.detail}."), error.status_code)
        answer.headers.update(error.headers or {})
        return answer
    assert isinstance(error, FacepuppetError)
    return over_answer(Over(Why.REFUSED, str(error)))


async def as_unforeseen(request: Request, error: Exception) -> Response:
    """Answer where something failed."""
    return over_answer(Over(Why.FAILED, "Something failed here: please try again.", again=True), 500)
