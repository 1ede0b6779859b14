"""Let the product drive a VRM avatar in headless Chromium by VMC: does it smile when the driver does?

    python tools/vrm_in_browser.py --cache DIR [--clip FILE --rest A-B --smile A-B] [--plain] [--out DIR]

`facepuppet run` tracks the clip as a webcam and tells VMC to a port of this machine; python-osc hears it.
Afterwards, so that a small machine need not do both at once, three-vrm (of npm, fetched into DIR) draws the
avatar of `vrm_avatar.py` as the frames say. The mouth is measured in screenshots: lips are the red in them,
eyes the blue. Without a clip one is made: the sample portrait, at rest and then smiling. Exits 1 where the
avatar does not smile.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from mouth_in_picture import Mouth, Window, mouth_of, smiles
from room_in_browser import chromium
from vmc_performer import VmcPerformer
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
_EVERY_S = 0.15  # between screenshots, at least
_LONGEST_S = 120.0  # that the product may take
_FPS = 30
_STILL_S, _RISE_S, _SMILE_S = 2.5, 0.5, 2.0  # of the clip that is made
_SMILE = {"mouthSmileLeft": 0.85, "mouthSmileRight": 0.85, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5}
_TYPES = {".js": "text/javascript", ".html": "text/html", ".vrm": "model/gltf-binary"}


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


def heard_of(clip: Path, folder: Path, seconds: float | None) -> list[dict[str, Any]]:
    """Run `facepuppet run` with a clip for its webcam, in a home of its own; returns what it tells by VMC.

    Raises:
        RuntimeError: it failed.
    """
    performer = VmcPerformer()
    try:
        said = folder / "said.txt"
        with said.open("wb") as file:
            status = _run(clip, performer.port, folder, seconds, file)
        if status != 0:
            raise RuntimeError(f"facepuppet run ended with {status}: {said.read_text(encoding='utf-8')}")
    finally:
        performer.close()
    return performer.frames


def _run(clip: Path, port: int, folder: Path, seconds: float | None, said: IO[bytes]) -> int:
    words = ["run", "--avatar", str(sample_portrait_path()), "--right", "public-domain", "--no-ui"]
    words += ["--camera", str(clip), "--send", f"vmc:127.0.0.1:{port}", "--quality", "low"]
    words += ["--canvas", "160x160", "--sink", str(folder / "out.mp4"), "--no-settings"]
    words += [] if seconds is None else ["--seconds", str(seconds + 0.5)]
    start = "from facepuppet.cli import main; main()"
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    environment = os.environ | dict.fromkeys(homes, str(folder))
    return subprocess.run(
        [sys.executable, "-c", start, *words],
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        env=environment,
        timeout=_LONGEST_S,
        check=False,
    ).returncode


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
    mouths, drawn_s = [], -_EVERY_S
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    frames = heard_of(clip, folder, until_s)
    with avatar_page(browser, modules, avatar_bytes(arkit=not plain)) as page:
        page.evaluate("ready")
        for frame in frames:
            if frame["t_s"] < drawn_s + _EVERY_S:
                continue
            drawn_s = frame["t_s"]
            page.evaluate("frame => perform(frame)", frame)
            screenshot = page.screenshot()
            mouths.append(mouth_of(drawn_s, screenshot))
            if out is not None:
                (out / f"{drawn_s:06.2f}.png").write_bytes(screenshot)
    return [mouth for mouth in mouths if mouth is not None]


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
            browser,
            modules,
            clip,
            folder,
            plain=arguments.plain,
            until_s=max(rest.to_s, smile.to_s),
            out=arguments.out,
        )
    good, told = smiles(mouths, rest, smile)
    print(f"{'smiles' if good else 'does NOT smile'}: {told}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
