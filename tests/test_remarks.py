"""What is told of pictures that work all the same: each by its own sentence, and nothing of an honest one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from avatars import hopper
from covered import with_mask, with_sunglasses

from calibrate.gates import Severity, measure_gates
from facepuppet.cli.live_parts import tell_remarks
from facepuppet.face.topology import CHIN, EYES, FOREHEAD, LOWER_LIP_INNER, NOSE_TIP, UPPER_LIP_INNER
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.face_view import face_width_px
from facepuppet.portrait.pack import Pack
from facepuppet.portrait.remarks import measure_remarks, remarks_on


def cropped(left: int = 0, top: int = 0, right: int = 512, bottom: int = 600) -> Avatar:
    """The portrait as a tighter picture of it."""
    made, box = hopper(), (slice(top, bottom), slice(left, right))
    layers = ("portrait_rgb", "person_alpha", "foreground_rgb", "background_rgb")
    shift = np.array([left, top, 0], np.float32)
    return replace(
        made,
        landmarks_px=made.landmarks_px - shift,
        shoulders_px=made.shoulders_px - shift[:2],
        **{name: np.ascontiguousarray(getattr(made, name)[box]) for name in layers},
    )


def point(landmark: int) -> tuple[int, int]:
    x, y = hopper().landmarks_px[landmark, :2].astype(int).tolist()
    return x, y


def half_in_shade() -> Avatar:
    rgb = hopper().portrait_rgb.copy()
    rgb[:, : point(NOSE_TIP)[0]] //= 3
    return replace(hopper(), portrait_rgb=rgb)


def lips_apart() -> Avatar:
    landmarks = hopper().landmarks_px.copy()
    landmarks[LOWER_LIP_INNER, 1] += 0.3 * hopper().inter_ocular_px
    return replace(hopper(), landmarks_px=landmarks)


def hair_all_over() -> Avatar:
    return replace(hopper(), person_alpha=np.full_like(hopper().person_alpha, 255))


def small() -> Avatar:
    scale = np.float32(0.5)
    rgb = cv2.resize(hopper().portrait_rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(hopper().person_alpha, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return replace(
        hopper(),
        portrait_rgb=rgb.astype(np.uint8),
        person_alpha=alpha.astype(np.uint8),
        landmarks_px=hopper().landmarks_px * scale,
    )


def eyes_shut() -> Avatar:
    landmarks = hopper().landmarks_px.copy()
    for eye in EYES:
        landmarks[eye.upper_lid] = landmarks[eye.lower_lid] - (0, 1, 0)
    return replace(hopper(), landmarks_px=landmarks)


def face_cut_off() -> Avatar:
    return cropped(left=point(NOSE_TIP)[0] - 60)


def both_sides_cut() -> Avatar:
    x, half = point(NOSE_TIP)[0], int(0.5 * face_width_px(hopper().landmarks_px))
    return cropped(left=x - half, right=x + half)


CASES: dict[str, tuple[Callable[[], Avatar], str]] = {
    "two-tone light": (half_in_shade, "light from one side"),
    "open mouth": (lips_apart, "lips apart at rest"),
    "cut at the brow": (lambda: cropped(top=point(FOREHEAD)[1] - 20), "room above the forehead"),
    "cut at the chin": (lambda: cropped(bottom=point(CHIN)[1] + 5), "room below the chin"),
    "cut at both sides": (both_sides_cut, "head or hair cut off by both sides"),
    "hair over the whole frame": (hair_all_over, "person, of the picture"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_suffers_is_told_in_report_and_run(name: str) -> None:
    make, label = CASES[name]
    made = make()
    missed = [remark.label for remark in measure_remarks(made) if not remark.passed]
    assert any(found.startswith(label) for found in missed), missed
    told = [line for line in remarks_on(made) if line.startswith(label)]
    assert len(told) == 1 and told[0].endswith(".")


def test_a_report_lists_them_and_never_refuses_for_them() -> None:
    gates = {gate.label: gate for gate in measure_gates(half_in_shade())}
    found = gates["light from one side, between the cheeks"]
    assert not found.passed and found.severity is Severity.WARN
    assert "even light" in found.harm


def test_of_an_honest_portrait_nothing_is_told() -> None:
    assert remarks_on(hopper()) == []


@pytest.mark.parametrize(
    ("make", "words"), [(small, "face width: 9"), (eyes_shut, "eyes shut: 2"), (face_cut_off, "face inside")]
)
def test_a_run_tells_of_small_shut_and_cut_off_faces(make: Callable[[], Avatar], words: str) -> None:
    assert [line for line in remarks_on(make()) if words in line]


def test_a_run_tells_what_covers_eyes_or_mouth() -> None:
    rgb, points = hopper().portrait_rgb, hopper().landmarks_px
    for cover, words in ((with_mask, "mouth is covered"), (with_sunglasses, "eye shows no iris")):
        told = remarks_on(replace(hopper(), portrait_rgb=cover(rgb, points)))
        assert len([line for line in told if words in line]) == 1, told


def test_lips_that_meet_are_not_apart() -> None:
    shut = hopper().landmarks_px.copy()
    shut[LOWER_LIP_INNER, :2] = shut[UPPER_LIP_INNER, :2]
    assert remarks_on(replace(hopper(), landmarks_px=shut)) == []


def test_bare_pictures_are_remarked_on_and_packs_are_not(caplog: pytest.LogCaptureFixture) -> None:
    made = half_in_shade()
    with caplog.at_level(logging.WARNING):
        tell_remarks(Pack(made))
        assert not caplog.records
        tell_remarks(Pack(made, version=0))
    told = [record.getMessage() for record in caplog.records]
    assert sum("light from one side" in line for line in told) == 1
    assert all(line.startswith(made.name) for line in told)
