"""Eyes larger than a human's are found, shut and looked with; human ones are left alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import astronaut_rgb, hopper_rgb
from views import NO_ENGINES

from facepuppet.core.types import F32, F64, U8
from facepuppet.face.topology import EYES, N_MESH, eye_interior_triangles, face_triangles
from facepuppet.frames.cpu.render import Renderer
from facepuppet.media.pictures import decode_picture
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.large_eyes import fit_eyes
from facepuppet.portrait.load import load_avatar
from facepuppet.portrait.requirements import find_the_face
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target

WHITE, LINER, PUPIL = (238, 240, 242), (52, 30, 26), (14, 12, 14)
BLUE, BROWN = (70, 130, 200), (96, 56, 34)
HALF_LENGTH, HALF_HEIGHT, IRIS = 0.56, 0.34, 0.25  # of a painted eye, in widths of the human one under it
FINE = 4  # painted so many times larger, for soft edges


@dataclass(frozen=True)
class Painted:
    """A photo with cartoon eyes painted over its own, and the truth about them."""

    rgb: U8
    landmarks_px: F32  # as tracked on it
    eyes: U8  # (H, W) coverage
    centres_px: F64  # (2, 2)
    iris_px: F64  # (2,) radii


@cache
def photo(name: str) -> U8:
    return hopper_rgb() if name == "hopper" else cv2.resize(astronaut_rgb(), None, fx=2, fy=2)


@cache
def painted(name: str, colour: tuple[int, int, int]) -> Painted:
    rgb = photo(name)
    landmarks = find_the_face(rgb).landmarks_px
    canvas = cv2.resize(rgb, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    eyes = np.zeros(canvas.shape[:2], np.uint8)
    corners = np.array([sorted(landmarks[[eye.outer, eye.inner], :2].tolist()) for eye in EYES])
    along, centres = corners[:, 1] - corners[:, 0], corners.mean(1)
    widths = np.linalg.norm(along, axis=1)
    for centre, width, (x, y) in zip(FINE * centres, FINE * widths, along, strict=True):
        box = (
            centre.tolist(),
            (2 * HALF_LENGTH * width, 2 * HALF_HEIGHT * width),
            np.degrees(np.arctan2(y, x)),
        )
        cv2.ellipse(eyes, box, 255, -1)
        cv2.ellipse(canvas, box, WHITE, -1)
        middle = np.round(centre).astype(int).tolist()
        cv2.circle(canvas, middle, round(IRIS * width), colour, -1)
        cv2.circle(canvas, middle, round(0.4 * IRIS * width), PUPIL, -1)
        cv2.ellipse(canvas, box, LINER, round(0.04 * width))
    size = rgb.shape[1::-1]
    out = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA)
    eyes = cv2.resize(eyes, size, interpolation=cv2.INTER_AREA)
    return Painted(out, find_the_face(out).landmarks_px, eyes, centres, IRIS * widths)


CASES = [
    ("hopper", BLUE),
    pytest.param("hopper", BROWN, marks=pytest.mark.thorough),
    pytest.param("astronaut", BLUE, marks=pytest.mark.thorough),
    ("astronaut", BROWN),
]


def area(landmarks_px: F32, shape: tuple[int, ...]) -> U8:
    """Where the lids are open."""
    mask = np.zeros(shape[:2], np.uint8)
    for eye in EYES:
        cv2.fillPoly(mask, [np.round(16 * landmarks_px[eye.ring, :2]).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask


def overlap(landmarks_px: F32, eyes: U8) -> float:
    """Intersection over union of the open lids and the painted eyes."""
    opened, eyes = area(landmarks_px, eyes.shape) > 127, eyes > 127
    return float((opened & eyes).sum() / (opened | eyes).sum())


def rendered(rgb: U8, landmarks_px: F32, **changes) -> U8:
    """The portrait, all of it person, with some deltas."""
    solid = np.full(rgb.shape[:2], 255, np.uint8)
    shoulders = np.array([[0, rgb.shape[0]], rgb.shape[1::-1]], np.float32)
    avatar = Avatar("eyes", rgb, landmarks_px, shoulders, solid, rgb, rgb, "0")
    motion = Target(avatar).motion(replace(Deltas.rest(), **changes))
    return Renderer(avatar, NO_ENGINES).render(motion).rgba[..., :3]  # what geometry alone covers


def whites(rgb: U8, eyes: U8) -> int:
    """How many pixels of the painted eyes have the colour of the white."""
    return int(((np.abs(rgb.astype(int) - WHITE).max(-1) < 30) & (eyes > 0)).sum())


@pytest.mark.parametrize(("name", "colour"), CASES)
def test_rims_go_out_to_where_the_painted_eye_ends(name, colour):
    case = painted(name, colour)
    before = overlap(case.landmarks_px, case.eyes)
    after = overlap(fit_eyes(case.rgb, case.landmarks_px), case.eyes)
    assert before < 0.7 < 0.85 < after


@pytest.mark.parametrize(("name", "colour"), CASES)
def test_a_full_blink_covers_the_white(name, colour):
    case = painted(name, colour)
    shut = np.zeros(2, np.float32)
    left = whites(rendered(case.rgb, fit_eyes(case.rgb, case.landmarks_px), eye_opening=shut), case.eyes)
    left_before = whites(rendered(case.rgb, case.landmarks_px, eye_opening=shut), case.eyes)
    painted_whites = whites(case.rgb, case.eyes)
    assert left < 0.005 * painted_whites < left_before


@pytest.mark.parametrize(("name", "colour"), CASES)
def test_the_iris_is_as_large_as_painted(name, colour):
    case = painted(name, colour)
    fitted = fit_eyes(case.rgb, case.landmarks_px)[:, :2]
    for eye, centre, radius in zip(EYES, case.centres_px, case.iris_px, strict=True):
        ring = np.linalg.norm(fitted[eye.iris_ring] - fitted[eye.iris_centre], axis=1).mean()
        assert ring == pytest.approx(radius, rel=0.1)
        assert np.linalg.norm(fitted[eye.iris_centre] - centre) < 0.15 * radius


@pytest.mark.parametrize(("name", "colour"), CASES)
def test_the_mesh_does_not_fold_and_the_brows_stay(name, colour):
    case = painted(name, colour)
    fitted = fit_eyes(case.rgb, case.landmarks_px)
    triangles = np.concatenate([face_triangles(), *eye_interior_triangles()])

    def facing(landmarks_px: F32) -> F64:
        a, b, c = landmarks_px[triangles, :2].transpose(1, 0, 2).astype(np.float64)
        (abx, aby), (acx, acy) = (b - a).T, (c - a).T
        return abx * acy - aby * acx

    before, after = facing(case.landmarks_px), facing(fitted)
    assert not ((before < -1.0) & (after > 0.5)).any()
    for eye in EYES:
        width = np.linalg.norm(np.subtract(*case.landmarks_px[[eye.outer, eye.inner], :2]))
        moved = np.linalg.norm((fitted - case.landmarks_px)[eye.brow, :2], axis=1)
        assert moved.max() < 0.08 * width
    assert np.array_equal(fitted[:, 2], case.landmarks_px[:, 2])


@pytest.mark.parametrize("name", ["hopper", "astronaut"])
def test_human_eyes_are_left_alone(name):
    """Among them spectacles that shine."""
    landmarks = find_the_face(photo(name)).landmarks_px
    assert np.array_equal(fit_eyes(photo(name), landmarks), landmarks)


def test_a_monochrome_picture_is_left_alone():
    """White and skin have one hue there: better too small an eye than a lid on the cheek."""
    case = painted("hopper", BLUE)
    grey = cv2.cvtColor(cv2.cvtColor(case.rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert np.array_equal(fit_eyes(grey, case.landmarks_px), case.landmarks_px)


def test_analysis_fits_the_eyes(tmp_path):
    case = painted("hopper", BLUE)
    path = tmp_path / "large.png"
    cv2.imwrite(str(path), case.rgb[..., ::-1])
    avatar = load_avatar(path, cache=False)
    assert avatar.portrait_rgb.shape == case.rgb.shape
    assert overlap(avatar.landmarks_px, case.eyes) > 0.85


@pytest.mark.shared
def test_generated_portraits_are_left_alone(shared: Path):
    for path in sorted((shared / "portraits" / "generated").iterdir())[::40]:
        rgb = decode_picture(path.read_bytes(), name=path.name)
        landmarks = find_the_face(rgb).landmarks_px
        assert np.array_equal(fit_eyes(rgb, landmarks), landmarks), path.name


@pytest.mark.shared
def test_a_cartoon_s_eyes_are_enlarged(shared: Path):
    path = shared / "portraits" / "art" / "cartoon_3d.jpg"
    rgb = decode_picture(path.read_bytes(), name=path.name)
    landmarks = find_the_face(rgb).landmarks_px
    fitted = fit_eyes(rgb, landmarks)
    assert (area(fitted, rgb.shape) > 127).sum() > 1.2 * (area(landmarks, rgb.shape) > 127).sum()
    assert not np.array_equal(fitted[N_MESH:], landmarks[N_MESH:])
