"""Every gate passes an honest portrait, and misses by its own number when that one thing is spoilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from avatars import hopper
from covered import with_hand, with_mask, with_spectacles, with_sunglasses
from pictures import astronaut_rgb, canvas, hopper_rgb

from calibrate.gates import Gate, Severity, admit, measure_gates
from calibrate.gates.exposure import light_gates
from calibrate.gates.occlusion import cover_gates
from calibrate.gates.other_faces import company_gates
from calibrate.gates.shape import shape_gates
from facepuppet.core.errors import PortraitUnfitError
from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import F32, U8
from facepuppet.face.topology import EYES
from facepuppet.portrait.face_view import FaceView, face_width_px
from facepuppet.portrait.requirements import find_the_face
from facepuppet.portrait.sharpness import face_blur

REFUSE, WARN = Severity.REFUSE, Severity.WARN
SIZE = (512, 600)


def landmarks() -> F32:
    return hopper().landmarks_px


def missed(gates: list[Gate]) -> dict[str, Severity]:
    return {gate.label: gate.severity for gate in gates if not gate.passed}


def test_an_honest_portrait_keeps_every_limit() -> None:
    gates = measure_gates(hopper())
    assert missed(gates) == {}
    assert len({gate.label for gate in gates}) == len(gates) >= 13
    for gate in gates:
        assert np.isfinite(gate.value), gate
        assert gate.harm.endswith(".") and len(gate.harm) > 20
        assert ("at least" if gate.at_least else "at most") in str(gate)
    admit(gates, name="hopper", force=False)


@pytest.mark.parametrize(("width", "severity"), [(300, None), (90, WARN), (50, REFUSE)])
def test_face_size(width: float, severity: Severity | None) -> None:
    scale = width / face_width_px(landmarks())
    found = missed(shape_gates((landmarks() * scale).astype(np.float32), (2000, 2000)))
    assert found == ({} if severity is None else {"face width": severity})


@pytest.mark.parametrize(
    ("turn", "severity"),
    [((40, 0, 0), WARN), ((0, 45, 0), REFUSE), ((0, 0, 35), WARN), ((62, 0, 0), REFUSE)],
)
def test_pose(turn: tuple[float, float, float], severity: Severity) -> None:
    rotation = rotation_from_euler(*np.deg2rad(turn))
    centre = landmarks().mean(axis=0)
    turned = ((landmarks() - centre) @ rotation.T + centre).astype(np.float32)
    angles = {"face turned to the side", "face looking up or down", "head tilted"}
    found = {label: grave for label, grave in missed(shape_gates(turned, SIZE)).items() if label in angles}
    assert list(found.values()) == [severity]


@pytest.mark.parametrize(("eyes", "severity"), [(EYES, REFUSE), (EYES[:1], WARN), ((), None)])
def test_shut_eyes(eyes: tuple, severity: Severity | None) -> None:  # type: ignore[type-arg]
    shut = landmarks().copy()
    for eye in eyes:
        shut[eye.upper_lid] = shut[eye.lower_lid] - (0, 1, 0)
    assert missed(shape_gates(shut, SIZE)).get("eyes open") == severity


def test_a_face_cut_off_by_the_picture() -> None:
    moved = landmarks() - np.array([landmarks()[:, 0].min() + 40, 0, 0], np.float32)
    assert missed(shape_gates(moved, SIZE)) == {"face inside the picture": WARN}


@pytest.mark.parametrize(("share", "severity"), [(0.005, None), (0.022, WARN), (0.05, REFUSE)])
def test_blur(share: float, severity: Severity | None) -> None:
    blurred = cv2.GaussianBlur(hopper_rgb(), (0, 0), share * face_width_px(landmarks()))
    assert missed(light_gates(blurred, landmarks())).get("softness of edges") == severity


@pytest.mark.parametrize("share", [0.01, 0.02, 0.03])
def test_blur_is_measured_in_face_widths_at_any_size(share: float) -> None:
    for scale in (0.6, 1.0, 3.0):
        size = cv2.resize(hopper_rgb(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        points = (landmarks() * scale).astype(np.float32)
        blurred = cv2.GaussianBlur(size, (0, 0), share * face_width_px(points))
        assert face_blur(blurred, points) == pytest.approx(share, rel=0.35, abs=0.003)


def exposed(gain: float, offset: float = 0.0) -> Callable[[U8], U8]:
    return lambda rgb: np.clip(rgb * gain + offset, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "label", "severity"),
    [
        (exposed(0.08), "lightness of the face", REFUSE),
        (exposed(0.25), "lightness of the face", WARN),
        (exposed(3.5), "blown-out skin", REFUSE),
        (exposed(0.1, 110), "contrast of the face", REFUSE),
        (exposed(0.2, 100), "contrast of the face", WARN),
    ],
)
def test_exposure(change: Callable[[U8], U8], label: str, severity: Severity) -> None:
    assert missed(light_gates(change(hopper_rgb()), landmarks()))[label] == severity


EYES_SEEN, MOUTH_SEEN = "eyes in sight, white against iris", "mouth in sight, lips against skin"


def portraits() -> list[tuple[U8, F32]]:
    astronaut = find_the_face(astronaut_rgb()).landmarks_px
    return [(hopper_rgb(), landmarks()), (astronaut_rgb(), astronaut)]


@pytest.mark.parametrize("which", range(2), ids=["spectacles", "smile"])
def test_what_covers_eyes_or_mouth(which: int) -> None:
    rgb, points = portraits()[which]
    black = with_mask(rgb, points, (30, 30, 34))
    assert missed(cover_gates(rgb, points)) == {}
    assert missed(cover_gates(with_spectacles(rgb, points), points)) == {}
    assert missed(cover_gates(with_sunglasses(rgb, points), points)) == {EYES_SEEN: REFUSE}
    for covered in (with_mask(rgb, points), black, with_hand(rgb, points)):
        assert missed(cover_gates(covered, points)) == {MOUTH_SEEN: REFUSE}


def test_in_monochrome_a_covered_mouth_is_a_word_of_warning_at_most() -> None:
    """Lips may be as light as skin; the line between them tells, which a flat mask lacks."""
    pale = np.repeat(cv2.cvtColor(hopper_rgb(), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert missed(cover_gates(pale, landmarks())) == {}
    masked = with_mask(hopper_rgb(), landmarks())
    masked = np.repeat(cv2.cvtColor(masked, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert missed(cover_gates(masked, landmarks())) == {MOUTH_SEEN: WARN}


def test_one_covered_eye_is_a_word_of_warning() -> None:
    rgb, points = hopper_rgb().copy(), landmarks()
    half = with_sunglasses(rgb, points)[:, : int(points[1, 0])]
    rgb[:, : half.shape[1]] = half
    assert missed(cover_gates(rgb, points)) == {EYES_SEEN: WARN}


def test_company_counts_others_of_comparable_size_only() -> None:
    small = canvas((hopper_rgb(), (350, 360), 1.1, 0.0), (hopper_rgb(), (1000, 360), 0.5, 0.0))
    two = canvas((hopper_rgb(), (350, 360), 1.0, 0.0), (hopper_rgb(), (950, 360), 0.9, 0.0))
    for picture, rivals in ((small, 0), (two, 1)):
        face = find_the_face(picture, force=True)
        others, steady = company_gates(picture, face.landmarks_px)
        assert (others.value, others.passed) == (rivals, not rivals)
        assert steady.passed


def test_a_face_that_the_tracker_guesses_is_unsteady() -> None:
    upside_down = np.ascontiguousarray(hopper_rgb()[::-1])
    points = landmarks() * (1, -1, 1) + (0, 599, 0)
    steady = company_gates(upside_down, points.astype(np.float32))[1]
    assert not steady.passed and steady.severity is REFUSE


def test_a_refusal_names_every_number_and_what_will_suffer() -> None:
    dark = replace(hopper(), portrait_rgb=(hopper_rgb() * 0.05).astype(np.uint8))
    gates = light_gates(dark.portrait_rgb, dark.landmarks_px)
    with pytest.raises(PortraitUnfitError, match=r"me\.jpg with lightness of the face: \d+ of 100") as caught:
        admit(gates, name="me.jpg", force=False)
    assert "contrast of the face" in caught.value.got
    assert "--force" in caught.value.todo and "drown in the dark" in caught.value.todo
    admit(gates, name="me.jpg", force=True)


def test_a_warning_refuses_nobody() -> None:
    gate = Gate("label", 1.0, 2.0, "px", WARN, "Something.", at_least=True)
    admit([gate], name="x", force=False)


def test_forcing_takes_the_widest_face_past_every_check() -> None:
    two = canvas((hopper_rgb(), (350, 360), 1.0, 0.0), (hopper_rgb(), (950, 360), 0.9, 0.0))
    assert find_the_face(two, force=True).landmarks_px[1, 0] < 640
    tiny = cv2.resize(hopper_rgb(), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert FaceView.of(find_the_face(tiny, force=True).landmarks_px).width_px < 64
