"""The peer of `serve_sound_skew.py` as a page in headless Chromium, which keeps sound in step by itself."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from room_in_browser import chromium_path
from skew_peer import EVERY_S, OPEN_S, WARM_S, opened, shown_mouths

_FLAGS = (
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-gpu",
)
_URL = "http://localhost/"  # where a page may use all of Web Audio; nothing is fetched
_SCRIPT = Path(__file__).with_suffix(".js")


async def be_page(
    size_px: tuple[int, int], seconds: float, begin: Callable[[str], Awaitable[str]]
) -> dict[str, Any]:
    """Let a page perform; returns when mouths opened, and were seen and heard, in s of the page's clock.

    Args:
        size_px: of the page's pictures.
        seconds: after those in which everything settles.
        begin: given the page's offer, returns the answer.
    """
    from playwright.async_api import async_playwright

    mouths = [_data_url(rgb) for rgb in await asyncio.to_thread(shown_mouths, size_px)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(_FLAGS))
        try:
            page = await browser.new_page()
            html = f"<body><script>{_SCRIPT.read_text(encoding='utf-8')}</script>"
            await page.route(_URL, lambda route: route.fulfill(body=html, content_type="text/html"))
            await page.goto(_URL)
            timing = [1000 * EVERY_S, 1000 * OPEN_S]
            answer = await begin(await page.evaluate("(how) => offer(...how)", [*mouths, *size_px, *timing]))
            await page.evaluate("take", answer)
            await asyncio.sleep(WARM_S + seconds)
            found = await page.evaluate("found")
        finally:
            await browser.close()
    moments_s = 1e-3 * np.array(found["moments"])
    moments_s = moments_s[(moments_s > moments_s[0] + WARM_S) & (moments_s < moments_s[-1] - 1.0)]
    at_s = 1e-3 * np.array([at for at, _ in found["pictures"]])
    seen = np.array([grey for _, grey in found["pictures"]], np.float32)
    return {
        "moments_s": moments_s,
        "opened_s": opened(at_s, seen, moments_s),
        "heard_s": 1e-3 * np.array(found["heard"]),
        "fps": float((at_s > at_s[-1] - seconds).sum() / seconds),
    }


def _data_url(rgb: np.ndarray) -> str:
    png = cv2.imencode(".png", rgb[:, :, ::-1])[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(png).decode()
