"""The true motion of a portrait that is a frame of its own clip."""

import numpy as np
import pytest
from avatars import hopper
from compare import LAYERS, assert_pictures_equal
from reenactment.puppets import composite, no_painters, perform, relaxed_opening, true_motions
from reenactment.takes import Take

from facepuppet.core.geometry import rotation_from_euler
from facepuppet.drivers.camera.tracking import Face, Torso, Tracking
from facepuppet.face.topology import EYES
from facepuppet.frames.cpu.render import Renderer
from facepuppet.inference.manifest import read_manifest


def tracking(landmarks, shoulders=None):
    landmarks = landmarks.astype(np.float32)
    face = Face.of(landmarks)
    torso = None if shoulders is None else Torso(shoulders.astype(np.float32), 0.9)
    return Tracking(face, torso, hopper().size_px, 0, 0)


def motions(*others, unseen=False):
    """True motions of the portrait's own frame, then of other trackings."""
    rest = tracking(hopper().landmarks_px + np.float32(1.5), hopper().shoulders_px)
    lost = (Tracking(None, None, hopper().size_px, 0, 0),) if unseen else ()
    tracked = (rest, *others, *lost)
    pictures = (hopper().portrait_rgb,) * len(tracked)
    return true_motions(hopper(), Take("hopper", pictures, tracked, tracked, 30.0, 0))


def test_the_source_itself_is_at_rest_however_the_tracker_sees_it():
    """The clip's tracker may read the portrait a little elsewhere than its analysis did."""
    (motion,) = motions()
    assert motion.landmarks_px == pytest.approx(hopper().landmarks_px, abs=0.5)
    assert motion.head.rotation == pytest.approx(np.eye(3), abs=1e-4)
    assert motion.head.shift_px == pytest.approx(0, abs=1e-2)
    assert motion.head.scale == pytest.approx(1.0, abs=1e-4)
    assert motion.eye_opening == pytest.approx(1.0, abs=1e-2)
    assert motion.torso.scale == pytest.approx(1.0, abs=1e-4)


def test_a_rigid_motion_of_head_and_shoulders_is_found():
    avatar = hopper()
    rotation = rotation_from_euler(0.2, -0.1, 0.05)
    shift = np.array([9.0, -4.0, 0.0])
    pivot = avatar.head_pivot_px
    moved = 1.1 * (avatar.landmarks_px - pivot) @ rotation.T + pivot + shift
    seen = tracking(moved + 1.5, avatar.shoulders_px + np.array([5.0, 2.0]))
    _, motion = motions(seen)
    assert motion.head.rotation == pytest.approx(rotation, abs=2e-3)
    assert motion.head.scale == pytest.approx(1.1, abs=2e-3)
    assert motion.head.shift_px == pytest.approx(shift[:2], abs=0.3)
    assert motion.torso.shift_px == pytest.approx([5.0, 2.0], abs=1e-3)
    assert np.abs(motion.landmarks_px - moved)[:, :2].mean() < 0.5


def squinting(aperture):
    landmarks = hopper().landmarks_px.copy()
    for eye in EYES:
        middle = (landmarks[eye.upper_lid] + landmarks[eye.lower_lid]) / 2
        for lid in (eye.upper_lid, eye.lower_lid):
            landmarks[lid] = middle + aperture * (landmarks[lid] - middle)
    return landmarks + np.float32(1.5)


def test_lids_close_though_trackers_leave_a_rest_of_them_open():
    rest, shut, narrow = motions(tracking(squinting(0.2)), tracking(squinting(0.7)))
    for eye in EYES:
        gaps = [
            np.linalg.norm(m.landmarks_px[eye.upper_lid[4], :2] - m.landmarks_px[eye.lower_lid[4], :2])
            for m in (rest, shut, narrow)
        ]
        assert gaps[1] < 0.05 * gaps[0] and 0.5 * gaps[0] < gaps[2] < 0.9 * gaps[0]
    assert shut.eye_opening.max() < 0.05 and 0.5 < narrow.eye_opening.min() < 0.9


def test_relaxed_eyes_are_those_of_most_frames():
    frames = np.stack([squinting(a) for a in (0.1, 0.2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)])
    assert relaxed_opening(frames) == pytest.approx(relaxed_opening(frames[2:]), rel=1e-4)
    frames[0] = np.nan
    assert np.isfinite(relaxed_opening(frames)).all()


def test_a_frame_without_a_face_has_no_motion_and_shows_the_portrait():
    listed = motions(unseen=True)
    assert listed[1] is None
    with no_painters() as folder:
        assert perform(hopper(), listed, folder)[1] is hopper().portrait_rgb


def test_no_painters_is_a_manifest_without_networks():
    with no_painters() as folder:
        assert read_manifest(folder) == ()
    assert not folder.exists()


def test_at_rest_the_composite_is_the_portrait():
    avatar = hopper()
    (motion,) = motions()
    with no_painters() as folder:
        shown = composite(avatar, Renderer(avatar, folder).render(motion).rgba)
    assert_pictures_equal(shown, avatar.portrait_rgb, LAYERS)
