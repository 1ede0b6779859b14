"""The control room's page in a real Chromium, over a real run of the built-in piece."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from avatars import hopper
from fakes import wait_until
from room_in_browser import CAMERA_RGB, Shown, shown_run

from facepuppet.control_room.live_socket import MOST_SOCKETS
from facepuppet.control_room.page_pictures import Kind
from facepuppet.face.topology import EYES, FACE_OVAL, LIPS_INNER, LIPS_OUTER
from facepuppet.frames.cpu.compose.card import draw_card
from facepuppet.session import VERBS, Felt, Show, ShowPuppet

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

PAGE = Path(__file__).parents[1] / "facepuppet" / "control_room" / "page"
FRAME_S = 1 / 30
THEMES = ("light", "dark")
USUAL: dict[str, dict[str, Any]] = {
    "background": {"word": "portrait"},
    "head-speed": {"degrees": "off"},
    "smoothing": {"strength": 1.0},
    "label": {"corner": "br"},
    "avatar": {"name": "grace"},
}
SIZES_PX = ((1280, 800), (400, 800), (640, 400))  # the last: the first at 200 %
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"

# Text that is harder to read than 4.5:1 (3:1 where it is large) on what is behind it.
FAINT = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const light = (rgb) => rgb.map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(getComputedStyle(at).backgroundColor);
    return chain.reduce((under, layer) => over(parse(layer), under), [255, 255, 255]);
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!text || !element.checkVisibility({ opacityProperty: true })) continue;
    if (element.closest(".unseen, :disabled")) continue;
    const style = getComputedStyle(element);
    let see = 1;
    for (let at = element; at; at = at.parentElement) see *= Number(getComputedStyle(at).opacity);
    const back = behind(element);
    const [r, g, b, a = 1] = parse(style.color);
    const [one, two] = [light(over([r, g, b, a * see], back)), light(back)];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < least) faint.push(`${text} ${ratio.toFixed(2)} ${style.color} on ${back.map(Math.round)}`);
  }
  return faint;
}"""

# Text that runs out of its box.
CUT = """() => [...document.querySelectorAll("button, label, legend, h1, h2, h3, .pill, .value, .state")]
  .filter((one) => one.checkVisibility() && !one.closest(".unseen"))
  .filter((one) => getComputedStyle(one).display !== "inline")
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent)"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with shown_run(tmp_path_factory.mktemp("room"), hopper()) as shown:
        yield shown


@pytest.fixture
def shown(running: Shown) -> Iterator[Shown]:
    """The run, as it was at its start."""
    yield running
    for verb in ("panic", "away", "freeze", "mirror", "mute", "record"):
        running.show.do(verb, {"on": False})
    for region in VERBS["gain"].parameters[0].words:  # type: ignore[union-attr]
        running.show.do("gain", {"region": region, "amount": 1.0})
        running.show.do("still", {"region": region, "on": False})
    for verb, values in USUAL.items():
        running.show.do(verb, values)


@pytest.fixture
def visit(browser: Browser, shown: Shown) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a browser session of its own; what their consoles complain of fails the test."""
    contexts, complaints = [], []

    def open_page(
        *, address: str | None = None, ready: bool = True, hear: bool = True, **options: Any
    ) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        if hear:
            page.on(
                "console",
                lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None,
            )
            page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address or shown.room.address)
        if ready:
            page.wait_for_selector("#standing[data-kind=good]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def until(page: Page, expression: str) -> None:
    """Wait for something on a page. Playwright's own way evaluates text there, which this page forbids."""
    wait_until(lambda: bool(page.evaluate(expression)))


def state_of(shown: Shown) -> dict[str, Any]:
    found: dict[str, Any] = shown.show.to_json()["state"]
    return found


def asked(shown: Shown) -> list[tuple[str, Any]]:
    """What was asked for, in its order."""
    return [(verb, values) for verb, values, _ in shown.done]


def is_card(shown: Shown) -> bool:
    frame = shown.sink.newest
    return frame is not None and bool(np.abs(frame.rgb.astype(int) - draw_card(frame.size_px)).mean() < 6)


def test_the_page_draws_the_rings_that_the_tracker_has() -> None:
    text = (PAGE / "pictures.js").read_text(encoding="utf-8")
    rings = {
        name: [int(index) for index in re.findall(r"\d+", indices)]
        for name, indices in re.findall(r"(\w+): \[([\d,\s]+)\]", text)
    }
    left, right = EYES
    expected = {
        **{"oval": FACE_OVAL, "lipsOuter": LIPS_OUTER, "lipsInner": LIPS_INNER},
        **{"leftEye": left.ring, "rightEye": right.ring},
        **{"leftIris": left.iris_ring, "rightIris": right.iris_ring},
        **{"left": left.brow_upper, "right": right.brow_upper},
    }
    assert rings == {name: ring.tolist() for name, ring in expected.items()}


def test_the_page_comes_without_a_complaint_and_its_preview_moves(
    visit: Callable[..., Page], shown: Shown
) -> None:
    page = visit()
    assert len({look for _, look in pictures(page, 10)}) >= 5
    assert "token" not in page.url
    assert page.title() == "● live – facepuppet"
    assert len(page.evaluate("document.getElementById('mesh').toDataURL()")) > 2000  # an empty one has 600
    assert page.locator("[data-verb=avatar]").count() == 2
    until(page, "[...document.querySelectorAll('.tile img')].every((one) => one.naturalWidth > 0)")
    figures = page.locator("#figures .value").all_inner_texts()
    assert float(figures[0]) > 0 and figures[1].endswith(" ms") and figures[5].endswith(" MB")


def pictures(page: Page, count: int) -> list[tuple[float, str]]:
    """The preview's next pictures, and how many milliseconds after their capture they were shown."""
    found: list[tuple[float, str]] = page.evaluate(
        """(count) => new Promise((done) => {
          const canvas = document.getElementById("outgoing"), seen = [];
          canvas.addEventListener("shown", ({ detail }) => {
            seen.push([detail.behindMs, canvas.toDataURL("image/jpeg")]);
            if (seen.length === count) done(seen);
          });
        })""",
        count,
    )
    return found


def test_panic_by_key_and_by_button_sends_the_card(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit()
    for press in (lambda: page.keyboard.press("p"), lambda: page.click("#dock [data-verb=panic]")):
        shown.done.clear()
        press()
        wait_until(lambda: is_card(shown))
        page.wait_for_selector("#dock [data-verb=panic][aria-pressed=true]")
        until(page, "document.title === 'PANIC – facepuppet'")
        assert asked(shown) == [("panic", {"on": True})]
        shown.show.do("panic", {"on": False})
        page.wait_for_selector("#dock [data-verb=panic][aria-pressed=false]")
    shown.done.clear()
    for key in ("p", "p", "Escape"):
        page.keyboard.press(key)
    wait_until(lambda: is_card(shown))
    assert asked(shown) == [("panic", {"on": True})], "a hurried hand switched panic off again"


@pytest.mark.slow
def test_preview_and_panic_keep_their_times(visit: Callable[..., Page], shown: Shown) -> None:
    """The bars, for some of several: a machine that does much else is late with the others."""
    page = visit()
    behind_ms = sorted(behind for behind, _ in pictures(page, 30))
    assert behind_ms[7] <= 150
    page.evaluate(
        """() => {
          window.pressed = [];
          for (const kind of ["keydown", "click"]) {
            addEventListener(kind, () => pressed.push(Date.now() / 1000), { capture: true });
          }
        }"""
    )
    taken_s = []
    for press in (lambda: page.keyboard.press("p"), lambda: page.click("#dock [data-verb=panic]")) * 2:
        shown.done.clear()
        press()
        wait_until(lambda: is_card(shown))
        taken_s.append(shown.done[0][2] - page.evaluate("pressed.at(-1)"))
        shown.show.do("panic", {"on": False})
        page.wait_for_selector("#dock [data-verb=panic][aria-pressed=false]")
    assert sorted(taken_s)[1] <= FRAME_S  # and the card is the next frame: tests/test_panic.py


@pytest.mark.slow
def test_sliders_and_switches_change_what_they_say(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit()
    page.fill("[data-verb=gain][data-about=mouth]", "1.5")
    page.check("[data-verb=still][data-about=head]")
    page.check("[aria-label='Head speed, on or off']")
    page.check("[data-verb=label][value=tl]")
    page.check("[data-verb=avatar][value=hopper]")
    wait_until(lambda: state_of(shown)["puppet"] == "hopper")
    page.check("[data-verb=avatar][value=grace]")
    wait_until(lambda: state_of(shown)["puppet"] == "grace")
    state = state_of(shown)
    assert state["gains"]["mouth"] == 1.5 and state["still"] == ["head"] and state["label"] == "tl"
    assert state["head_speed_rad_s"] == pytest.approx(np.pi / 2)
    shown.show.do("gain", {"region": "gaze", "amount": 0.25})
    until(page, "document.querySelector('[data-verb=gain][data-about=gaze]').value === '0.25'")
    for group in ("Motion", "Following", "Picture"):
        page.click(f"[data-group={group}] .usual")
    wait_until(lambda: state_of(shown)["label"] == "br" and not state_of(shown)["still"])
    state = state_of(shown)
    assert set(state["gains"].values()) == {1.0} and state["head_speed_rad_s"] is None


def test_bits_are_played_by_buttons_and_digits(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit()
    page.wait_for_selector("[data-bit=laugh]")
    page.click("[data-bit=laugh]")
    page.keyboard.press("1")
    page.wait_for_selector("[data-bit=laugh][aria-current=true]")
    assert state_of(shown)["playing"] == ("laugh", "nod")
    page.keyboard.press("0")
    page.wait_for_selector("[data-bit=laugh][aria-current=false]")
    wait_until(lambda: state_of(shown)["playing"] == ())


@pytest.mark.thorough
def test_the_camera_is_asked_for_by_its_button_alone(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit()
    page.wait_for_timeout(600)
    assert shown.driver.looks == 0
    assert page.is_hidden("#camera")
    page.click("#camera-button")
    page.wait_for_selector("#camera:visible")
    pixel = page.evaluate(
        "[...document.getElementById('camera').getContext('2d').getImageData(9, 9, 1, 1).data]"
    )
    assert np.abs(np.array(pixel[:3]) - CAMERA_RGB).max() < 12
    page.reload()
    page.wait_for_selector("#standing[data-kind=good]")
    looks = shown.driver.looks
    page.wait_for_timeout(500)
    assert page.is_hidden("#camera") and shown.driver.looks == looks, "a reload keeps the camera on"


@pytest.mark.thorough
def test_the_map_of_moods_is_drawn_after_its_button_and_not_after_a_reload(
    visit: Callable[..., Page], shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    felt = type(shown.show).felt.fget
    assert felt is not None

    def noted(show: Show) -> Felt | None:
        asked.append(1)
        return felt(show)

    monkeypatch.setattr(type(shown.show), "felt", property(noted))
    page = visit()
    page.wait_for_timeout(500)
    assert page.is_hidden("#mood") and not asked
    page.click("#mood-button")
    page.wait_for_selector("#mood:visible")
    wait_until(lambda: "Read from the face: valence" in page.inner_text("#mood-words"))
    page.reload()
    page.wait_for_selector("#standing[data-kind=good]")
    page.wait_for_timeout(300)
    asked.clear()
    page.wait_for_timeout(500)
    assert page.is_hidden("#mood") and not asked, "a reload keeps the map on"


def test_a_style_is_chosen_on_the_page(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit()
    page.check("[data-group=Character] [data-verb=style][value=calm]")
    wait_until(lambda: state_of(shown)["style"] == "calm")
    page.wait_for_timeout(600)  # until the page has heard of it
    page.click("[data-group=Character] .usual")
    wait_until(lambda: state_of(shown)["style"] == "off")


@pytest.mark.thorough
def test_a_hidden_tab_goes_on_telling_and_looks_at_nothing(browser: Browser, shown: Shown) -> None:
    """A really hidden one, behind another tab: no animation frames, timers of one a second."""
    session = browser.contexts[0]
    page = session.new_page()
    page.goto(shown.room.address)
    page.wait_for_selector("#standing[data-kind=good]")
    page.click("#camera-button")
    page.wait_for_selector("#camera:visible")
    front = session.new_page()
    front.bring_to_front()
    wait_until(lambda: page.evaluate("document.visibilityState") == "hidden")
    preview = shown.room._preview
    wait_until(lambda: preview.newest is None)
    time.sleep(0.3)
    looks = shown.driver.looks
    for on, title in ((True, "PANIC – facepuppet"), (False, "● live – facepuppet")):
        shown.show.do("panic", {"on": on})
        wait_until(lambda title=title: page.title() == title)  # type: ignore[misc]
    assert preview.newest is None and shown.driver.looks == looks
    page.bring_to_front()
    wait_until(lambda: preview.newest is not None)
    time.sleep(0.3)
    assert page.is_hidden("#camera") and shown.driver.looks == looks, "the camera came back by itself"
    for tab in (front, page):
        tab.close()


def test_the_page_is_readable_at_400_pixels(visit: Callable[..., Page], shown: Shown) -> None:
    shown.show.do("freeze", {"on": True})
    page = visit(ready=False, viewport={"width": 400, "height": 800}, color_scheme="light")
    page.wait_for_selector("#dock [data-verb=freeze][aria-pressed=true]")
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        assert page.evaluate(FITS)
        assert page.evaluate(FAINT) == []
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground))) > 3 * 128) == (theme == "light")
    box = page.locator("#dock [data-verb=panic]").bounding_box()
    assert box is not None and box["width"] > 300 and box["y"] + box["height"] <= 800, "panic is out of reach"


def settled(page: Page, state: str) -> None:
    """Bring a page into a state that looks different."""
    match state:
        case "panic":
            page.keyboard.press("p")
            page.wait_for_selector("#dock [data-verb=panic][aria-pressed=true]")
        case "help":
            page.keyboard.press("?")
            page.wait_for_selector("#help[open]")
        case "used":
            for key in "mvf":
                page.keyboard.press(key)
            page.click("[data-background=colour]")
            page.check("[data-verb=still][data-about=head]")
            page.click("#camera-button")
            page.click("#mood-button")
            page.wait_for_selector("#dock [data-verb=record][aria-pressed=true]")


@pytest.mark.slow
@pytest.mark.parametrize("state", ["live", "panic", "help", "used"])
def test_every_state_is_readable_at_every_size(visit: Callable[..., Page], state: str) -> None:
    page = visit()
    settled(page, state)
    for theme, (width, height) in itertools.product(THEMES, SIZES_PX):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(300)
        found = page.evaluate(FAINT), page.evaluate(CUT), page.evaluate(FITS)
        assert found == ([], [], True), f"{theme}, {width} x {height}"


@pytest.mark.slow
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", ["live", "panic", "help", "used"])
def test_axe_finds_nothing(visit: Callable[..., Page], theme: str, state: str) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    page = visit(color_scheme=theme)
    settled(page, state)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [
        (one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]
    ]
    assert told == []
    assert len(found["passes"]) > 20


@pytest.mark.slow
@pytest.mark.parametrize("size_px", SIZES_PX)
def test_the_keyboard_reaches_everything_and_sees_where_it_is(
    visit: Callable[..., Page], size_px: tuple[int, int]
) -> None:
    page = visit(viewport={"width": size_px[0], "height": size_px[1]})
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (!one || one === document.body) return null;
              const shown = one.matches(".words input") ? one.nextElementSibling : one;
              const box = shown.getBoundingClientRect();
              const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
              const top = document.elementFromPoint(x, y);
              return {
                name: one.dataset.verb ?? one.dataset.background ?? one.id ?? one.className,
                about: one.dataset.about ?? "",
                ring: getComputedStyle(shown).outlineStyle !== "none",
                isSeen: !!top && (one.contains(top) || top.contains(one)),
              };
            }"""
        )
        if stop is None:
            break
        stops.append(stop)
    names = [stop["name"] for stop in stops]
    dock = [verb.name for verb in VERBS.values() if verb.key]
    assert names.index("panic") <= 2 and names[names.index("panic") :][: len(dock)] == dock
    settings = {verb.name for verb in VERBS.values() if not verb.key} - {"background"}
    assert settings <= set(names) and {"portrait", "blur", "colour", "picture"} <= set(names)
    regions = [stop["about"] for stop in stops if stop["name"] == "gain"]
    assert regions == ["head", "gaze", "mouth", "brows", "lids", "torso"]
    assert [stop for stop in stops if not stop["ring"]] == []
    assert [stop for stop in stops if not stop["isSeen"]] == []


@pytest.mark.slow
def test_space_and_enter_press_and_letters_are_typed_where_one_types(
    visit: Callable[..., Page], shown: Shown
) -> None:
    page = visit()
    shown.done.clear()
    for key in (" ", "Enter"):
        page.focus("#dock [data-verb=away]")
        page.keyboard.press(key)
        page.wait_for_timeout(500)
    assert asked(shown) == [("away", {"on": True}), ("away", {"on": False})]
    page.keyboard.press("r")
    wait_until(lambda: shown.driver.recentred > 0)
    shown.done.clear()
    page.evaluate("document.querySelector('main').append(document.createElement('textarea'))")
    page.focus("textarea")
    page.keyboard.type("pafrmv?")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert shown.done == [] and page.input_value("textarea") == "pafrmv?"
    page.evaluate("document.querySelector('textarea').remove()")
    page.keyboard.press("Control+a")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#help:not([open])", state="attached")
    assert shown.done == []
    page.focus("[data-verb=gain][data-about=head]")
    page.keyboard.press("p")
    wait_until(lambda: is_card(shown))


@pytest.mark.slow
def test_the_stage_is_given_to_obs_without_being_shown(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("?")
    page.click("#stage-copy")
    until(page, "document.getElementById('stage-copy').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == shown.room.stage_address
    assert shown.room.stage_address.partition("=")[2] not in page.content()


@pytest.mark.slow
def test_what_is_refused_is_told_in_an_alert(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit()
    page.evaluate("document.querySelector('[data-verb=smoothing]').max = 9")
    page.fill("[data-verb=smoothing]", "9")
    assert "expected a number from 0 to 4" in page.inner_text("[role=alert].toast")
    until(page, "document.querySelector('[data-verb=smoothing]').value === '1'")
    page.click(".toast button")
    assert page.locator(".toast").count() == 0
    shown.live.control.send(ShowPuppet("nobody"))  # refused later, by the loop
    assert "nobody" in page.inner_text("[role=alert].toast")


@pytest.mark.slow
def test_two_browsers_agree(visit: Callable[..., Page]) -> None:
    one, other = visit(), visit()
    one.keyboard.press("a")
    other.wait_for_selector("#dock [data-verb=away][aria-pressed=true]")
    other.fill("[data-verb=gain][data-about=lids]", "0.5")
    until(one, "document.querySelector('[data-verb=gain][data-about=lids]').value === '0.5'")
    other.wait_for_timeout(1200)
    other.keyboard.press("a")
    one.wait_for_selector("#dock [data-verb=away][aria-pressed=false]")
    assert "Away off." in one.inner_text("#told")
    other.click("[data-group=Motion] .usual")


@pytest.mark.slow
def test_the_wrong_token_and_none_are_told(visit: Callable[..., Page], shown: Shown) -> None:
    address = shown.room.address.partition("?")[0]
    page = visit(address=f"{address}?token=wrong", ready=False, hear=False)
    page.wait_for_selector("#banner:has-text('token is not the run')")
    assert page.title() == "wrong token – facepuppet"
    page = visit(address=address, ready=False, hear=False)
    page.wait_for_selector("#banner:has-text('has no token')")


@pytest.mark.slow
def test_a_page_too_many_hears_why_and_comes_in_when_there_is_room(visit: Callable[..., Page]) -> None:
    others = visit()
    others.evaluate(
        """(most) => {
          const address = `ws://${location.host}/api/live?token=${sessionStorage.getItem("token")}`;
          window.sockets = Array.from({ length: most - 1 }, () => new WebSocket(address));
        }""",
        MOST_SOCKETS,
    )
    until(others, "sockets.every((one) => one.readyState === WebSocket.OPEN)")
    page = visit(ready=False)
    page.wait_for_selector(f"#banner:has-text('more than {MOST_SOCKETS}')")
    assert page.title() == "⚠ connection lost – facepuppet"
    others.evaluate("sockets.forEach((one) => one.close())")
    page.wait_for_selector("#standing[data-kind=good]")


@pytest.mark.slow
def test_a_new_verb_appears_by_itself(visit: Callable[..., Page], shown: Shown) -> None:
    page = visit()
    sent: list[Any] = []
    new = [
        _verb("wave", key="w"),
        _verb("tint", _parameter("number", low=0, high=1, step=0.1)),
        _verb("mood", _parameter("choice", words=["glad", "sad"])),
        _verb("say", _parameter("word"), _parameter("switch")),
        _verb("pull", _parameter("choice", words=["ear"]), _parameter("number", low=0, high=2, step=1)),
    ]

    def with_new(route: Route) -> None:
        known = route.fetch().json()
        route.fulfill(body=json.dumps([*known, *new]), content_type="application/json")

    page.route("**/api/verbs", with_new)
    page.on("websocket", lambda socket: socket.on("framesent", lambda said: sent.append(said)))
    page.reload()
    page.wait_for_selector("#standing[data-kind=good]")
    page.keyboard.press("w")
    page.fill("[data-verb=tint]", "0.5")
    page.check("[data-verb=mood][value=sad]")
    page.fill("[data-verb=pull][data-about=ear]", "2")
    page.fill("form.any input[type=text]", "papa")  # no key of these is pressed
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#toasts').innerText.includes('say')")
    told = [json.loads(said) for said in sent if isinstance(said, str)]
    assert [(said["do"], said["values"]) for said in told if "do" in said] == [
        ("wave", {}),
        ("tint", {"number": 0.5}),
        ("mood", {"choice": "sad"}),
        ("pull", {"choice": "ear", "number": 2}),
        ("say", {"word": "papa", "switch": False}),
    ]


def _verb(name: str, *parameters: dict[str, Any], key: str = "") -> dict[str, Any]:
    return {"name": name, "meaning": f"{name}.", "key": key, "parameters": parameters}


def _parameter(kind: str, **more: Any) -> dict[str, Any]:
    unit = {"unit": "", "can_be_off": False} if kind == "number" else {}
    return {"kind": kind, "name": kind, "meaning": "something", **unit, **more}


@pytest.mark.slow
def test_a_picture_is_put_behind_the_puppet(visit: Callable[..., Page], shown: Shown, tmp_path: Path) -> None:
    page = visit(hear=False)  # its console tells of the refusal, too
    green = tmp_path / "green.png"
    cv2.imwrite(str(green), np.full((90, 160, 3), (0, 255, 0), np.uint8))
    page.set_input_files("input[type=file]", green)
    wait_until(lambda: shown.sink.newest is not None and bool(shown.sink.newest.rgb[4, 4, 1] > 200))
    page.wait_for_selector("[data-background=picture][aria-pressed=true]")
    page.set_input_files(
        "input[type=file]", {"name": "no.png", "mimeType": "image/png", "buffer": b"no picture"}
    )
    assert "Got" in page.inner_text("[role=alert].toast")
    page.click(".toast button")
    page.evaluate(
        """() => {
          const input = document.querySelector("input[type=file]"), files = new DataTransfer();
          files.items.add(new File([new Uint8Array(20_000_001)], "large.png", { type: "image/png" }));
          input.files = files.files;
          input.dispatchEvent(new Event("change"));
        }"""
    )
    assert "20 MB" in page.inner_text("[role=alert].toast")


@pytest.mark.slow
def test_a_small_panel_keeps_panic_above_the_meeting(browser: Browser, shown: Shown) -> None:
    session = browser.contexts[0]
    page = session.new_page()
    page.goto(shown.room.address)
    page.wait_for_selector("#standing[data-kind=good]")
    if page.is_hidden("#mini-button"):
        pytest.skip("this browser has no Document Picture-in-Picture")
    page.click("#mini-button")
    inside = "documentPictureInPicture.window"
    wait_until(lambda: bool(page.evaluate(f"{inside}?.document.querySelector('canvas').width > 0")))
    wait_until(lambda: page.evaluate(f"{inside}.document.querySelector('.pill .word').textContent") == "live")
    colour = (
        f"{inside}.getComputedStyle({inside}.document.querySelector('[data-verb=panic]')).backgroundColor"
    )
    wait_until(lambda: page.evaluate(colour) in ("rgb(194, 34, 47)", "rgb(207, 47, 59)"))
    front = session.new_page()
    front.bring_to_front()
    wait_until(lambda: page.evaluate("document.visibilityState") == "hidden")
    page.evaluate(f"{inside}.document.querySelector('[data-verb=panic]').click()")
    wait_until(lambda: is_card(shown))
    assert shown.room._preview.newest is not None, "the panel shows no preview"
    page.evaluate(f"{inside}.close()")
    wait_until(lambda: shown.room._preview.newest is None)
    for tab in (front, page):
        tab.close()


@pytest.mark.slow
def test_a_server_that_is_gone_is_told_in_a_hidden_tab_and_found_again(
    browser: Browser, tmp_path: Path
) -> None:
    session = browser.contexts[0]
    page, front = session.new_page(), None
    with shown_run(tmp_path, hopper()) as shown:
        page.goto(shown.room.address)
        page.wait_for_selector("#standing[data-kind=good]")
        front = session.new_page()
        front.bring_to_front()
        wait_until(lambda: page.evaluate("document.visibilityState") == "hidden")
        room = shown.room
        port, token = room.port, room._token
        room.__exit__(None, None, None)
        wait_until(lambda: page.title() == "⚠ connection lost – facepuppet")
        room._wanted, room._token = port, token
        room.__enter__()
        wait_until(lambda: page.title() == "● live – facepuppet")
        assert page.is_hidden("#banner")
        for tab in (front, page):
            tab.close()


@pytest.mark.slow
def test_a_server_that_hangs_is_told_after_two_seconds(visit: Callable[..., Page]) -> None:
    """The connection stays open, and nothing comes."""
    page = visit(hear=False)
    told = page.evaluate(
        """async () => {
          const { Link } = await import("/assets/link.js");
          window.WebSocket = class extends EventTarget { close() {} };
          const link = new Link("x"), words = [];
          link.addEventListener("standing", ({ detail }) => words.push([detail.word, performance.now()]));
          const begun = performance.now();
          link.open();
          while (!words.length && performance.now() - begun < 5000) {
            link.beat();
            await new Promise((done) => setTimeout(done, 50));
          }
          return words.map(([word, at]) => [word, at - begun]);
        }"""
    )
    assert told[0][0] == "lost" and 1900 < told[0][1] < 2600


@pytest.mark.slow
def test_words_say_what_the_numbers_mean(visit: Callable[..., Page]) -> None:
    page = visit()
    words = page.evaluate(
        """async () => {
          const words = await import("/assets/words.js");
          const { headline, light, presence, quality, readers, recording, sentTo, sound } = words;
          const state = { panic: false, away: false, frozen: false, presence: "present" };
          const open = { word: "open" };
          const line = (more, recording) => headline({ state: { ...state, ...more }, recording }, open).title;
          const of = (quality_, asked_quality) => quality({ quality: quality_, asked_quality }).more;
          const ends = { source: "a", sink: "b", running: true, muted: false };
          const mic = { ...ends, measured_s: 0.0641, peak_dbfs: -18.4, problem: "" };
          const full = { on: false, path: "x", problem: "full" };
          return {
            light: [null, 0.1, 0.5, 0.95].map((value) => light(value).word),
            presence: ["present", "held", "easing", "away"].map((one) => presence({ presence: one }).word),
            hidden: presence({ presence: "present" }, ["brows", "mouth"]),
            lines: [line({}), line({ panic: true, away: true }), line({ away: true }), line({ frozen: true }),
              line({ presence: "held" }), line({}, { on: true })],
            quality: [of("best", "auto"), of("low", "auto"), of("low", "low")],
            sentTo: [sentTo({ output: "o", missing: [] }), sentTo({ output: "o", missing: ["Load it."] })],
            readers: [readers([]).word, readers(["a", "b"]).word],
            recording: [recording({ on: true, path: "x" }).word, recording(full).more],
            sound: [mic, { ...mic, problem: "gone" }].map((one) => sound(one).more),
          };
        }"""
    )
    assert words["light"] == ["not measured", "too dark", "good", "too bright"]
    assert words["presence"] == ["followed", "face just lost", "no face", "nobody in sight"]
    assert words["hidden"]["word"] == "followed" and "(brows, mouth)" in words["hidden"]["more"]
    assert words["lines"] == ["● live", "PANIC", "○ away", "❄ frozen", "◌ live, no face", "● live, recording"]
    assert words["quality"][1].startswith("Chosen") and words["quality"][2].startswith("Kept")
    assert words["readers"] == ["nobody", "a, b"]
    assert words["sentTo"] == [
        {"kind": "good", "word": "o", "more": ""},
        {"kind": "warn", "word": "o: not there yet", "more": "Load it."},
    ]
    assert words["recording"] == ["on", "full"]
    assert words["sound"] == ["a → b · 64 ms behind · peak -18 dB", "gone"]


def test_kinds_of_pictures_have_one_number_on_both_sides() -> None:
    text = (PAGE / "link.js").read_text(encoding="utf-8")
    kinds = dict(re.findall(r'(\d): "(\w+)"', text))
    assert kinds == {str(kind.value): kind.name.lower() for kind in Kind}
