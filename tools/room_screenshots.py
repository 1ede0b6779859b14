"""Screenshots of the control room, light and dark, narrow and wide, to be looked at.

    python tools/room_screenshots.py [--out DIR] [--only WORD]

Needs Chromium and Playwright's Python package (both in CONTRIBUTING). Also tells of each picture whether the
page is wider than its window, and what the browser's console said.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from room_in_browser import Shown, chromium, shown_run

from facepuppet.portrait import Avatar, load_avatar, sample_portrait_path

if TYPE_CHECKING:
    from playwright.sync_api import Page

Prepare = Callable[["Page", Shown], None]
SCHEMES = ("light", "dark")
SIZES_PX = ((1280, 800), (400, 800), (640, 400))  # the last: 1280 x 800 at 200 %
_SETTLED_S = 1.3  # figures and pictures are there by then


def _nothing(page: Page, shown: Shown) -> None:
    """Leave it as it is."""


def _panic(page: Page, shown: Shown) -> None:
    page.keyboard.press("p")


def _help(page: Page, shown: Shown) -> None:
    page.keyboard.press("?")


def _camera(page: Page, shown: Shown) -> None:
    page.click("#camera-button")


def _mood(page: Page, shown: Shown) -> None:
    page.click("#mood-button")


def _used(page: Page, shown: Shown) -> None:
    """Much at once: muted, recording, a still head, a colour, a refusal, bad light."""
    shown.driver.brightness = 0.05
    for key in "mvf":
        page.keyboard.press(key)
    page.check("[data-verb=still][data-about=head]")
    page.click("[data-background=colour]")
    page.evaluate("document.querySelector('[data-verb=smoothing]').max = 9")
    page.fill("[data-verb=smoothing]", "9")
    page.focus("[data-verb=mute]")


def _lost(page: Page, shown: Shown) -> None:
    shown.room.__exit__(None, None, None)
    page.wait_for_selector("#standing[data-kind=bad]")


STATES: dict[str, Prepare] = {
    "live": _nothing,
    "panic": _panic,
    "help": _help,
    "camera": _camera,
    "mood": _mood,
    "used": _used,
    "lost": _lost,
}


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("room-screenshots"))
    parser.add_argument("--only", default="", help="states whose name has this in it")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    avatar = load_avatar(sample_portrait_path(), cache=False)
    states = {name: prepare for name, prepare in STATES.items() if arguments.only in name}
    with chromium() as browser:
        for (name, prepare), scheme, size in itertools.product(states.items(), SCHEMES, SIZES_PX):
            context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
            _take(context.new_page(), avatar, prepare, arguments.out / f"{name}-{scheme}-{size[0]}")


def _take(page: Page, avatar: Avatar, prepare: Prepare, out: Path) -> None:
    page.on("console", lambda message: print("    console:", message.text.partition("token=")[0]))
    page.on("pageerror", lambda error: print("    error:", error))
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        shown = opened.enter_context(shown_run(folder, avatar, canvas_px=(640, 360), quality="auto"))
        page.goto(shown.room.address)
        page.wait_for_selector("#standing[data-kind=good]")
        prepare(page, shown)
        time.sleep(_SETTLED_S)
        page.screenshot(path=out.with_name(out.name + "-first.png"))
        page.screenshot(path=out.with_suffix(".png"), full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        print(f"{out.name}: {page.title()}{f', {wide} px too wide' if wide > 0 else ''}", flush=True)
        page.context.close()


if __name__ == "__main__":
    main()
