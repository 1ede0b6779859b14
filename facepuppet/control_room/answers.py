"""What the API says, and how it reads what it is told: bounded in length and depth, plain JSON only."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.responses import Response

from facepuppet.core.errors import ControlError, FacepuppetError, ImageUnreadableError

MOST_MESSAGE_BYTES = 65_536  # of JSON that somebody sends
_DEEPEST = 4  # of objects and lists in each other


class TooMuchError(ControlError):
    """More was sent than is taken."""

    def __init__(self, most: int) -> None:
        super().__init__("more than is taken here", f"at most {most} bytes", "Send less.")


def dumps(values: Any) -> str:
    """Return strict JSON in ASCII: any word may be in it, half a surrogate pair too."""
    return json.dumps(values, allow_nan=False, separators=(",", ":"))


def json_answer(values: Any, status: int = 200) -> Response:
    """Return plain values as an answer."""
    return Response(dumps(values), status, media_type="application/json")


def error_answer(problem: FacepuppetError, status: int | None = None) -> Response:
    """Return a problem as an answer.

    Args:
        problem: what is wrong.
        status: of HTTP; None: 413 where too much was sent, 400 where it is wrong, 409 where it cannot be
            done now.
    """
    if status is None and isinstance(problem, TooMuchError):
        status = 413
    if status is None:
        status = 400 if isinstance(problem, ControlError | ImageUnreadableError) else 409
    return json_answer({"error": as_values(problem)}, status)


def as_values(problem: FacepuppetError) -> dict[str, str]:
    """Return the three sentences of an error by their names."""
    return {"got": problem.got, "expected": problem.expected, "todo": problem.todo}


def read_object(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object, which nothing at all stands for as well, empty.

    Raises:
        ControlError: no JSON, not an object, too long, too deep, or with numbers that are none.
    """
    if not text:
        return {}
    if len(text) > MOST_MESSAGE_BYTES:
        raise _no_object(f"{len(text)} bytes")
    try:
        values = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _no_object("something else") from error
    if not isinstance(values, dict):
        raise _no_object(f"a {type(values).__name__}")
    if _is_deeper(values, _DEEPEST):
        raise _no_object("lists in lists")
    return values


def _is_deeper(values: Any, levels: int) -> bool:
    """Say whether objects and lists are in each other deeper than so many levels."""
    layer = [values]
    for _ in range(levels + 1):
        inner: list[Any] = []
        for one in layer:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        if not inner:
            return False
        layer = inner
    return True


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _no_object(what: str) -> ControlError:
    return ControlError(
        what,
        f"a JSON object of at most {MOST_MESSAGE_BYTES} bytes and {_DEEPEST} levels",
        "Correct what is sent.",
    )
