"""The program of facepuppet/server/CHATBOT.md, run as it stands there, at a server of this process."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from fakes import PATIENCE_S, wait_until
from spoken import silence, vowel, write_wav

pytest.importorskip("aiortc", reason="needs the extra 'server'")
import uvicorn

from facepuppet.server.messages import Join, Told
from facepuppet.server.reception import Reception
from facepuppet.server.reception_app import reception_app
from facepuppet.server.reception_settings import ReceptionSettings
from facepuppet.server.session_host import SessionHost
from facepuppet.server.token_file import one_token

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="commands of POSIX"),
]
PAGE = Path(__file__).resolve().parents[1] / "facepuppet/server/CHATBOT.md"


class OneHost:
    """A host in the reception's own process."""

    def __init__(self, speaks: str | None) -> None:
        self.speaks = speaks
        self.reception: Reception | None = None
        self._host: SessionHost | None = None

    async def perform(self, join: Join) -> AsyncIterator[Told]:
        assert self.reception is not None
        self._host = self._host or SessionHost(self.reception, 1, speaks=self.speaks)
        async for told in self._host.perform(join):
            yield told

    async def seats(self) -> tuple[int, int]:
        return 1, 0 if self._host is None else self._host.taken


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server's address and token; what it reads out is always the same."""
    said = np.concatenate([silence(0.1), vowel(0.4), silence(0.1)])
    tokens, secret = one_token()
    host = OneHost(f"cat {write_wav(tmp_path / 'said.wav', said)}")
    reception = Reception(host, ReceptionSettings(tokens, consent_folder=tmp_path / "consents"))
    host.reception = reception
    listening = socket.create_server(("127.0.0.1", 0))
    served = uvicorn.Server(uvicorn.Config(reception_app(reception), log_level="warning"))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]})
    thread.start()
    wait_until(lambda: served.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}", secret
    served.should_exit = True
    thread.join(PATIENCE_S)
    listening.close()


def chatbot(folder: Path, lines: str, *words: str) -> subprocess.CompletedProcess[str]:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (folder / "chatbot.py").write_text(program, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "chatbot.py", *words],
        cwd=folder,
        input=lines,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_chatbot_speaks_and_saves_what_is_seen_and_heard(server: tuple[str, str], tmp_path: Path) -> None:
    address, token = server
    ran = chatbot(tmp_path, "Good morning.\n/shout\n", token, address)
    assert ran.returncode == 0, ran.stderr
    assert "/watch/" in ran.stderr and "a command that is none" in ran.stderr
    with av.open(str(tmp_path / "seen.mp4")) as film:
        pictures = list(film.decode(film.streams.video[0]))
    with av.open(str(tmp_path / "heard.wav")) as voice:
        samples = np.concatenate([frame.to_ndarray()[0, ::2] for frame in voice.decode(audio=0)])
    assert len(pictures) > 10 and (pictures[0].width, pictures[0].height) == (640, 360)
    assert 0.1 < np.count_nonzero(np.abs(samples) > 1500) / 48_000 < 0.6  # said once
