"""The reception's pages in a real Chromium, with hosts that really send a moving picture."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes import wait_until
from PIL import Image

pytest.importorskip("aiortc", reason="needs the extra `server`")
pytest.importorskip("playwright", reason="Playwright is not installed (extra dev)")

from host_stands import MovingHosts
from receptions import SECRET, Open, open_reception
from room_in_browser import chromium, chromium_path

from facepuppet.portrait.load import sample_portrait_path
from facepuppet.server.messages import DrivenBy

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PLAYS = "(({ videoWidth: w, currentTime: s }) => w > 0 && s > 0.3)(document.getElementById('puppet'))"
UPRIGHT = """navigator.mediaDevices.getUserMedia = async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 360, height: 640 });
  let n = 0;
  setInterval(() => {
    const c = canvas.getContext("2d");
    c.fillStyle = `hsl(${n++ % 360} 80% 50%)`;
    c.fillRect(0, 0, 360, 640);
  }, 33);
  return canvas.captureStream(30);
};"""
MISSING = "throw new DOMException('', 'NotFoundError')"
SIZES_PX = ((1280, 800), (400, 800), (640, 400))  # the last: the first at 200 %


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium with a camera and a microphone that it makes itself, allowed to every page."""
    if chromium_path() is None:
        pytest.skip("no chromium on PATH")
    with chromium(*FAKE_CAMERA) as opened:
        yield opened


@pytest.fixture(scope="module")
def avatars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait that says its right, and one that does not."""
    folder = tmp_path_factory.mktemp("avatars")
    shutil.copy(sample_portrait_path(), folder)
    Image.open(sample_portrait_path()).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "zoe.png")
    return folder


@pytest.fixture
def opened(tmp_path: Path, avatars: Path) -> Iterator[Open]:
    with open_reception(MovingHosts(places=2), tmp_path, avatars=avatars) as one:
        yield one


@pytest.fixture
def visit(browser: Browser, opened: Open) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a browser session of its own; what their consoles complain of fails the test."""
    contexts, complaints = [], []

    def open_page(script: str = "", address: str = "", **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda one: complaints.append(one.text) if "Security Policy" in one.text else None)
        page.goto(address or opened.address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def until(page: Page, expression: str) -> None:
    """Wait for something on a page. Playwright's own way evaluates text there, which this page forbids."""
    wait_until(lambda: bool(page.evaluate(expression)))


def shown(page: Page, view: str) -> None:
    page.wait_for_selector(f"#{view}-view:not([hidden])")


def go_live(page: Page, driver: str = "camera", avatar: str = "Grace Hopper") -> None:
    shown(page, "choose")
    page.click(f"text={avatar}")
    page.check(f"[value={driver}]")
    page.click("#start")
    shown(page, "live")


@pytest.mark.thorough
def test_somebody_chooses_allows_the_camera_sees_the_puppet_and_leaves(
    visit: Callable[..., Page], opened: Open
) -> None:
    page = visit()
    shown(page, "choose")
    assert "token" not in page.url, "a shared screen tells no code"
    go_live(page)
    until(page, PLAYS)
    (join,) = opened.hosts.asked
    assert page.inner_text("#standing") == "live" and not page.is_hidden("#own")
    assert page.evaluate("document.getElementById('camera').videoWidth") == 640
    wait_until(lambda: len(opened.hosts.received.get(join.session, [])) > 10)
    assert set(opened.hosts.received[join.session]) == {(640, 360)}, "sharp from the first picture on"
    page.evaluate("window.tracks = document.getElementById('camera').srcObject.getTracks()")
    page.click("#leave")
    shown(page, "over")
    assert page.inner_text("#over-title") == "You have left"
    assert page.evaluate("tracks.every((one) => one.readyState === 'ended')"), "the camera is off"
    wait_until(lambda: not opened.hosts.inside)


@pytest.mark.slow
def test_a_host_that_dies_costs_seconds_and_nothing_that_was_set(
    visit: Callable[..., Page], opened: Open
) -> None:
    page = visit()
    go_live(page)
    link = page.input_value("#link")
    page.click("#panic")
    wait_until(lambda: {"do": "panic", "values": {"on": True}} in opened.hosts.said)
    opened.hosts.said.clear()
    first = opened.hosts.asked[0].session
    opened.lose(first)
    wait_until(lambda: len(opened.hosts.asked) == 2)
    until(page, "document.getElementById('standing').dataset.kind === 'good'")
    until(page, PLAYS)
    assert page.input_value("#link") == link and page.is_hidden("#banner")
    assert {"do": "panic", "values": {"on": True}} in opened.hosts.said, "who was hidden stays hidden"


@pytest.mark.slow
def test_a_host_that_falls_silent_is_left_for_another(visit: Callable[..., Page], opened: Open) -> None:
    page = visit()
    go_live(page)
    opened.hosts.silent = True
    page.wait_for_selector("#banner:not([hidden])", timeout=5000)
    assert "silent" in page.inner_text("#banner") and "by itself" in page.inner_text("#banner")
    opened.hosts.silent = False
    wait_until(lambda: len(opened.hosts.asked) == 2)
    until(page, "document.getElementById('standing').dataset.kind === 'good'")


@pytest.mark.slow
def test_a_server_that_dies_is_found_again_when_it_is_back(
    visit: Callable[..., Page], tmp_path: Path, avatars: Path
) -> None:
    with open_reception(MovingHosts(), tmp_path, avatars=avatars) as first:
        page = visit(address=first.address)
        go_live(page)
    page.wait_for_selector("#banner:not([hidden])")
    wait_until(lambda: "does not answer. Coming back by itself" in page.inner_text("#banner"))
    with open_reception(MovingHosts(), tmp_path, first.port, avatars=avatars):
        until(page, "document.getElementById('standing').dataset.kind === 'good'")
        assert page.is_hidden("#banner")


@pytest.mark.slow
def test_the_line_is_shown_and_ends_by_itself(visit: Callable[..., Page], opened: Open) -> None:
    opened.hosts.places = 1
    first, second = visit(), visit()
    go_live(first)
    shown(second, "choose")
    second.check("[value=text]")
    second.click("#start")
    second.wait_for_selector("#place:not([hidden])")
    assert second.inner_text("#place-number") == "1" and second.title().startswith("place 1 in line")
    first.click("#leave")
    shown(second, "live")
    until(second, PLAYS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("NotAllowedError", "did not allow the camera and microphone. Allow it beside the page’s address"),
        ("NotFoundError", "The camera or microphone was not found."),
        ("NotReadableError", "is busy: another program holds it. Close that program"),
        ("OverconstrainedError", "cannot do what is asked"),
        ("WeirdError", "cannot be opened (WeirdError)"),
    ],
)
def test_what_is_amiss_with_a_camera_is_one_clear_line(
    visit: Callable[..., Page], opened: Open, name: str, sentence: str
) -> None:
    page = visit(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{name}') }}"
    )
    shown(page, "choose")
    page.click("#start")
    page.wait_for_selector("#banner:not([hidden])")
    said = page.inner_text("#banner")
    assert sentence.replace("’", "'") in said.replace("’", "'") and "\n" not in said
    assert not page.is_hidden("#choose-view") and not opened.hosts.asked


@pytest.mark.slow
def test_a_machine_without_a_camera_is_told_what_else_moves_a_puppet(visit: Callable[..., Page]) -> None:
    none = "navigator.mediaDevices.enumerateDevices = async () => [];"
    page = visit(f"{none} navigator.mediaDevices.getUserMedia = async () => {{ {MISSING} }}")
    shown(page, "choose")
    page.click("#start")
    page.wait_for_selector("#banner:not([hidden])")
    assert "There is no camera here. Plug one in, or let your voice or text" in page.inner_text("#banner")
    page.check("[value=text]")
    page.click("#start")
    shown(page, "live")
    assert page.is_hidden("#own") and page.is_hidden("#banner")


@pytest.mark.slow
def test_a_face_that_is_out_of_sight_or_dark_is_told_with_what_to_do(
    visit: Callable[..., Page], opened: Open
) -> None:
    page = visit()
    go_live(page)
    opened.hosts.face, opened.hosts.light = False, 0.05
    wait_until(lambda: "sit where your camera sees you" in page.inner_text("#notes"))
    assert "switch on a light" in page.inner_text("#notes")
    assert page.inner_text("#standing") == "no face in sight"
    opened.hosts.face, opened.hosts.light = True, 0.5
    wait_until(lambda: page.is_hidden("#notes"))
    assert page.inner_text("#standing") == "live"


@pytest.mark.slow
def test_a_camera_that_is_unplugged_is_taken_up_again(visit: Callable[..., Page], opened: Open) -> None:
    page = visit()
    go_live(page)
    session = opened.hosts.asked[0].session
    page.evaluate("""() => {
      const [track] = document.getElementById("camera").srcObject.getTracks();
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }""")
    page.wait_for_selector("#notes:not([hidden])")
    assert "Your camera is gone: plug it in" in page.inner_text("#notes")
    wait_until(lambda: "It is back." in page.inner_text("#notes"))
    n = len(opened.hosts.received.get(session, []))
    wait_until(lambda: len(opened.hosts.received.get(session, [])) > n + 10)
    assert len(opened.hosts.asked) == 1 and not page.is_hidden("#own")


@pytest.mark.slow
def test_who_leaves_while_the_browser_asks_does_not_start_after_all(
    visit: Callable[..., Page], opened: Open
) -> None:
    page = visit("""
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (what) => {
        await new Promise((done) => (window.allow = done));
        return (window.stream = await ask(what));
      };""")
    shown(page, "choose")
    page.click("#start")
    page.click("#wait-leave")
    shown(page, "over")
    page.evaluate("allow()")
    until(page, "window.stream?.getTracks().every((one) => one.readyState === 'ended')")
    assert not page.is_hidden("#over-view") and not opened.hosts.asked


@pytest.mark.slow
def test_an_address_without_https_says_that_it_has_no_camera(visit: Callable[..., Page]) -> None:
    insecure = "Object.defineProperty(window, 'isSecureContext', { value: false });"
    page = visit(insecure + "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });")
    shown(page, "choose")
    page.click("#start")
    page.wait_for_selector("#banner:not([hidden])")
    assert "begins with https" in page.inner_text("#banner")


@pytest.mark.slow
def test_a_telephone_held_upright_sends_upright_pictures_and_sees_itself_whole(
    visit: Callable[..., Page], opened: Open
) -> None:
    page = visit(UPRIGHT, viewport={"width": 400, "height": 800})
    go_live(page)
    session = opened.hosts.asked[0].session
    wait_until(lambda: len(opened.hosts.received.get(session, [])) > 3)
    assert opened.hosts.received[session][-1] == (360, 640)
    box = page.locator("#camera").bounding_box()
    assert box is not None and box["height"] > box["width"] and page.evaluate(FITS)


@pytest.mark.slow
def test_text_is_said_and_broken_off_without_any_device(visit: Callable[..., Page], opened: Open) -> None:
    page = visit("navigator.mediaDevices.getUserMedia = () => { throw new Error('nobody may ask') }")
    go_live(page, "text")
    page.fill("#line", "Good evening.")
    page.press("#line", "Enter")
    page.fill("#line", "/stop is a word")
    page.press("#line", "Enter")
    page.click("#break-off")
    wait_until(lambda: {"say": "/stop"} in opened.hosts.said)
    assert [one["say"] for one in opened.hosts.said if "say" in one][:2] == [
        "Good evening.",
        "//stop is a word",
    ]
    assert page.input_value("#line") == ""
    assert page.evaluate("document.activeElement.id") in ("line", "break-off")


@pytest.mark.slow
def test_a_voice_needs_a_microphone_alone_and_can_be_muted(visit: Callable[..., Page], opened: Open) -> None:
    page = visit("""
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (what) => {
        window.asked = what;
        return (window.stream = await ask(what));
      };
    """)
    go_live(page, "voice")
    (join,) = opened.hosts.asked
    assert (join.driven_by, join.sound) == (DrivenBy.VOICE, True) and "m=audio" in join.offer
    assert page.evaluate("asked.video") is False and page.is_hidden("#own")
    page.click("#mute")
    assert page.evaluate("stream.getAudioTracks()[0].enabled") is False
    assert page.inner_text("#mute") == "Unmute my voice"
    assert page.evaluate("document.getElementById('puppet').muted"), "nobody hears themselves unasked"
    page.click("#hear")
    assert not page.evaluate("document.getElementById('puppet').muted")


@pytest.mark.slow
def test_the_page_does_as_a_busy_host_asks_and_tells_its_notes(
    visit: Callable[..., Page], opened: Open
) -> None:
    page = visit()
    go_live(page)
    opened.loop.call_soon_threadsafe(opened.hosts.tell, {"note": "The server is busy."})
    opened.loop.call_soon_threadsafe(opened.hosts.tell, {"ask": {"width": 320, "height": 180, "fps": 10}})
    page.wait_for_selector("#notes:not([hidden])")
    assert page.inner_text("#notes") == "The server is busy." == page.inner_text("#told")
    until(page, "document.getElementById('camera').srcObject.getTracks()[0].getSettings().frameRate <= 10")
    opened.loop.call_soon_threadsafe(
        opened.hosts.tell, {"over": {"why": "revoked", "sentence": "It was taken back.", "again": False}}
    )
    shown(page, "over")
    assert page.inner_text("#over-words") == "It was taken back."


@pytest.mark.slow
def test_the_right_is_asked_where_the_portrait_says_none(visit: Callable[..., Page], opened: Open) -> None:
    page = visit()
    shown(page, "choose")
    page.click("text=Grace Hopper")
    assert "public-domain" in page.inner_text("#right-known") and page.is_hidden("#right")
    page.click("text=Zoe")
    assert page.is_hidden("#right-known")
    page.click("#start")
    assert page.is_hidden("#wait-view"), "without a right nobody starts"
    page.click("text=The person in it agreed")
    page.click("#start")
    assert page.is_hidden("#wait-view")
    page.fill("#subject", "Zoë Ångström")
    page.fill("#granted", "2026-01-05")
    page.click("#start")
    shown(page, "live")
    assert b"Zo\\u00eb \\u00c5ngstr\\u00f6m agreed on 2026-01-05" in opened.hosts.asked[0].consent


@pytest.mark.slow
def test_the_watch_page_is_the_picture_alone_and_takes_the_next_one_by_itself(
    visit: Callable[..., Page], opened: Open
) -> None:
    page = visit()
    go_live(page)
    watcher = visit(address=page.input_value("#link"))
    until(watcher, PLAYS)
    assert watcher.inner_text("body") == ""
    page.bring_to_front()
    wait_until(lambda: page.inner_text("#figures").replace("\n", " ").find("Watching 1") >= 0)
    opened.lose(opened.hosts.asked[0].session)
    wait_until(lambda: len(opened.hosts.asked) == 2)
    for peer in list(opened.hosts.watchers.values()):
        opened.run(peer.close())
    opened.hosts.watchers.clear()
    watcher.bring_to_front()
    wait_until(lambda: len(opened.hosts.watchers) >= 1)
    until(watcher, PLAYS)
    forged = visit(address=page.input_value("#link")[:-4] + "xxxx")
    forged.wait_for_timeout(1500)
    assert forged.evaluate("document.getElementById('puppet').videoWidth") == 0


@pytest.mark.slow
def test_a_wrong_code_is_told_and_the_right_one_lets_in(visit: Callable[..., Page], opened: Open) -> None:
    page = visit(address=f"http://localhost:{opened.port}/#token=wrong")
    shown(page, "code")
    assert "not known" in page.inner_text("#banner")
    page.fill("#code", SECRET)
    page.press("#code", "Enter")
    shown(page, "choose")
    page.reload()
    shown(page, "choose")


@pytest.mark.slow
def test_every_view_is_easy_to_use_in_every_size_and_theme(visit: Callable[..., Page], opened: Open) -> None:
    axe_playwright = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    axe, found = axe_playwright.Axe(), []

    def look(page: Page, view: str) -> None:
        found.extend(
            (view, violation["id"], [node["target"] for node in violation["nodes"]])
            for violation in axe.run(page).response["violations"]
        )
        if not page.evaluate(FITS):
            found.append((view, "too wide", []))

    for scheme, (width, height) in itertools.product(("light", "dark"), SIZES_PX):
        page = visit(
            address=f"http://localhost:{opened.port}/",
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            bypass_csp=True,  # axe is text that is run
        )
        shown(page, "code")
        look(page, f"code {scheme} {width}")
        page.fill("#code", SECRET)
        page.press("#code", "Enter")
        shown(page, "choose")
        page.click("text=Zoe")
        page.click("text=The person in it agreed")
        look(page, f"choose {scheme} {width}")
        go_live(page, "text")
        until(page, PLAYS)
        look(page, f"live {scheme} {width}")
        page.click("#leave")
        shown(page, "over")
        look(page, f"over {scheme} {width}")
        page.context.close()
    assert not found


@pytest.mark.slow
def test_all_of_it_can_be_done_by_keyboard(visit: Callable[..., Page], opened: Open) -> None:
    page = visit()
    shown(page, "choose")
    page.wait_for_selector(".avatar img[src]")
    stops: list[str] = []
    for _ in range(8):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.name"))
        if stops[-1] == "start":
            break
    assert stops == ["avatar", "driver", "sound", "start"]
    page.keyboard.press("Enter")
    shown(page, "live")
    assert page.evaluate("document.activeElement.id") == "live-title"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "panic"
