"""The true motion of a portrait that is a frame of its own clip."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper
from reenactment.puppets import TrueMotion, composite, no_painters

from facepuppet.geometry import rotation_from_euler
from facepuppet.render import Renderer
from facepuppet.render.manifest import read_manifest
from facepuppet.topology import EYES
from facepuppet.track.gaze import eye_openings, gaze_angles
from facepuppet.types import Face, Tracking


def tracking(landmarks):
    landmarks = landmarks.astype(np.float32)
    eye = np.eye(3, dtype=np.float32)
    face = Face(
        landmarks, eye, gaze_angles(landmarks, eye), eye_openings(landmarks), np.zeros(52, np.float32)
    )
    return Tracking(face, None, hopper().size_px, 0, 0)


@pytest.fixture(scope="module")
def truth():
    return TrueMotion(hopper(), tracking(hopper().landmarks_px))


def test_the_source_itself_is_at_rest(truth):
    motion = truth.at(tracking(hopper().landmarks_px), None)
    assert motion.landmarks_px == pytest.approx(hopper().landmarks_px, abs=1e-2)
    assert motion.head.rotation == pytest.approx(np.eye(3), abs=1e-4)
    assert motion.head.shift_px == pytest.approx(0, abs=1e-2)
    assert motion.head.scale == pytest.approx(1.0, abs=1e-4)
    assert motion.eye_opening == pytest.approx(1.0, abs=1e-3)
    assert motion.torso.scale == pytest.approx(1.0, abs=1e-4)


def test_a_rigid_motion_of_the_head_is_found(truth):
    avatar = hopper()
    rotation = rotation_from_euler(0.2, -0.1, 0.05)
    shift = np.array([9.0, -4.0, 0.0])
    pivot = avatar.head_pivot_px
    moved = 1.1 * (avatar.landmarks_px - pivot) @ rotation.T + pivot + shift
    motion = truth.at(tracking(moved), None)
    assert motion.head.rotation == pytest.approx(rotation, abs=1e-3)
    assert motion.head.scale == pytest.approx(1.1, abs=1e-3)
    assert motion.head.shift_px == pytest.approx(shift[:2], abs=0.1)
    assert motion.landmarks_px == pytest.approx(moved, abs=0.1)


@pytest.mark.parametrize(("aperture", "shut"), [(0.2, True), (0.8, False), (1.3, False)])
def test_shut_lids_meet_and_open_ones_stay_as_tracked(truth, aperture, shut):
    """Trackers report a rest of aperture on shut lids."""
    landmarks = hopper().landmarks_px.copy()
    for eye in EYES:
        middle = (landmarks[eye.upper_lid] + landmarks[eye.lower_lid]) / 2
        for lid in (eye.upper_lid, eye.lower_lid):
            landmarks[lid] = middle + aperture * (landmarks[lid] - middle)
    motion = truth.at(tracking(landmarks), None)
    gaps = [
        np.linalg.norm(motion.landmarks_px[e.upper_lid[4], :2] - motion.landmarks_px[e.lower_lid[4], :2])
        for e in EYES
    ]
    tracked = [np.linalg.norm(landmarks[e.upper_lid[4], :2] - landmarks[e.lower_lid[4], :2]) for e in EYES]
    if shut:
        assert max(gaps) < 0.05 and motion.eye_opening == pytest.approx(0.0)
    elif aperture > 1:
        assert gaps == pytest.approx(tracked, rel=0.02) and motion.eye_opening.min() > 1.1
    else:
        assert (np.array(gaps) < tracked).all() and min(gaps) > 0.5 * min(tracked)


def test_no_painters_is_a_manifest_without_networks():
    with no_painters() as folder:
        assert read_manifest(folder) == ()
    assert not folder.exists()


def test_at_rest_the_composite_is_the_portrait(truth):
    avatar = hopper()
    motion = truth.at(tracking(avatar.landmarks_px), None)
    with no_painters() as folder:
        shown = composite(avatar, Renderer(avatar, folder).render(replace(motion, frame_id=3)).rgba)
    assert shown.shape == avatar.portrait_rgb.shape
    assert np.abs(shown.astype(int) - avatar.portrait_rgb).mean() < 3.0
