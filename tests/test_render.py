"""The renderer: identity at rest, geometry that lands where it should, no holes, no camera."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import RESAMPLED, Tolerance, assert_pictures_differ, assert_pictures_equal

from facepuppet.core.geometry import rotation_from_euler
from facepuppet.core.types import N_BLENDSHAPES, Motion
from facepuppet.drivers.scripted import Performance
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks
from facepuppet.face.topology import EYES, FACE_OVAL, LIPS_INNER, NOSE_TIP
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cpu.render.body import BodyField, apply_head
from facepuppet.frames.cpu.render.eyes import opening_outline
from facepuppet.frames.cpu.render.mesh import FaceMesh
from facepuppet.frames.cpu.render.patches import fill_unknown, polygon_mask
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(hopper())


def motion(**changes) -> Motion:
    """A motion of the test portrait from rest, with some deltas."""
    return Target(hopper()).motion(replace(Deltas.rest(), **changes), 7, 42)


def expression(**shapes) -> np.ndarray:
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    for name, value in shapes.items():
        weights[ARKIT_INDEX[name]] = value
    return compose_landmarks(canonical_landmarks(), weights) - canonical_landmarks()


def over_plate(rgba) -> np.ndarray:
    coverage = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(rgba[..., :3] + (1 - coverage) * hopper().background_rgb).astype(np.uint8)


def test_at_rest_the_portrait_comes_back(renderer):
    rendered = renderer.render(motion())
    inside = hopper().person_alpha > 250
    assert_pictures_equal(over_plate(rendered.rgba), hopper().portrait_rgb, RESAMPLED, inside)
    assert rendered.frame_id == 7 and rendered.captured_ns == 42


def test_colour_never_exceeds_its_coverage(renderer):
    rgba = renderer.render(motion(turn=np.array([0.1, -0.3, 0.1], np.float32))).rgba
    assert (rgba[..., :3].max(-1).astype(int) - rgba[..., 3]).max() <= 2


@pytest.mark.parametrize("angles", [(0.3, 0, 0), (-0.3, 0, 0), (0, 0.25, 0), (0, -0.2, 0), (0, 0, 0.3)])
def test_no_holes_in_the_face(renderer, angles):
    moved = motion(turn=cv2.Rodrigues(rotation_from_euler(*angles))[0].ravel().astype(np.float32))
    rgba = renderer.render(moved).rgba
    face = polygon_mask(moved.landmarks_px[FACE_OVAL, :2], (0, 0), hopper().size_px) > 250
    assert rgba[..., 3][cv2.erode(face.astype(np.uint8), np.ones((9, 9))) > 0].min() > 200


def test_pixels_land_where_the_landmarks_go(renderer):
    """A red dot painted on the nose tip is found at the moved nose tip."""
    avatar = hopper()
    spot = avatar.landmarks_px[NOSE_TIP, :2]
    painted = avatar.foreground_rgb.copy()
    cv2.circle(painted, tuple(int(v) for v in spot), 3, (0, 255, 0), -1)
    dotted = Renderer(replace(avatar, foreground_rgb=painted))
    moved = motion(
        turn=np.array([0.1, -0.25, 0.1], np.float32), shift=np.array([0.1, 0.05], np.float32), log_scale=0.05
    )
    rgb = dotted.render(moved).rgba[..., :3].astype(int)
    green = (rgb[..., 1] - rgb[..., [0, 2]].max(-1)) > 100
    y, x = np.argwhere(green).mean(0)
    # The dot's centre was rounded to a pixel, hence one pixel of tolerance.
    assert np.hypot(*(moved.landmarks_px[NOSE_TIP, :2] - (x, y))) < 1.5


def test_the_mesh_maps_moved_landmarks_back_to_their_source():
    avatar = hopper()
    moved = motion(turn=np.array([0.0, 0.2, 0.1], np.float32), offsets=expression(jawOpen=0.4))
    patch = FaceMesh(avatar.landmarks_px, avatar.size_px).patch(moved.landmarks_px, moved.eye_opening)
    height, width = patch.source_from_patch.shape[:2]
    scale = np.array([width, height]) / patch.size_px
    for index in (1, 50, 280, 199, 105, 334):  # well inside the mesh
        at = ((moved.landmarks_px[index, :2] - patch.origin_px + 0.5) * scale - 0.5).round().astype(int)
        found = patch.source_from_patch[at[1], at[0], :2]
        assert np.hypot(*(found - avatar.landmarks_px[index, :2])) < 1.5, index


@pytest.mark.parametrize("lean", [(0.0, 0.0), (0.6, -0.4), (-0.8, 0.5)])
@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.3, -0.5, 0.4), (-0.3, 0.5, -0.5)])
def test_nothing_of_the_person_lies_outside_the_windows(renderer, angles, lean):
    moved = motion(
        turn=cv2.Rodrigues(rotation_from_euler(*angles))[0].ravel().astype(np.float32),
        shift=np.array(lean, np.float32),
        lean=np.array(lean, np.float32),
        offsets=expression(jawOpen=1.0),
    )
    warp = renderer.warp
    flow = warp.flow(moved)
    border = {"borderMode": cv2.BORDER_REPLICATE}
    everywhere = cv2.remap(warp.texture, flow.texture_from_moved, None, cv2.INTER_LINEAR, **border)
    assert (warp.sample(flow) == everywhere).all()
    sampled = sum((rows.stop - rows.start) * (columns.stop - columns.start) for rows, columns in flow.windows)
    assert sampled < 0.9 * everywhere[..., 0].size  # half of this picture is background


def test_a_face_outside_the_picture_is_left_out(renderer):
    far = motion()
    far = replace(far, landmarks_px=far.landmarks_px + np.array([5000, 0, 0], np.float32))
    assert renderer.render(far).rgba.shape == (600, 512, 4)


def test_the_body_field_is_still_at_rest_and_follows_the_torso():
    field = BodyField(hopper())
    rest = field.portrait_from_moved(motion())
    lean = motion(lean=np.array([0.2, 0.0], np.float32))
    moved = field.portrait_from_moved(lean)
    assert np.abs(rest - field._points.reshape(rest.shape)).max() < 0.1
    bottom = (rest - moved)[-3:, rest.shape[1] // 3 : -rest.shape[1] // 3, 0]
    assert np.allclose(bottom, lean.torso.shift_px[0], atol=0.5)


def test_hair_above_the_face_turns_with_the_head():
    """Inverting the field at a moved hair point finds the hair point again."""
    field, avatar = BodyField(hopper()), hopper()
    moved = motion(turn=np.array([0.0, 0.0, 0.2], np.float32))
    crown = avatar.landmarks_px[10, :2] + (0.0, -60.0)
    expected = apply_head(
        moved.head, crown[None], np.array([avatar.landmarks_px[10, 2]]), avatar.head_pivot_px
    )
    back = field.portrait_from_moved(moved)
    cell = (expected[0] + 0.5) * np.array(back.shape[1::-1]) / avatar.size_px - 0.5
    found = back[round(cell[1]), round(cell[0])]
    assert np.hypot(*(found - crown)) < 14  # a cell is six pixels, hair lies a little deeper than the brow


def test_opening_the_mouth_shows_a_cavity_not_a_smear(renderer):
    opened = motion(offsets=expression(jawOpen=0.7))
    rgb = renderer.render(opened).rgba[..., :3]
    inner = cv2.erode(
        polygon_mask(opened.landmarks_px[LIPS_INNER, :2], (0, 0), hopper().size_px), np.ones((7, 7))
    )
    cavity = rgb[inner > 250]
    lips_rest = hopper().portrait_rgb[
        polygon_mask(hopper().landmarks_px[LIPS_INNER, :2], (0, 0), (512, 600)) > 0
    ]
    assert len(cavity) > 100
    assert np.percentile(cavity.mean(-1), 10) < 0.6 * lips_rest.mean()


def test_shut_eyes_show_no_eyeball(renderer):
    """With lids shut, the colour of the whites is gone from where the eyes were."""
    shut = motion(eye_opening=np.zeros(2, np.float32))
    open_rgb, shut_rgb = (renderer.render(m).rgba[..., :3] for m in (motion(), shut))
    for eye in EYES:
        area = polygon_mask(opening_outline(hopper().landmarks_px, eye), (0, 0), hopper().size_px) > 128
        assert_pictures_differ(open_rgb, shut_rgb, Tolerance(mean=8), area)
        # The dark of the iris is replaced by skin (a lash line stays, and glasses keep their reflections).
        assert np.median(shut_rgb[area].mean(-1)) > 1.15 * np.median(open_rgb[area].mean(-1))


def test_gaze_moves_the_dark_of_the_eye(renderer):
    """The darkest part of each eye goes where the irises go."""

    def darkest_x(picture, outline):
        mask = polygon_mask(outline, (0, 0), hopper().size_px) > 128
        ys, xs = np.nonzero(mask)
        light = picture[ys, xs].astype(float).mean(-1)
        weight = np.clip(np.percentile(light, 35) - light, 0, None)
        return (xs * weight).sum() / weight.sum()

    left, right = (motion(gaze=np.array([[g, 0.0]] * 2, np.float32)) for g in (-0.12, 0.12))
    a, b = (renderer.render(m).rgba[..., :3] for m in (left, right))
    for eye in EYES:
        outline = opening_outline(hopper().landmarks_px, eye)
        assert darkest_x(b, outline) - darkest_x(a, outline) > 1.0


def test_polygon_mask_has_soft_edges_and_full_inside():
    square = np.array([[2.5, 2.5], [7.5, 2.5], [7.5, 7.5], [2.5, 7.5]], np.float32)
    mask = polygon_mask(square, (0, 0), (10, 10))
    assert mask[5, 5] == 255 and mask[0, 0] == 0 and len(np.unique(mask)) > 2


def test_fill_unknown_keeps_the_known_and_continues_it():
    picture = np.full((20, 20, 3), 80, np.float32)
    picture[8:12, 8:12] = 0
    known = np.ones((20, 20), np.float32)
    known[8:12, 8:12] = 0
    filled = fill_unknown(picture, known)
    assert np.allclose(filled, 80, atol=1)


def test_the_piece_renders_without_tearing(renderer):
    """Across the piece the picture changes smoothly: no frame is far from the one before."""
    from facepuppet.retarget import Retargeter

    retargeter, piece = Retargeter(hopper()), Performance()
    previous = None
    for i in range(0, 60):
        rgba = renderer.render(retargeter.update(piece.expression(i / 30, i))).rgba
        if previous is not None:
            assert_pictures_equal(rgba, previous, Tolerance(mean=12))
        previous = rgba


def test_below_the_picture_the_body_goes_on_and_is_no_smear(renderer):
    """A risen torso shows what the picture cut off: mirrored, not its last row drawn out."""
    still = motion()
    risen = replace(still, torso=replace(still.torso, shift_px=np.float32([0.0, -20.0])))
    rows = renderer.render(risen).rgba[-16:, 100:400, :3].astype(int)
    assert np.abs(np.diff(rows, axis=0)).mean() > 0.5
    assert renderer.render(risen).rgba[-1, 100:400, 3].min() > 200
