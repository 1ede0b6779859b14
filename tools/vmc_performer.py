"""What a VMC performer says, as an avatar program hears it by python-osc."""

from __future__ import annotations

import threading
from typing import Any

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer


class VmcPerformer:
    """Listens on a port of this machine until it is closed; a frame is whole once expressions are applied.

    Attributes:
        port: that it listens on.
        frames: what came: t_s by the performer's clock, expressions by name, bones' quaternions x y z w.
    """

    def __init__(self) -> None:
        self._expressions: dict[str, float] = {}
        self._bones: dict[str, tuple[float, ...]] = {}
        self._t_s = 0.0
        self.frames: list[dict[str, Any]] = []
        dispatcher = Dispatcher()
        dispatcher.map("/VMC/Ext/T", self._time)
        dispatcher.map("/VMC/Ext/Bone/Pos", self._bone)
        dispatcher.map("/VMC/Ext/Blend/Val", self._value)
        dispatcher.map("/VMC/Ext/Blend/Apply", self._apply)
        self._server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        """Hear no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _time(self, _: str, t_s: float) -> None:
        self._t_s = t_s

    def _bone(self, _: str, name: str, *pose: float) -> None:
        self._bones[name] = pose[3:7]

    def _value(self, _: str, name: str, value: float) -> None:
        self._expressions[name] = value

    def _apply(self, _: str) -> None:
        told = {"expressions": dict(self._expressions), "bones": dict(self._bones)}
        self.frames.append({"t_s": self._t_s, **told})
