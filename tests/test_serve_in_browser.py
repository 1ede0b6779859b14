"""The whole server: Ray, the page in a real Chromium, a puppet with its mark."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra facepuppet[server]")
pytest.importorskip("aiortc", reason="needs the extra facepuppet[server]")

from room_in_browser import chromium_path
from serve_delay import render_person
from serve_in_browser import measure, running_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium_path() is None, reason="needs Chromium"),
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg"),
]


def test_two_people_perform_in_chromium_and_what_they_see_is_marked(tmp_path: Path) -> None:
    render_person(clip := tmp_path / "person.y4m", (640, 360))
    with running_server() as (url, code, pid):
        told = "\n".join(asyncio.run(measure(url, code, pid, 2, 6.0, clip)))
    rates = [float(rate) for rate in re.findall(r"decoded_fps (\S+)", told)]
    # How many a machine of its own shows is measured elsewhere.
    assert len(rates) == 2 and min(rates) > 3, told
    assert len(set(re.findall(r"mark ([0-9a-f]{16})", told))) == 2, told
