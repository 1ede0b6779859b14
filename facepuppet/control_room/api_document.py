"""The API's description, made of what can be asked of a run: as OpenAPI 3.1, and as a page to read."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from facepuppet.control_room.guard import MOST_PICTURE_BYTES
from facepuppet.control_room.room_work import THUMBNAIL_PX
from facepuppet.core.version import __version__
from facepuppet.session.verbs import VERBS, Choice, Number, Parameter, Switch, Verb, Word

_ERROR = {"$ref": "#/components/schemas/Problem"}
_REFUSALS = {
    "400": "What was sent does not fit.",
    "401": "The token is missing, or another one.",
    "403": "A page of another site asks.",
    "409": "It cannot be done now.",
    "413": "More was sent than is taken.",
    "421": "The request names another host.",
}


def api_document() -> dict[str, Any]:
    """Return the API as an OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "facepuppet control room",
            "version": __version__,
            "description": "Steers one live run on this machine. The token is in the address that it prints.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"query": []}],
        "paths": {
            **_look_paths(),
            **{f"/api/do/{verb.name}": {"post": _do(verb)} for verb in VERBS.values()},
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
            "schemas": {"Problem": _problem_schema()},
        },
    }


@cache
def api_page() -> str:
    """Return the document as HTML that loads nothing but the page's own style."""
    import jinja2

    template = (files("facepuppet") / "control_room" / "api.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(document=api_document())


def _look_paths() -> dict[str, Any]:
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    picture = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
    return {
        "/api/state": {"get": _answers("state", "How the run stands.", _json({"type": "object"}))},
        "/api/verbs": {
            "get": _answers(
                "verbs", "All that can be asked of it.", _json({"type": "array", "items": {"type": "object"}})
            )
        },
        "/api/stage": {
            "get": _answers(
                "stage", "The address of the page that shows the puppet alone.", _json({"type": "object"})
            )
        },
        "/api/avatars/{name}": {
            "get": _answers(
                "avatar-picture",
                f"A puppet's portrait as a JPEG, its longer side {THUMBNAIL_PX} px.",
                {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            ),
            "parameters": [name],
        },
        "/api/background": {
            "post": {
                **_answers(
                    "send-background",
                    f"Put the puppet before a picture of at most {MOST_PICTURE_BYTES:,} bytes.",
                    _json(_done_schema("background")),
                ),
                "requestBody": {"required": True, "content": picture},
            }
        },
    }


def _do(verb: Verb) -> dict[str, Any]:
    operation = _answers(f"do-{verb.name}", verb.meaning, _json(_done_schema(verb.name)))
    required = [one.name for one in verb.parameters if not _may_be_left_out(one)]
    schema = {
        "type": "object",
        "properties": {one.name: _schema(one) for one in verb.parameters},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
    operation["requestBody"] = {"required": bool(required), "content": _json(schema)}
    return operation


def _answers(name: str, meaning: str, content: dict[str, Any]) -> dict[str, Any]:
    refusals = {code: {"description": why, "content": _json(_ERROR)} for code, why in _REFUSALS.items()}
    return {
        "operationId": name,
        "summary": meaning,
        "responses": {"200": {"description": "Done.", "content": content}, **refusals},
    }


def _schema(parameter: Parameter) -> dict[str, Any]:
    told: dict[str, Any] = {"description": parameter.meaning}
    match parameter:
        case Switch():
            return {**told, "type": ["boolean", "null"]}
        case Choice():
            return {**told, "type": "string", "enum": list(parameter.words)}
        case Number():
            number = {"type": "number", "minimum": parameter.low, "maximum": parameter.high}
            return (
                {**told, **number}
                if not parameter.can_be_off
                else {**told, "anyOf": [number, {"const": "off"}]}
            )
        case Word(words=words):
            known = {"examples": list(words)} if words else {}
            return {**told, "type": "string", "minLength": 1, "maxLength": 1000, **known}


def _may_be_left_out(parameter: Parameter) -> bool:
    return isinstance(parameter, Switch) or (isinstance(parameter, Number) and parameter.can_be_off)


def _done_schema(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {"done": {"const": name}}, "required": ["done"]}


def _problem_schema() -> dict[str, Any]:
    sentences = {name: {"type": "string"} for name in ("got", "expected", "todo")}
    told = {"type": "object", "properties": sentences, "required": list(sentences)}
    return {"type": "object", "properties": {"error": told}, "required": ["error"]}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
