"""Folds of the moved mesh: clean edges, exact coverage, nothing at rest."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from avatars import hopper

from facepuppet.core.geometry import rotation_from_euler, vector_from_rotation
from facepuppet.face.topology import FACE_OVAL, NOSE_TIP, face_triangles
from facepuppet.frames.cpu.render.fold_sides import Crossing, mend
from facepuppet.frames.cpu.render.folds import Folds
from facepuppet.frames.cpu.render.mesh import FacePatch, facing
from facepuppet.frames.cpu.render.oval_weights import OvalWeights
from facepuppet.frames.cpu.render.warp import Flow, Warp
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target

SIDE = 64
SKIN, BACKDROP = 220, 30
FRONT_AT, BACK_AT = 10.0, 50.0  # columns of the texture that what lies before the fold and behind comes from


@pytest.fixture(scope="module")
def warp() -> Warp:
    return Warp(hopper())


def turned(yaw: float, pitch: float = 0.0):
    turn = vector_from_rotation(rotation_from_euler(yaw, pitch, 0.0)).astype(np.float32)
    return Target(hopper()).motion(replace(Deltas.rest(), turn=turn))


def crossings_of(folds: Folds, motion) -> np.ndarray:
    front = facing(motion.landmarks_px[face_triangles(), :2])
    return folds.crossings(
        motion.landmarks_px, front, OvalWeights(hopper().landmarks_px).of(motion.landmarks_px)
    )


def moving(texture: np.ndarray) -> SimpleNamespace:
    """What of a Warp is looked at."""
    return SimpleNamespace(texture=texture, scale=1)


def half_plane(slope: float, offset: float, side: int, cell: int):
    """Skin on one side of a line x = offset + slope · y: flow on cells of some pixels, table and truth."""
    cells = SIDE // cell
    y, x = (np.mgrid[:cells, :cells] + 0.5) * cell - 0.5
    before = side * (x - (offset + slope * y)) < 0
    columns = np.where(before, FRONT_AT, BACK_AT).astype(np.float32)
    source = np.stack([columns, np.full_like(columns, 20.0)], axis=-1)
    numbers = before.astype(np.int32)
    size = (SIDE, SIDE)
    face = FacePatch(
        source,
        np.ones_like(source),
        (0, 0),
        size,
        np.zeros((0, 3, 2), np.float32),
        numbers,
        np.zeros(0, bool),
        np.zeros(36, np.float32),
    )
    body = np.full((4, 4, 2), (BACK_AT, 20.0), np.float32)
    flow = Flow(cv2.resize(source, size, interpolation=cv2.INTER_LINEAR), face, (), body)
    table = np.zeros((SIDE, len(Crossing)), np.float32)
    table[:, Crossing.SIDE], table[:, Crossing.SLOPE], table[:, Crossing.OWN] = side, slope, 1.0
    table[:, Crossing.LINE] = np.arange(SIDE)
    table[:, Crossing.AT] = offset + slope * np.arange(SIDE)
    table[:, Crossing.SOURCE_X : Crossing.OWN] = FRONT_AT, 20.0
    fine = (np.mgrid[: 16 * SIDE, : 16 * SIDE] + 0.5) / 16 - 0.5
    inside = (side * (fine[1] - (offset + slope * fine[0])) < 0).astype(np.float32)
    share = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
    return flow, table, BACKDROP + share * (SKIN - BACKDROP)


@pytest.mark.parametrize("cell", [1, 2, 4])
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("slope", [0.0, 0.23, -0.61, 1.0])
def test_an_edge_covers_each_pixel_by_its_area(slope, side, cell):
    flow, table, truth = half_plane(slope, 30.3 - slope * SIDE / 2, side, cell)
    texture = np.full((SIDE, SIDE, 4), BACKDROP, np.uint8)
    texture[:, : SIDE // 2] = SKIN
    within = slice(12, -12)  # at the picture's border a side of the edge is missing
    picture = cv2.remap(texture, flow.texture_from_moved, None, cv2.INTER_LINEAR)
    jagged = np.abs(picture[within, within, 0] - truth[within, within]).max()
    mend(picture, flow, table, moving(texture), 8.0, np.zeros(SIDE * SIDE, np.int32))
    off = np.abs(picture[within, within, 0] - truth[within, within])
    assert off.max() < 0.13 * (SKIN - BACKDROP)  # a corner's area is taken for a ramp's
    assert off.max() < 0.5 * jagged or jagged < 2


def test_an_edge_behind_other_skin_is_left_alone():
    flow, table, _ = half_plane(0.2, 20.0, 1, 2)
    table[:, Crossing.SOURCE_Y] += 40.0  # what is seen there is not what folds
    picture = np.full((SIDE, SIDE, 4), 7, np.uint8)
    mend(
        picture,
        flow,
        table,
        moving(np.zeros((SIDE, SIDE, 4), np.uint8)),
        8.0,
        np.zeros(SIDE * SIDE, np.int32),
    )
    assert (picture == 7).all()


def test_at_rest_nothing_is_mended(warp):
    motion = turned(0.0)
    flow = warp.flow(motion)
    picture = warp.sample(flow)
    given = picture.copy()
    Folds(hopper(), warp).mend(picture, flow, motion.landmarks_px)
    assert (picture == given).all()


@pytest.mark.parametrize(("yaw", "pitch"), [(0.7, 0.0), (-0.5, 0.4)])
def test_folds_lie_on_edges_of_skin_that_faces_the_viewer(warp, yaw, pitch):
    motion, folds = turned(yaw, pitch), Folds(hopper(), warp)
    table = crossings_of(folds, motion)
    assert len(table) > 100
    assert np.abs(table[:, Crossing.SLOPE]).max() <= 1.0
    upright = table[:, Crossing.UPRIGHT] > 0
    line, at, side = (table[:, k] for k in (Crossing.LINE, Crossing.AT, Crossing.SIDE))
    skin = motion.landmarks_px[face_triangles(), :2]
    covered = np.zeros((600, 512), np.uint8)
    for triangle in skin[facing(skin)]:
        cv2.fillConvexPoly(covered, np.round(triangle * 16).astype(np.int32), 1, shift=4)
    before = np.round(at - 1.5 * side).astype(int)
    x, y = np.where(upright, line, before).astype(int), np.where(upright, before, line).astype(int)
    within = (x >= 0) & (y >= 0) & (x < 512) & (y < 600)
    assert covered[y[within], x[within]].mean() > 0.97  # corners stick out by half a line


def test_the_face_ends_sharply_on_its_far_side_alone():
    weights = OvalWeights(hopper().landmarks_px)
    ahead, aside = weights.of(turned(0.0).landmarks_px), weights.of(turned(0.6).landmarks_px)
    assert ahead.min() >= 0.0 and ahead.max() <= 1.0
    left_half, right_half = aside[19:35], aside[1:17]
    sharp, soft = max(left_half.mean(), right_half.mean()), min(left_half.mean(), right_half.mean())
    assert sharp > 0.5 and soft < 0.2


def test_folds_are_drawn_the_farther_first(warp):
    """The nose's outline, nearest of all, comes after the far jaw's."""
    motion, folds = turned(0.8), Folds(hopper(), warp)
    table = crossings_of(folds, motion)
    sources = table[:, Crossing.SOURCE_X : Crossing.OWN]
    nose, jaw = (warp.in_texture(hopper().landmarks_px[k, :2]) for k in (NOSE_TIP, FACE_OVAL[8]))
    places = np.arange(len(table))
    at_nose = places[np.linalg.norm(sources - nose, axis=1) < folds.near]
    at_jaw = places[np.linalg.norm(sources - jaw, axis=1) < folds.near]
    assert len(at_nose) and (not len(at_jaw) or at_nose.mean() > at_jaw.mean())
