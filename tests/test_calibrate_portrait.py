"""What people feed the calibration: refused in a sentence, forced where that is possible at all."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from avatars import hopper
from compare import EXACT, assert_pictures_equal
from covered import with_hand, with_mask, with_sunglasses
from pictures import astronaut_rgb, canvas, hopper_rgb
from PIL import Image
from typer.testing import CliRunner

from calibrate.cli import app
from calibrate.landmarks import template
from calibrate.landmarks.points import POINTS
from calibrate.portrait import open_portrait
from facepuppet.core.errors import (
    FaceTooSmallError,
    FaceTurnedAwayError,
    LandmarksError,
    NoFaceError,
    PortraitError,
    PortraitUnfitError,
    SeveralFacesError,
)
from facepuppet.core.types import U8
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.load import load_avatar
from facepuppet.portrait.pack import Pack, save_pack


def room() -> U8:
    """An empty room in perspective, with a window, a door and some grain."""
    picture = np.full((480, 640, 3), (190, 180, 165), np.uint8)
    walls = (
        (((0, 0), (200, 130), (200, 350), (0, 480)), 150),
        (((640, 0), (440, 130), (440, 350), (640, 480)), 135),
    )
    for corners, grey in walls:
        cv2.fillPoly(picture, [np.array(corners, np.int32)], (grey, grey - 8, grey - 20))
    cv2.fillPoly(picture, [np.array(((0, 480), (200, 350), (440, 350), (640, 480)), np.int32)], (110, 80, 55))
    cv2.rectangle(picture, (260, 170), (330, 260), (235, 245, 250), -1)
    cv2.rectangle(picture, (380, 200), (425, 350), (95, 60, 40), -1)
    grain = np.random.default_rng(0).normal(0, 4, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


@cache
def over_hopper(kind: str) -> U8:
    cover = {"sunglasses": with_sunglasses, "mask": with_mask, "hand": with_hand}[kind]
    return cover(hopper_rgb(), hopper().landmarks_px)


def saved(folder: Path, rgb: U8) -> Path:
    path = folder / "me.png"
    Image.fromarray(rgb).save(path, compress_level=1)  # large ones would take a second
    return path


def silent(_: str) -> None:
    pass


def group() -> U8:
    """Three faces in a picture that is not cropped to one of them."""
    wide = canvas(
        (hopper_rgb(), (220, 360), 0.7, 0.0),
        (astronaut_rgb(), (640, 360), 1.5, 0.0),
        (hopper_rgb(), (1060, 360), 0.7, 0.0),
    )
    return cv2.resize(wide, None, fx=0.78, fy=0.78, interpolation=cv2.INTER_AREA).astype(np.uint8)


def small() -> U8:
    return np.asarray(Image.fromarray(hopper_rgb()).resize((140, 164)))


NO_FACE = {"a cat": skimage.data.chelsea, "a cup of coffee": skimage.data.coffee, "an empty room": room}


@pytest.mark.parametrize("what", NO_FACE)
@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_face_is_refused_and_cannot_be_forced(what: str, force: bool, tmp_path: Path) -> None:
    with pytest.raises(NoFaceError, match="no human face was found"):
        open_portrait(saved(tmp_path, NO_FACE[what]()), force=force, tell=silent)


UNFIT: dict[str, tuple[object, type[PortraitError], str]] = {
    "a group": (group, SeveralFacesError, "other faces of comparable size"),
    "a small face": (small, FaceTooSmallError, "face width"),
    "sunglasses": (lambda: over_hopper("sunglasses"), PortraitUnfitError, "eyes in sight"),
    "a mask": (lambda: over_hopper("mask"), PortraitUnfitError, "mouth in sight"),
    "a hand over the mouth": (lambda: over_hopper("hand"), PortraitUnfitError, "mouth in sight"),
    "darkness": (lambda: (hopper_rgb() * 0.06).astype(np.uint8), PortraitUnfitError, "lightness of the face"),
    "blur": (lambda: cv2.GaussianBlur(hopper_rgb(), (0, 0), 9), PortraitUnfitError, "softness of edges"),
    "on its side": (lambda: tilted(60), FaceTurnedAwayError, "head tilted"),
}


def tilted(degrees: float) -> U8:
    return canvas((hopper_rgb(), (640, 360), 1.0, np.deg2rad(degrees)))


# One of each error but of what test_portrait_gates refuses; each gate is measured in test_calibrate_gates.
FEW = ("a small face", "sunglasses")


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=[pytest.mark.thorough] * (what not in FEW)) for what in UNFIT]
)
def test_unfit_portraits_are_refused_and_can_be_forced(what: str, tmp_path: Path) -> None:
    make, error, label = UNFIT[what]
    path = saved(tmp_path, make())  # type: ignore[operator]
    with pytest.raises(PortraitError) as caught:
        open_portrait(path, tell=silent)
    # The tracker's own refusal may come before the gate's.
    assert isinstance(caught.value, (error, FaceTurnedAwayError))
    assert caught.value.todo.endswith(".")
    told: list[str] = []
    made = open_portrait(path, force=True, tell=told.append)
    assert isinstance(made, Avatar)
    bad = [line for line in told if line.startswith("  BAD")]
    assert any(label in line for line in bad), told
    assert all(line.count(". ") >= 1 and line.endswith(".") for line in bad)


def test_a_forced_pack_of_a_small_face_loads(tmp_path: Path) -> None:
    made = open_portrait(saved(tmp_path, small()), force=True, tell=silent)
    save_pack(Pack(made), tmp_path / "small.puppet")
    assert load_avatar(tmp_path / "small.puppet").size_px == (140, 164)


def test_forcing_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    path = saved(tmp_path, small())
    open_portrait(path, force=True, tell=silent)
    with pytest.raises(FaceTooSmallError):
        load_avatar(path)


def landmarks_file(folder: Path, offset_px: float = 0.0) -> Path:
    points = hopper().landmarks_px[:, :2] + offset_px
    text = template({name: (float(points[i, 0]), float(points[i, 1])) for name, i in POINTS.items()})
    path = folder / "face.toml"
    path.write_text(text, encoding="utf-8")
    return path


def statue() -> U8:
    """Hopper as something that no tracker knows: edges of stone."""
    grey = cv2.GaussianBlur(cv2.cvtColor(hopper_rgb(), cv2.COLOR_RGB2GRAY), (0, 0), 2)
    return np.repeat((255 - grey)[..., None], 3, axis=2)


def test_landmarks_make_a_pack_of_what_the_tracker_does_not_see(tmp_path: Path) -> None:
    path = saved(tmp_path, statue())
    with pytest.raises(PortraitError):
        open_portrait(path, tell=silent)
    told: list[str] = []
    made = open_portrait(path, landmarks=landmarks_file(tmp_path), tell=told.append)
    gap = np.linalg.norm((made.landmarks_px - hopper().landmarks_px)[:, :2], axis=1)
    assert gap.mean() < 3.0  # px, of a face 180 px wide
    assert len(told) >= 13
    save_pack(Pack(made), tmp_path / "statue.puppet")
    assert load_avatar(tmp_path / "statue.puppet").size_px == (512, 600)


@pytest.mark.thorough
def test_landmarks_follow_a_large_picture_into_its_working_size(tmp_path: Path) -> None:
    large = cv2.resize(hopper_rgb(), None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    points = (hopper().landmarks_px[:, :2] + 0.5) * 2 - 0.5
    text = template({name: (float(points[i, 0]), float(points[i, 1])) for name, i in POINTS.items()})
    (tmp_path / "face.toml").write_text(text, encoding="utf-8")
    made = open_portrait(saved(tmp_path, large), landmarks=tmp_path / "face.toml", tell=silent)
    tracked = open_portrait(tmp_path / "me.png", tell=silent)
    assert made.size_px == tracked.size_px and made.size_px == (945, 1108), "1024² pixels"
    gap = np.linalg.norm((made.landmarks_px - tracked.landmarks_px)[:, :2], axis=1)
    assert np.median(gap) < 8.0  # px, of a face of 300 px and more


def test_landmarks_that_miss_the_picture_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LandmarksError, match="inside the picture"):
        open_portrait(saved(tmp_path, small()), landmarks=landmarks_file(tmp_path), tell=silent)


def test_the_command_writes_landmarks_that_the_next_one_takes(tmp_path: Path) -> None:
    path, out = saved(tmp_path, hopper_rgb()), tmp_path / "face.toml"
    printed = CliRunner().invoke(app, ["landmarks", str(path)])
    assert printed.exit_code == 0 and printed.output.startswith("# Landmarks placed by hand")
    wrote = CliRunner().invoke(app, ["landmarks", str(path), "--out", str(out)])
    assert wrote.exit_code == 0 and "what the tracker sees" in wrote.output
    assert out.read_text(encoding="utf-8") == printed.output
    assert open_portrait(path, landmarks=out, tell=silent).size_px == (512, 600)


def test_the_best_frame_of_an_animation_becomes_the_portrait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames = [np.zeros((600, 512, 3), np.uint8), over_blurred(), hopper_rgb(), room_sized()]
    path = tmp_path / "me.webp"
    first, *rest = (Image.fromarray(frame) for frame in frames)
    first.save(path, save_all=True, append_images=rest, lossless=True, duration=100)
    with caplog.at_level("WARNING"):
        made = load_avatar(path, cache=False)
    assert_pictures_equal(made.portrait_rgb, hopper_rgb(), EXACT)
    assert "number 3 suits best" in caplog.text


def over_blurred() -> U8:
    return cv2.GaussianBlur(hopper_rgb(), (0, 0), 5).astype(np.uint8)


def room_sized() -> U8:
    return cv2.resize(room(), (512, 600)).astype(np.uint8)
