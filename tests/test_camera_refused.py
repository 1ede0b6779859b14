"""Browsers that really deny a camera, or really have none: one clear line each."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("aiortc", reason="needs the extra `server`")
pytest.importorskip("playwright", reason="Playwright is not installed (extra dev)")

from host_stands import AnsweringHosts
from receptions import open_reception
from room_in_browser import chromium, chromium_path

FAKE = "--use-fake-device-for-media-stream"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ((FAKE, "--use-fake-ui-for-media-stream=deny"), "did not allow the camera and microphone."),
        (("--use-fake-ui-for-media-stream",), "There is no camera here. Plug one in"),
    ],
    ids=["denied", "missing"],
)
def test_a_browser_without_a_camera_is_told_why_and_what_to_do(
    tmp_path: Path, flags: tuple[str, ...], sentence: str
) -> None:
    if chromium_path() is None:
        pytest.skip("no chromium on PATH")
    if FAKE not in flags and list(Path("/dev").glob("video*")):
        pytest.skip("this machine has a camera")
    with open_reception(AnsweringHosts(), tmp_path) as opened, chromium(*flags) as browser:
        page = browser.new_context().new_page()
        page.goto(opened.address)
        page.wait_for_selector("#choose-view:not([hidden])")
        page.click("#start")
        page.wait_for_selector("#banner:not([hidden])")
        assert sentence in page.inner_text("#banner")
        assert not opened.hosts.asked
