"""VTube Studio's plug-in API as its pages say it behaves: token, refusal, errors, lost parameters."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

LOST_AFTER_S = 1.0
BUILT_IN = [
    "FacePositionX",
    "FacePositionY",
    "FacePositionZ",
    "FaceAngleX",
    "FaceAngleY",
    "FaceAngleZ",
    "MouthSmile",
    "MouthOpen",
    "Brows",
    "MousePositionX",
    "MousePositionY",
    "TongueOut",
    "EyeOpenLeft",
    "EyeOpenRight",
    "EyeLeftX",
    "EyeLeftY",
    "EyeRightX",
    "EyeRightY",
    "CheekPuff",
    "BrowLeftY",
    "BrowRightY",
    "MouthX",
    "FaceAngry",
    "VoiceFrequency",
    "VoiceVolume",
]


class ApiError(Exception):
    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number, self.message = number, message


class VtubeStudio:
    """One run of VTube Studio, without its window.

    Attributes:
        click: what its user does in the pop-up; None while nobody has clicked.
        tokens: that let plug-ins in.
        custom: parameters that plug-ins made, and which plug-in made each.
        face_found: what was said last.
        pop_ups: how often its user was asked.
    """

    def __init__(self) -> None:
        self.click: str | None = "allow"
        self.tokens: set[str] = set()
        self.custom: dict[str, str] = {}
        self.controlled_by_others: set[str] = set()
        self.api_on = True
        self.face_found: bool | None = None
        self.pop_ups = self.injections = 0
        self._values: dict[str, tuple[float, float]] = {}
        self._connections: set[ServerConnection] = set()

    def live(self) -> dict[str, float]:
        """Parameters that are not lost, and their values."""
        now_s = time.monotonic()
        return {k: v for k, (v, at_s) in list(self._values.items()) if now_s - at_s <= LOST_AFTER_S}

    def hang_up(self) -> None:
        for connection in list(self._connections):
            connection.close()

    @contextmanager
    def running(self, port: int = 0) -> Iterator[int]:
        """Serve on a port of this machine until the context ends."""
        server: Server = serve(self._talk, "127.0.0.1", port, compression=None)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            self.hang_up()
            server.shutdown()
            thread.join(10.0)

    def _talk(self, connection: ServerConnection) -> None:
        self._connections.add(connection)
        let_in: set[str] = set()
        with suppress(ConnectionClosed):
            for text in connection:
                connection.send(json.dumps(self._answer(json.loads(text), let_in)))
        self._connections.discard(connection)

    def _answer(self, asked: dict[str, Any], let_in: set[str]) -> dict[str, Any]:
        kind = str(asked.get("messageType"))
        answer = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "timestamp": 1625405710728}
        answer |= {
            "requestID": asked.get("requestID", "some"),
            "messageType": kind.replace("Request", "Response"),
        }
        try:
            if asked.get("apiName") != "VTubeStudioPublicAPI" or asked.get("apiVersion") != "1.0":
                raise ApiError(3, "API name invalid")
            if not self.api_on:
                raise ApiError(1, "API access is deactivated")
            return answer | {"data": self._data(kind, asked.get("data", {}), let_in)}
        except ApiError as error:
            return answer | {
                "messageType": "APIError",
                "data": {"errorID": error.number, "message": error.message},
            }

    def _data(self, kind: str, data: dict[str, Any], let_in: set[str]) -> dict[str, Any]:
        if kind == "AuthenticationTokenRequest":
            return {"authenticationToken": self._token(data)}
        if kind == "AuthenticationRequest":
            known = data["authenticationToken"] in self.tokens
            if known:
                let_in.add(data["authenticationToken"])
            return {"authenticated": known, "reason": "..."}
        if not let_in:
            raise ApiError(8, "Request requires authentication")
        if not let_in & self.tokens:
            raise ApiError(50, "User has denied API access for your plugin.")
        if kind == "ParameterCreationRequest":
            return self._create(data)
        if kind == "InjectParameterDataRequest":
            return self._inject(data)
        raise ApiError(7, f"Unknown request type {kind}")

    def _token(self, data: dict[str, Any]) -> str:
        if not all(3 <= len(data[name]) <= 32 for name in ("pluginName", "pluginDeveloper")):
            raise ApiError(52, "Plugin name invalid")
        self.pop_ups += 1
        while self.click is None:
            time.sleep(0.01)
        if self.click == "deny":
            raise ApiError(50, "User has denied API access for your plugin.")
        self.tokens.add(f"token-{self.pop_ups}")
        return f"token-{self.pop_ups}"

    def _create(self, data: dict[str, Any]) -> dict[str, Any]:
        name = data["parameterName"]
        if not (4 <= len(name) <= 32 and name.isascii() and name.isalnum()):
            raise ApiError(350, "Custom parameter name invalid")
        if name in BUILT_IN:
            raise ApiError(354, "Default parameter name")
        if self.custom.get(name, "facepuppet") != "facepuppet":
            raise ApiError(352, "Already created by other plugin")
        if not data["min"] < data["max"] or len(data.get("explanation", "")) > 255:
            raise ApiError(351, "Values invalid")
        self.custom[name] = "facepuppet"
        if sum(maker == "facepuppet" for maker in self.custom.values()) > 100:
            raise ApiError(355, "Limit per plugin exceeded")
        return {"parameterName": name}

    def _inject(self, data: dict[str, Any]) -> dict[str, Any]:
        told = data["parameterValues"]
        if not told:
            raise ApiError(450, "No data provided")
        for one in told:
            if not isinstance(one["value"], int | float) or abs(one["value"]) > 1_000_000:
                raise ApiError(451, "Value invalid")
            if one["id"] not in BUILT_IN and one["id"] not in self.custom:
                raise ApiError(453, f"Parameter {one['id']} not found")
            if one["id"] in self.controlled_by_others:
                raise ApiError(454, f"Parameter {one['id']} is controlled by another plugin")
        now_s = time.monotonic()
        self._values |= {one["id"]: (float(one["value"]), now_s) for one in told}
        self.face_found = bool(data.get("faceFound", False))
        self.injections += 1
        return {}
