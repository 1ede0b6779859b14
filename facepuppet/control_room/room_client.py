"""Speaks to a run on this machine, with nothing but the standard library: a panic waits for no import."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facepuppet.control_room.loopback_port import HOST
from facepuppet.control_room.run_file import Running, find_running
from facepuppet.core.errors import ControlError, ControlRoomError

_PATIENCE_S = 10.0


class RoomClient:
    """One run that is spoken to.

    Args:
        running: how to reach it.
    """

    def __init__(self, running: Running) -> None:
        self._running = running

    def ask(self, method: str, path: str, values: Mapping[str, Any] | None = None) -> Any:
        """Send one request; returns the plain values of the answer.

        Raises:
            ControlError: the run does not do that; it says why.
            ControlRoomError: it does not answer.
        """
        body = None if values is None else json.dumps(values)
        headers = {"Authorization": f"Bearer {self._running.token}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(HOST, self._running.port, timeout=_PATIENCE_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ControlRoomError(
                f"no answer from the run at port {self._running.port} ({error or type(error).__name__})",
                "a run that answers",
                "See whether it still runs.",
            ) from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise ControlError(*(str(told["error"][name]) for name in ("got", "expected", "todo")))
        return told

    def verbs(self) -> dict[str, dict[str, Any]]:
        """Return all that can be asked of it, by name (see the API)."""
        return {verb["name"]: verb for verb in self.ask("GET", "/api/verbs")}

    def do(self, verb: str, words: list[str]) -> None:
        """Ask for something, with the values of its parameters in their order.

        Raises:
            ControlError: there is no such thing, or a value does not fit.
            ControlRoomError: the run does not answer.
        """
        verbs = self.verbs()
        if verb not in verbs:
            raise ControlError(repr(verb[:60]), f"one of state, {', '.join(verbs)}", "Correct the word.")
        names = [parameter["name"] for parameter in verbs[verb]["parameters"]]
        if len(words) > len(names):
            raise ControlError(
                f"{verb} with {len(words)} values",
                f"{verb} {' '.join(map(str.upper, names))}".strip(),
                "Put a value of several words in quotes.",
            )
        if verb == "background":  # the run may have been started in another folder
            words = [str(Path(word).absolute()) if Path(word).is_file() else word for word in words]
        self.ask("POST", f"/api/do/{verb}", dict(zip(names, words, strict=False)))


def find_room(port: int | None = None, folder: Path | None = None) -> RoomClient:
    """Return the one run that is there.

    Args:
        port: of its control room; None where there is only one.
        folder: where runs are told (see `run_file.told`).

    Raises:
        ControlRoomError: none runs, none at that port, or several do.
    """
    running = find_running(folder)
    ports = ", ".join(str(one.port) for one in running)
    if not running:
        raise ControlRoomError("no run on this machine", "one with a control room", "Start `facepuppet run`.")
    fitting = [one for one in running if port in (None, one.port)]
    if not fitting:
        raise ControlRoomError(f"port {port}, where no run is", f"one of {ports}", "Correct the port.")
    if len(fitting) > 1:
        raise ControlRoomError(f"{len(fitting)} runs", "one", f"Say which, with --port: {ports}.")
    return RoomClient(fitting[0])
