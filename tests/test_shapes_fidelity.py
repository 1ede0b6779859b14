"""A puppet moves as much by 52 shapes as by what they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from shapes_fidelity import LEAST_MEAN, both, correlations, gains, main, mean

from facepuppet.core.types import Expression
from facepuppet.drivers import ScriptedDriver
from facepuppet.face import landmark_offsets
from facepuppet.wires import WireFace, face_of_wire, sample_of_expression

VALIDATION = ("st_happy", "lp_d14", "vr_4", "grid_lrwp9a")


def as_tracked(fps: float) -> list[Expression]:
    """The built-in piece as a tracker of landmarks would tell it: as offsets, with some tremble."""
    rng = np.random.default_rng(5)
    told = []
    with ScriptedDriver(fps=fps) as script:
        for expression in islice(iter(script.read, None), round(12 * fps)):
            assert expression.face is not None
            shape = landmark_offsets(expression.face.deformation)
            shape = replace(shape, offsets=shape.offsets + rng.normal(0, 0.002, (478, 3)).astype(np.float32))
            told.append(replace(expression, face=replace(expression.face, deformation=shape)))
    return told


def without_mouth(expression: Expression) -> Expression:
    """As told by a sender that loses the mouth."""
    face = sample_of_expression(expression).face
    assert face is not None
    weights = face.weights.copy()
    weights[14:41] = 0.0
    told = face_of_wire(WireFace(weights, face.head_rad, face.eyes_rad))
    return replace(expression, face=told, torso=None)


@pytest.fixture(scope="module")
def piece() -> Sequence[Expression]:
    return as_tracked(6.0)


def test_the_built_in_piece_survives_being_told_as_shapes(piece: Sequence[Expression]) -> None:
    pair = both(hopper(), piece)
    figures = correlations(*pair)
    assert mean(figures) > LEAST_MEAN
    assert min(figures.values()) > 0.9, figures
    assert min(gains(*pair).values()) > 0.7


def test_a_lost_mouth_is_seen_in_the_measure(piece: Sequence[Expression]) -> None:
    figures = correlations(*both(hopper(), piece, without_mouth))
    assert not figures["mouth_open"] > 0.5
    assert figures["yaw"] > 0.99


@pytest.mark.slow
@pytest.mark.shared
def test_clips_of_people_survive_being_told_as_shapes(shared: Path) -> None:
    assert main([*(str(shared / "clips" / f"{name}.mp4") for name in VALIDATION), "--frames", "150"]) == 0
