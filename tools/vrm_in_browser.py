"""Let the product drive a VRM avatar in headless Chromium by VMC: does it smile when the driver does?

    python tools/vrm_in_browser.py --cache DIR [--clip FILE --rest A-B --smile A-B] [--plain] [--out DIR]

`facepuppet run` tracks the clip as a webcam and tells VMC to a port of this machine; python-osc hears it, and
three-vrm (of npm, fetched into DIR) draws the avatar of `vrm_avatar.py`. Screenshots are taken all the while,
and the mouth is measured in them: the lips are the red in the picture, the eyes the blue. Without a clip one
is made: the sample portrait, at rest and then smiling. Exits 1 where the avatar does not smile.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer
from room_in_browser import chromium
from vrm_avatar import avatar_bytes

from facepuppet import Expression, HeadPose
from facepuppet.face import ARKIT_INDEX, face_of_blendshapes
from facepuppet.portrait import load_avatar, sample_portrait_path
from facepuppet.session import Puppet
from facepuppet.sinks import open_sink

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PACKAGES = ("three@0.187.0", "@pixiv/three-vrm@3.5.5")
FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # WebGL without a GPU
VIEW = {"width": 320, "height": 320}
HERE = Path(__file__).parent
ADDRESS = "http://avatar.test"  # answered from files; nothing reaches a network
WIDER, HIGHER = 1.08, 0.02  # a smile: mouth, in its own width at rest; corners, in distances between the eyes
_LEAST_IRIS_PX = 15  # of an open eye's
_EVERY_S = 0.12  # between screenshots, at least
_FPS = 30
_STILL_S, _RISE_S, _SMILE_S = 1.5, 0.5, 1.5  # of the clip that is made
_SMILE = {"mouthSmileLeft": 0.85, "mouthSmileRight": 0.85, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5}
_TYPES = {".js": "text/javascript", ".html": "text/html", ".vrm": "model/gltf-binary"}


@dataclass(frozen=True)
class Window:
    """Some seconds of a clip."""

    from_s: float
    to_s: float

    @classmethod
    def of(cls, word: str) -> Window:
        """Read `A-B`."""
        begin, _, end = word.partition("-")
        return cls(float(begin), float(end))


@dataclass(frozen=True)
class Mouth:
    """A mouth in a picture, in distances between the irises.

    Attributes:
        t_s: when, by the performer's clock.
        width: from corner to corner.
        lift: of the corners above the middle of the lips.
    """

    t_s: float
    width: float
    lift: float


class Performer:
    """What comes by VMC, as an avatar program hears it: a frame is whole once expressions are applied."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expressions: dict[str, float] = {}
        self._bones: dict[str, tuple[float, ...]] = {}
        self._t_s = 0.0
        self._newest: dict[str, Any] | None = None
        self.frames = 0
        dispatcher = Dispatcher()
        dispatcher.map("/VMC/Ext/T", self._time)
        dispatcher.map("/VMC/Ext/Bone/Pos", self._bone)
        dispatcher.map("/VMC/Ext/Blend/Val", self._value)
        dispatcher.map("/VMC/Ext/Blend/Apply", self._apply)
        self._server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def newest(self) -> dict[str, Any] | None:
        """Return the newest frame, once."""
        with self._lock:
            frame, self._newest = self._newest, None
        return frame

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
        with self._lock:
            self.frames += 1
            told = {"expressions": dict(self._expressions), "bones": dict(self._bones)}
            self._newest = {"t_s": self._t_s, **told}


def fetch(cache: Path) -> Path:
    """Have three and three-vrm in a folder; returns the one that holds them.

    Raises:
        FileNotFoundError: there is no npm.
        ConnectionError: npm did not get them.
    """
    modules = cache / "node_modules"
    if all((modules / package.rpartition("@")[0]).is_dir() for package in PACKAGES):
        return modules
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("Got no npm; on Debian: sudo apt-get install npm")
    cache.mkdir(parents=True, exist_ok=True)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=0")
    words = [npm, "install", *quiet, "--prefix", str(cache), *PACKAGES]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise ConnectionError(f"npm did not get {' '.join(PACKAGES)}: {done.stderr.strip()[-300:]}")
    return modules


def make_clip(path: Path) -> tuple[Window, Window]:
    """Film the sample portrait at rest and then smiling; returns when it does either."""
    puppet = Puppet(load_avatar(sample_portrait_path(), cache=False))
    smile = np.zeros(len(ARKIT_INDEX), np.float32)
    for name, weight in _SMILE.items():
        smile[ARKIT_INDEX[name]] = weight
    still = HeadPose(np.zeros(3, np.float32))
    n_frames = round(_FPS * (_STILL_S + _RISE_S + _SMILE_S))
    with open_sink(str(path), puppet.canvas_px, float(_FPS)) as sink:
        for n in range(n_frames):
            risen = np.float32(np.clip((n / _FPS - _STILL_S) / _RISE_S, 0.0, 1.0))
            face = face_of_blendshapes(risen * smile, still)
            sink.send(puppet.show(Expression(face, None, n, round(n / _FPS * 1e9))), n / _FPS)
    return Window(0.5, _STILL_S), Window(_STILL_S + _RISE_S + 0.2, n_frames / _FPS)


@contextmanager
def avatar_page(browser: Browser, modules: Path, avatar: bytes) -> Iterator[Page]:
    """Open the avatar's page; what three-vrm found in it is told by `page.evaluate("ready")`."""

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix(ADDRESS).partition("?")[0]
        kind = _TYPES.get(Path(path).suffix, "text/plain")
        if path == "/":
            route.fulfill(body=(HERE / "vrm_page.html").read_bytes(), content_type="text/html")
        elif path == "/avatar.vrm":
            route.fulfill(body=avatar, content_type=kind)
        elif path.startswith("/node_modules/") and (file := modules.parent / path[1:]).is_file():
            route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            route.fulfill(status=404, body="")

    context = browser.new_context(viewport=VIEW)
    try:
        page = context.new_page()
        page.route(f"{ADDRESS}/**", answer)
        page.on("pageerror", lambda error: print("    page:", error, file=sys.stderr))
        page.goto(ADDRESS)
        yield page
    finally:
        context.close()


@contextmanager
def product(clip: Path, port: int, folder: Path, seconds: float | None) -> Iterator[subprocess.Popen[bytes]]:
    """Run `facepuppet run` with a clip for its webcam, in a home of its own."""
    words = ["run", "--avatar", str(sample_portrait_path()), "--right", "public-domain", "--no-ui"]
    words += ["--camera", str(clip), "--send", f"vmc:127.0.0.1:{port}", "--quality", "low"]
    words += ["--canvas", "160x160", "--sink", str(folder / "out.mp4"), "--no-settings"]
    words += [] if seconds is None else ["--seconds", str(seconds)]
    start = "from facepuppet.cli import main; main()"
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    environment = os.environ | dict.fromkeys(homes, str(folder))
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", start, *words],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def watch(
    page: Page, performer: Performer, process: subprocess.Popen[bytes]
) -> Iterator[tuple[float, bytes]]:
    """Let the avatar do what comes, as long as the product runs; gives screenshots, and when each is of."""
    while process.poll() is None:
        frame = performer.newest()
        if frame is None:
            time.sleep(0.01)
            continue
        page.evaluate("frame => perform(frame)", frame)
        begun_s = time.monotonic()
        yield frame["t_s"], page.screenshot()
        time.sleep(max(0.0, _EVERY_S - (time.monotonic() - begun_s)))


def mouth_of(t_s: float, screenshot: bytes) -> Mouth | None:
    """Measure the mouth in a picture; None where an eye is shut or no lips are seen."""
    rgb = np.asarray(Image.open(io.BytesIO(screenshot)).convert("RGB")).astype(np.int32)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    lips = np.argwhere((red > 150) & (green < 60) & (blue < 60)).astype(float)
    irises = _irises((blue > 150) & (red < 60) & (green < 60))
    if len(irises) != 2 or len(lips) < 50:
        return None
    left, right = irises
    apart_px = float(np.hypot(*(right - left)))
    along, down = _axes(lips - (left + right) / 2, (right - left) / apart_px)
    ends = np.quantile(along, [0.03, 0.97])
    corners = np.mean([down[along <= ends[0]].mean(), down[along >= ends[1]].mean()])
    within = np.abs(along - ends.mean()) < 0.15 * (ends[1] - ends[0])
    return Mouth(t_s, float(np.ptp(along)) / apart_px, float(down[within].mean() - corners) / apart_px)


def _irises(blue: Any) -> list[Any]:
    """Middles, row and column, of the spots that are large enough, from left to right."""
    _, _, stats, middles = cv2.connectedComponentsWithStats(blue.astype(np.uint8))
    large = [
        middle[::-1]
        for size, middle in zip(stats[1:, cv2.CC_STAT_AREA], middles[1:], strict=True)
        if size >= _LEAST_IRIS_PX
    ]
    return sorted(large, key=lambda middle: float(middle[1]))


def _axes(points: Any, along: Any) -> tuple[Any, Any]:
    """Part (N, 2) rows and columns by the eyes' line: along it, and down from it."""
    y, x = along
    return points @ np.array([y, x]), points @ np.array([x, -y])


def smiles(mouths: Sequence[Mouth], rest: Window, smile: Window) -> tuple[bool, str]:
    """Whether the mouth of the smile is a smile against that at rest, and how much, in words."""

    def mean(window: Window) -> tuple[float, float, int]:
        within = [one for one in mouths if window.from_s <= one.t_s <= window.to_s]
        if not within:
            return np.nan, np.nan, 0
        return *np.mean([(one.width, one.lift) for one in within], axis=0).tolist(), len(within)

    (width_0, lift_0, n_0), (width_1, lift_1, n_1) = mean(rest), mean(smile)
    told = f"width {width_0:.3f} → {width_1:.3f}, corners {lift_0:+.3f} → {lift_1:+.3f}"
    good = bool(width_1 > WIDER * width_0 and lift_1 > lift_0 + HIGHER)
    return good, f"{told}; {n_0} and {n_1} pictures"


def main() -> int:
    """Look, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder for what npm fetches")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--rest", type=Window.of, help="seconds of the clip at rest")
    parser.add_argument("--smile", type=Window.of, help="seconds of the clip with a smile")
    parser.add_argument("--plain", action="store_true", help="an avatar that knows VRM's expressions alone")
    parser.add_argument("--out", type=Path, help="folder for screenshots")
    arguments = parser.parse_args()
    modules = fetch(arguments.cache)
    with tempfile.TemporaryDirectory() as name, chromium(*FLAGS) as browser:
        folder, clip = Path(name), arguments.clip
        rest, smile = arguments.rest, arguments.smile
        if clip is None:
            clip = folder / "clip.mp4"
            rest, smile = make_clip(clip)
        mouths = perform(
            browser, modules, clip, folder, plain=arguments.plain, until_s=smile.to_s, out=arguments.out
        )
    good, told = smiles(mouths, rest, smile)
    print(f"{'smiles' if good else 'does NOT smile'}: {told}")
    return 0 if good else 1


def perform(
    browser: Browser,
    modules: Path,
    clip: Path,
    folder: Path,
    *,
    plain: bool = False,
    until_s: float | None = None,
    out: Path | None = None,
) -> list[Mouth]:
    """Let a clip drive the avatar by the product; returns the mouth of each screenshot.

    Args:
        browser: with FLAGS.
        modules: of `fetch`.
        clip: for the webcam.
        folder: for what the product writes; what it says is in said.txt.
        plain: an avatar that knows VRM's expressions alone.
        until_s: of the clip.
        out: folder for the screenshots, if they are wanted.
    """
    performer = Performer()
    mouths = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    try:
        with avatar_page(browser, modules, avatar_bytes(arkit=not plain)) as page:
            page.evaluate("ready")
            with product(clip, performer.port, folder, until_s) as process:
                for t_s, screenshot in watch(page, performer, process):
                    mouths.append(mouth_of(t_s, screenshot))
                    if out is not None:
                        (out / f"{t_s:06.2f}.png").write_bytes(screenshot)
    finally:
        performer.close()
    return [mouth for mouth in mouths if mouth is not None]


if __name__ == "__main__":
    sys.exit(main())
