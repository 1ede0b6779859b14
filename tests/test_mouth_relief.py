"""Teeth turn with head and jaw: layers with depth land where their points do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper

from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import HeadMotion
from facepuppet.drivers.scripted import Performance
from facepuppet.face.mouth_model import WIDTH_CM, mouth_model
from facepuppet.face.topology import CHIN, LOWER_LIP_INNER
from facepuppet.frames.cpu.render.mouth import Mouth
from facepuppet.frames.cpu.render.relief import COLUMNS, Relief
from facepuppet.retarget import Retargeter

PX_PER_CM = 30.0
BOX = (0, 0, 240, 160)
MIDDLE_PX = np.array([120.0, 60.0], np.float32)


def upper():
    """The upper teeth's surface, with its own coordinates as colours."""
    layer = mouth_model().layers["upper"]
    height, width = layer.cover.shape
    x, y = np.meshgrid(np.linspace(20, 230, width), np.linspace(20, 230, height))
    rgba = np.dstack([x, y, x, np.full_like(x, 255)]).astype(np.uint8)
    return Relief(
        rgba, mouth_model().px_per_cm, layer.top_cm, layer.level_cm, layer.slope, 0.75 * layer.curve_cm
    )


@pytest.mark.parametrize("yaw, pitch", [(0.0, 0.0), (0.35, 0.0), (-0.3, 0.2), (0.0, -0.35)])
def test_a_point_of_a_turned_row_is_found_where_geometry_puts_it(yaw, pitch):
    relief = upper()
    linear = np.float32(PX_PER_CM * rotation_from_euler(yaw, pitch, 0.1)[:2])
    cut = relief.sample(relief.place(linear, MIDDLE_PX, BOX), BOX[2:])
    points = relief.points_cm()
    for row, column in ((40, 102), (60, 80), (50, 130), (70, 115)):
        at = linear @ points[row, column] + MIDDLE_PX
        found = cut[round(at[1]), round(at[0])].astype(int)
        assert np.abs(found[:2] - relief.rgba[row, column, :2].astype(int)).max() <= 3


def test_what_bends_out_of_sight_on_a_turned_head_is_not_drawn():
    relief = upper()
    turned = relief.place(np.float32(PX_PER_CM * rotation_from_euler(0.5, 0, 0)[:2]), MIDDLE_PX, BOX)
    seen = turned.columns[:, 2]
    assert turned.columns.shape == (COLUMNS, 3)
    assert seen[COLUMNS // 2] == 1.0
    assert sorted((seen[0], seen[-1])) == [0.0, pytest.approx(1.0, abs=0.1)]


def opened(gap=0.3):
    """A motion of the sample portrait whose chin and lower lip have sunk by a share of the eyes' distance."""
    motion = Retargeter(hopper()).update(Performance().expression(0.0, 0))
    landmarks = motion.landmarks_px.copy()
    landmarks[LOWER_LIP_INNER, 1] += gap * hopper().inter_ocular_px
    landmarks[CHIN, 1] += 0.45 * gap * hopper().inter_ocular_px
    return replace(motion, landmarks_px=landmarks, mouth_opening=gap)


def incisors_px(mouth, motion, layer):
    """Row in the picture of the lowest (upper layer) or highest (lower layer) tooth at the mouth's middle."""
    placed = mouth.place(motion)
    _, y, width, height = placed.box_px
    index = list(mouth.layers).index(layer)
    cut = mouth.layers[layer].sample(placed.layers[index], (width, height))
    rows = np.flatnonzero(cut[:, width // 2, 3] > 127)
    return y + (rows.max() if layer == "upper" else rows.min())


def test_lower_teeth_follow_the_jaw_and_upper_ones_do_not():
    mouth = Mouth(hopper(), np.full(3, 150, np.float32))
    little, wide = opened(0.15), opened(0.3)
    assert abs(incisors_px(mouth, wide, "upper") - incisors_px(mouth, little, "upper")) <= 1
    sunk = incisors_px(mouth, wide, "lower") - incisors_px(mouth, little, "lower")
    assert 0.6 < sunk / (0.15 * hopper().inter_ocular_px) < 1.4


def test_a_lip_pulled_off_the_teeth_leaves_the_jaw_where_it_is():
    mouth = Mouth(hopper(), np.full(3, 150, np.float32))
    jaw, lip = opened(0.12), opened(0.12)
    lip.landmarks_px[CHIN] = opened(0.0).landmarks_px[CHIN]
    assert incisors_px(mouth, lip, "lower") < incisors_px(mouth, jaw, "lower") - 2


def test_teeth_keep_their_size_on_a_stretched_mouth():
    """They are placed by the bones of the face, not by its lips."""
    mouth = Mouth(hopper(), np.full(3, 150, np.float32))
    narrow, broad = opened(), opened()
    broad.landmarks_px[:, 0] = narrow.landmarks_px[:, 0].mean() + 1.3 * (
        narrow.landmarks_px[:, 0] - narrow.landmarks_px[:, 0].mean()
    )
    scales = [mouth.place(motion).layers[-1].columns_from_box[0, 0] for motion in (narrow, broad)]
    assert scales[0] == pytest.approx(scales[1], rel=1e-5)


def test_the_far_side_of_the_row_narrows_as_the_head_turns():
    mouth, motion = Mouth(hopper(), np.full(3, 150, np.float32)), opened()
    turn = rotation_from_euler(0.3, 0, 0).astype(np.float32)
    turned = replace(motion, head=HeadMotion(turn, motion.head.shift_px, 1.0))
    columns = mouth.place(turned).layers[-1].columns[:, 0]
    step = np.gradient(columns)
    middle, aside = COLUMNS // 2, round(1.2 / WIDTH_CM * COLUMNS)
    assert abs(np.log(step[middle + aside] / step[middle - aside])) > 0.2
