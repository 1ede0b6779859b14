"""A real VRM avatar, drawn by three-vrm in a real Chromium, does what the product tells by VMC."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mouth_in_picture import Mouth, Window, mouth_of, smiles
from PIL import Image, ImageDraw
from vrm_avatar import avatar_bytes
from vrm_in_browser import FLAGS, fetch, make_clip, perform

from facepuppet.face import ARKIT_INDEX

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Of VRM 1.0: github.com/vrm-c/vrm-specification, humanoid.md.
REQUIRED = {"hips", "spine", "head"} | {
    side + part
    for side in ("left", "right")
    for part in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
}


def parted(content: bytes) -> tuple[dict[str, Any], bytes]:
    """JSON and numbers of a binary glTF, which must be as long as it says."""
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    size, kind = struct.unpack_from("<I4s", content, 12)
    assert kind == b"JSON" and size % 4 == 0
    rest, kind = struct.unpack_from("<I4s", content, 20 + size)
    assert kind == b"BIN\0" and 28 + size + rest == length
    return json.loads(content[20 : 20 + size]), content[28 + size :]


def test_the_avatar_is_a_vrm_with_all_that_is_required() -> None:
    told, numbers = parted(avatar_bytes())
    vrm = told["extensions"]["VRMC_vrm"]
    assert vrm["specVersion"] == "1.0"
    assert set(vrm["humanoid"]["humanBones"]) >= REQUIRED
    assert set(vrm["expressions"]["custom"]) == set(ARKIT_INDEX)
    assert {"happy", "aa", "blinkLeft"} <= set(vrm["expressions"]["preset"])
    assert max(view["byteOffset"] + view["byteLength"] for view in told["bufferViews"]) <= len(numbers)
    face = next(mesh for mesh in told["meshes"] if "extras" in mesh)
    assert all(len(surface["targets"]) == len(ARKIT_INDEX) for surface in face["primitives"])


def test_a_plain_avatar_knows_no_names_of_arkits() -> None:
    told, _ = parted(avatar_bytes(arkit=False))
    assert "custom" not in told["extensions"]["VRMC_vrm"]["expressions"]


def drawn(lift_px: float, *, eyes: int = 2, roll_deg: float = 0.0) -> bytes:
    """Two irises, 80 pixels apart, and lips of 60 whose corners are so much higher than their middle."""
    picture = Image.new("RGB", (320, 320), (150, 180, 180))
    pen = ImageDraw.Draw(picture)
    for x in (120, 200)[:eyes]:
        pen.ellipse((x - 6, 114, x + 6, 126), fill=(0, 0, 255))
    top = [(x, 200 - lift_px * ((x - 160) / 30) ** 2) for x in range(130, 191)]
    pen.polygon([*top, *((x, y + 12) for x, y in reversed(top))], fill=(255, 0, 0))
    kept = io.BytesIO()
    picture.rotate(roll_deg, fillcolor=(150, 180, 180)).save(kept, "PNG")
    return kept.getvalue()


@pytest.mark.parametrize("roll_deg", [0.0, 15.0, -15.0])
def test_mouths_are_measured_by_the_eyes_line(roll_deg: float) -> None:
    mouth = mouth_of(1.0, drawn(16.0, roll_deg=roll_deg))
    assert mouth is not None
    assert mouth.width == pytest.approx(60 / 80, abs=0.02)
    assert mouth.lift == pytest.approx(16 / 80, abs=0.025)


def test_without_both_eyes_nothing_is_measured() -> None:
    assert mouth_of(1.0, drawn(16.0, eyes=1)) is None


def test_only_a_wider_mouth_with_higher_corners_is_a_smile() -> None:
    def smiled(width: float, lift: float, pictures: int = 3) -> bool:
        mouths = [Mouth(0.5, 0.8, 0.05)] * 3 + [Mouth(2.0, width, lift)] * pictures
        return smiles(mouths, Window(0, 1), Window(1.5, 3))[0]

    assert smiled(0.95, 0.1)
    assert not smiled(0.8, 0.1)
    assert not smiled(0.95, 0.05)
    assert not smiled(0.95, 0.1, pictures=2)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return fetch(tmp_path_factory.mktemp("npm"))
    except (FileNotFoundError, ConnectionError) as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def browser_3d() -> Iterator[Browser]:
    """A real Chromium that draws in space without a GPU."""
    pytest.importorskip("playwright", reason="Playwright is not installed (extra dev)")
    from room_in_browser import chromium, chromium_path

    if chromium_path() is None:
        pytest.skip("no chromium on PATH")
    with chromium(*FLAGS) as opened:
        yield opened


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Window, Window]:
    """A portrait that rests and then smiles, filmed, and when."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return path, *make_clip(path)


@pytest.mark.slow
@pytest.mark.parametrize("plain", [False, True], ids=["with ARKit's shapes", "with VRM's expressions"])
def test_the_avatar_smiles_when_the_webcams_clip_does(
    browser_3d: Browser, modules: Path, clip: tuple[Path, Window, Window], tmp_path: Path, plain: bool
) -> None:
    path, rest, smile = clip
    mouths = perform(browser_3d, modules, path, tmp_path, plain=plain, until_s=smile.to_s)
    good, told = smiles(mouths, rest, smile)
    assert good, told
    begun = Window(rest.from_s, (rest.from_s + rest.to_s) / 2)
    assert not smiles(mouths, begun, rest)[0]  # at rest it does not


@pytest.mark.slow
@pytest.mark.shared
def test_the_avatar_smiles_when_a_person_does(
    browser_3d: Browser, modules: Path, shared: Path, tmp_path: Path
) -> None:
    mouths = perform(browser_3d, modules, shared / "clips" / "fgnet_franck.mp4", tmp_path, until_s=6.5)
    good, told = smiles(mouths, Window(5.0, 6.5), Window(1.6, 3.6))
    assert good, told
    assert np.ptp([mouth.lift for mouth in mouths]) > 0.08
