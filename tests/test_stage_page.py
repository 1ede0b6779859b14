"""The stage's page in a real Chromium: the puppet alone, clear around it, for as long as there is a run."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from compare import JPEG, MARK, Tolerance, assert_pictures_equal
from control_rooms import Room, open_room
from fakes import wait_until
from PIL import Image
from room_in_browser import shown_run
from test_control import CANVAS
from test_stage import ALPHA, MARKER, cut

from facepuppet.control_room import ControlRoom, PagePreview
from facepuppet.core.types import U8
from facepuppet.watermark import detect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCALE = 2  # of the window to the canvas
VIEW = {"width": SCALE * CANVAS[0], "height": SCALE * CANVAS[1] + 100}  # clear above and below
TOP = 50
NO_WEBGL = "HTMLCanvasElement.prototype.getContext = new Proxy(HTMLCanvasElement.prototype.getContext, " + (
    "{apply: (get, one, [kind, ...how]) => kind === 'webgl' ? null : get.call(one, kind, ...how)});"
)
SOFT = np.broadcast_to(np.linspace(0, 255, CANVAS[0]).astype(np.uint8), ALPHA.shape).copy()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with open_room(tmp_path_factory.mktemp("stage")) as opened:
        yield opened


@contextmanager
def performing(preview: PagePreview, alpha: U8 = ALPHA) -> Iterator[None]:
    """Let the same picture go out all the while, each time as a new frame."""
    over, marker = threading.Event(), MARKER.twin()

    def perform() -> None:
        while not over.wait(1 / 30):
            preview.send(cut(0, alpha, marker))

    thread = threading.Thread(target=perform)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def open_stage(browser: Browser, address: str, script: str = "", view: Any = VIEW) -> Page:
    """Open a page; what its console complains of is kept in `page.complaints`."""
    page = browser.new_context(viewport=view).new_page()
    page.complaints = complaints = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda one: complaints.append(one.text) if "Security Policy" in one.text else None)
    if script:
        page.add_init_script(script)
    page.goto(address)
    return page


def seen(page: Page) -> U8:
    """What the page shows, (H, W, 4), not premultiplied."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot(omit_background=True))).convert("RGBA"))


def until(page: Page, holds: Callable[[U8], bool]) -> U8:
    """Wait for what the page shows to be so."""
    shown = seen(page)
    end_s = time.monotonic() + 20
    while not holds(shown):
        assert time.monotonic() < end_s, "nothing happened"
        page.wait_for_timeout(50)
        shown = seen(page)
    return shown


def is_clear(shown: U8) -> bool:
    return not shown.any()


def is_there(shown: U8) -> bool:
    return bool((shown[..., 3] == 255).any())


def test_the_stage_shows_the_puppet_alone_and_comes_back_after_a_restart(
    browser: Browser, room: Room, tmp_path: Path
) -> None:
    with performing(room.preview):
        with ControlRoom(room.show, room.preview, 0, folder=tmp_path) as first:
            page = open_stage(browser, first.stage_address)
            check_cut_out(until(page, is_there))
            assert page.inner_text("body") == "" and not page.complaints  # type: ignore[attr-defined]
        until(page, is_clear)
        with ControlRoom(room.show, room.preview, first.port, folder=tmp_path) as second:
            assert second.stage_address == first.stage_address
            check_cut_out(until(page, is_there))
        page.context.close()


def check_cut_out(shown: U8) -> None:
    """Check that a page shows `cut(0)`, enlarged, in its middle, and nothing around it."""
    canvas = shown[TOP : TOP + SCALE * CANVAS[1]][::SCALE, ::SCALE]
    assert not shown[:TOP].any() and not shown[-TOP:].any()
    inside, outside = np.zeros_like(ALPHA, bool), np.ones_like(ALPHA, bool)
    inside[44:, 64:176], outside[36:, 56:184] = True, False
    assert not canvas[outside].any()
    assert (canvas[inside][:, 3] == 255).all()
    assert_pictures_equal(canvas[..., :3], cut(0).rgb, JPEG, inside)


@pytest.mark.slow
def test_without_webgl_it_is_drawn_all_the_same(browser: Browser, room: Room) -> None:
    shown = []
    with performing(room.preview, SOFT):
        for script in ("", NO_WEBGL):
            page = open_stage(browser, room.room.stage_address, script)
            shown.append(until(page, is_there).astype(int))
            page.context.close()
    one, other = (picture[..., :3] * picture[..., 3:] // 255 for picture in shown)
    assert_pictures_equal(one.astype(np.uint8), other.astype(np.uint8), MARK)  # which moves on meanwhile
    alphas = [picture[..., 3].astype(np.uint8) for picture in shown]
    assert_pictures_equal(
        *alphas, Tolerance(mean=0.3, most=2)
    )  # each rounds it once, and once it is enlarged


@pytest.mark.slow
def test_soft_edges_are_clean_over_any_colour(browser: Browser, room: Room) -> None:
    with performing(room.preview, SOFT):
        page = open_stage(browser, room.room.stage_address, view={"width": CANVAS[0], "height": CANVAS[1]})
        until(page, is_there)
        session = page.context.new_cdp_session(page)
        frame = cut(0, SOFT)
        puppet = frame.rgb - (
            frame.rgb * (1 - SOFT[..., None] / 255.0)
        )  # what its own background leaves of it
        for colour in ((220, 20, 20), (0, 200, 0), (255, 255, 255), (0, 0, 0)):
            behind(session, colour)
            page.wait_for_timeout(200)
            shown = Image.open(io.BytesIO(base64.b64decode(session.send("Page.captureScreenshot")["data"])))
            truth = puppet + (1 - SOFT[..., None] / 255.0) * colour
            assert_pictures_equal(np.asarray(shown.convert("RGB")), truth.round().astype(np.uint8), JPEG)
        page.context.close()


def behind(session: Any, rgb: tuple[int, int, int]) -> None:
    """Put a colour behind a page, as a streaming program puts its scene."""
    colour = dict(zip("rgba", (*rgb, 1), strict=True))
    session.send("Emulation.setDefaultBackgroundColorOverride", {"color": colour})


@pytest.mark.slow
def test_a_stage_that_nobody_sees_costs_nothing(browser: Browser, room: Room) -> None:
    with performing(room.preview):
        page = browser.contexts[0].new_page()
        page.goto(room.room.stage_address)
        wait_until(lambda: room.preview.wants_matte)
        other = browser.contexts[0].new_page()  # in front of it
        page.wait_for_function("document.hidden")
        wait_until(lambda: not room.preview.wants_matte)
        page.bring_to_front()
        wait_until(lambda: room.preview.wants_matte)
        other.close()
        page.close()
        wait_until(lambda: not room.preview.wants_matte)


@pytest.mark.slow
def test_the_mark_is_found_on_a_stage_over_another_background(browser: Browser, tmp_path: Path) -> None:
    with shown_run(tmp_path, canvas_px=(640, 360), names=("one",)) as running:
        page = open_stage(browser, running.room.stage_address, view={"width": 640, "height": 360})
        shown = until(page, is_there)
        assert (
            not shown[:5, :5].any() and not shown[:5, -5:].any() and (shown[150:200, 300:340, 3] == 255).all()
        )
        x, y, w, h = running.live.control.puppet.maker.finisher.composer.label.box_px  # type: ignore[attr-defined]
        pill = shown[y : y + h, x : x + w, 3]
        assert (pill.max() > 200) and 100 < np.median(pill) < 200, "a label one can see through"
        session, looks = page.context.new_cdp_session(page), []

        def look(event: dict[str, Any]) -> None:
            picture = Image.open(io.BytesIO(base64.b64decode(event["data"]))).convert("L")
            looks.append((np.asarray(picture), event["metadata"]["timestamp"]))
            session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

        behind(session, (0, 200, 0))
        session.on("Page.screencastFrame", look)
        session.send("Page.startScreencast", {"format": "jpeg", "quality": 90})
        page.wait_for_timeout(6000)
        session.send("Page.stopScreencast")
        running.show.do("panic", {"on": True})
        until(page, lambda shown: bool((shown[..., 3] == 255).all()))
        page.context.close()
    found = detect([(picture, at_s - looks[0][1]) for picture, at_s in looks])
    assert found.marked and found.payload is not None
