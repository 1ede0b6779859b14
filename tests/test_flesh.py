"""Light and shade that an expression moves: none at rest, folds where skin folds, off where it harms."""

from dataclasses import replace

import numpy as np
import pytest
from avatars import hopper

from facepuppet.core.types import Blendshapes, FacePose, HeadPose, Motion, Quality
from facepuppet.face.arkit import ARKIT_INDEX, ARKIT_NAMES, mirrored_name
from facepuppet.face.blendshapes import BlendshapeFitter, QuickWeights
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks, landmark_offsets
from facepuppet.face.flesh_model import flesh_model
from facepuppet.face.unwrapping import unwrapped_points
from facepuppet.frames.cpu.render.complexion import complexion_of
from facepuppet.frames.cpu.render.flesh import GAIN_ONE, NONE, Flesh
from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.retarget.deltas import Deltas, deltas_of
from facepuppet.retarget.gains import Gains
from facepuppet.retarget.target import Target

SKIN_LEVEL = 180
BESIDE_NOSE, CHEEK = 203, 50  # in the fold of a smile, and on the cheek's height; image-left


@pytest.fixture(scope="module")
def warp() -> Warp:
    return Warp(hopper())


@pytest.fixture(scope="module")
def flesh(warp) -> Flesh:
    return Flesh(hopper(), warp)


def showing(*names: str, turn: float = 0.0, told: bool = False, gains: Gains | None = None) -> Motion:
    """The sample portrait with these shapes at 1, seen by a tracker of landmarks or told as weights."""
    weights = np.zeros(len(ARKIT_NAMES), np.float32)
    weights[[ARKIT_INDEX[name] for name in names]] = 1.0
    seen = Blendshapes(weights) if told else landmark_offsets(Blendshapes(weights))
    head = HeadPose(np.array([0, turn, 0], np.float32))
    face = FacePose(head, np.zeros((2, 2)), np.ones(2, np.float32), seen)
    return Target(hopper()).motion(deltas_of(face, None), gains=gains or Gains())


SMILE = ("mouthSmileLeft", "mouthSmileRight")


def shaded(flesh: Flesh, warp: Warp, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """The warped picture before and after."""
    flow = warp.flow(motion)
    before = warp.sample(flow)
    after = before.copy()
    flesh.draw(after, flow, motion)
    return before, after


@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_at_rest_not_one_value_changes(flesh, warp, turn):
    motion = showing(turn=turn)
    assert not flesh.drive(motion).any()
    before, after = shaded(flesh, warp, motion)
    assert (before == after).all()


def test_a_smile_folds_the_skin_beside_the_nose_and_leaves_all_else(flesh, warp):
    motion = showing(*SMILE)
    before, after = shaded(flesh, warp, motion)
    x, y = np.rint(motion.landmarks_px[[BESIDE_NOSE, CHEEK], :2]).astype(int).T
    gain = [
        after[b - 2 : b + 3, a - 2 : a + 3, 1].mean() / before[b - 2 : b + 3, a - 2 : a + 3, 1].mean()
        for a, b in zip(x, y, strict=True)
    ]
    assert gain[0] < 0.97 < gain[1] + 0.02
    assert (after[..., 3] == before[..., 3]).all()
    low, high = motion.landmarks_px[:, :2].min(0), motion.landmarks_px[:, :2].max(0)
    outside = np.ones(before.shape[:2], bool)
    outside[int(low[1]) - 2 : int(high[1]) + 4, int(low[0]) - 2 : int(high[0]) + 4] = False
    assert (after[outside] == before[outside]).all()


def test_shading_follows_a_turning_head(flesh):
    ahead, aside = (flesh.drive(showing(*SMILE, turn=turn)) for turn in (0.0, 0.4))
    np.testing.assert_allclose(aside, ahead, atol=0.05 * np.abs(ahead).max())


def test_a_puffed_cheek_is_shaded_where_the_driver_tells_of_it(flesh):
    seen, told = (flesh.drive(showing("cheekPuff", told=told)) for told in (False, True))
    assert np.linalg.norm(told) > 1.3 * np.linalg.norm(seen)


def test_gains_hold_told_shapes_still():
    still = Gains(mouth=0.0, brows=0.5)
    weights = showing("mouthSmileLeft", "browInnerUp", told=True, gains=still).weights
    assert weights[ARKIT_INDEX["mouthSmileLeft"]] == 0.0
    assert weights[ARKIT_INDEX["browInnerUp"]] == 0.5


def test_told_shapes_ease_to_rest_and_back():
    weights = np.ones(len(ARKIT_NAMES), np.float32)
    shown, rest = replace(Deltas.rest(), weights=weights), Deltas.rest()
    assert (shown.toward(rest, 0.75).weights == 0.25).all()
    assert (rest.toward(shown, 0.75).weights == 0.75).all()
    assert rest.toward(rest, 0.5).weights is None


@pytest.mark.parametrize(
    "name", ["mouthSmileLeft", "cheekPuff", "browInnerUp", "mouthPucker", "noseSneerLeft"]
)
def test_the_two_sides_of_a_face_shade_alike(name):
    model = flesh_model()
    one, other = (model.mixing[ARKIT_INDEX[n]] for n in (name, mirrored_name(name)))
    light = np.array([0.0, -0.4, -0.5], np.float32)
    pictures = [
        np.tensordot(mixing, (model.creases + model.turns @ light) * model.skin, 1) for mixing in (one, other)
    ]
    assert np.abs(pictures[0]).max() > 0.02
    assert np.abs(pictures[0] - pictures[1][:, ::-1]).max() < 0.25 * np.abs(pictures[0]).max()


def test_the_unwrapped_face_is_symmetric_and_keeps_every_side_up():
    from facepuppet.face.canonical import mirror_order
    from facepuppet.face.topology import N_MESH, face_triangles
    from facepuppet.frames.cpu.render.mesh import facing

    points = unwrapped_points(100)
    mirrored = points[mirror_order()[:N_MESH]]
    np.testing.assert_allclose(mirrored[:, 0], 99 - points[:, 0], atol=1e-3)
    assert facing(points[face_triangles()]).all()


def lit_from(direction: tuple[float, float, float]) -> np.ndarray:
    """An unwrapped face of even, slightly rough skin in this light."""
    normals = flesh_model().normals
    light = np.clip(0.6 + normals @ np.array(direction), 0.05, None) ** (1 / 2.2)
    rough = 1 + 0.06 * np.random.default_rng(0).normal(size=light.shape)
    return np.clip(SKIN_LEVEL * (light * rough)[..., None] * (1.0, 0.8, 0.7), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [-1, 1])
def test_the_light_is_found_where_it_comes_from(side):
    model = flesh_model()
    found = complexion_of(lit_from((0.35 * side, -0.2, -0.2)), model.normals, model.skin, model.lined)
    assert side * found.light[1] > 0.15
    assert found.strength > 0.5


def test_a_drawing_in_flat_colours_is_left_alone(warp):
    model = flesh_model()
    flat = np.full((*model.skin.shape, 3), (230, 190, 160), np.uint8)
    assert complexion_of(flat, model.normals, model.skin, model.lined).strength == 0.0
    flesh = Flesh(replace(hopper(), portrait_rgb=np.full_like(hopper().portrait_rgb, 200)), warp)
    before, after = shaded(flesh, warp, showing(*SMILE))
    assert (before == after).all()


def test_gains_of_no_ratio_are_one_and_coverage_keeps_its_own(flesh):
    assert (flesh.gains[NONE] == GAIN_ONE).all()
    assert (flesh.gains[:, 3] == GAIN_ONE).all()
    assert (np.diff(flesh.gains[:, :3].astype(int), axis=0) >= 0).all()


def test_quick_weights_are_about_those_of_the_fit():
    quick, fitter, mean = QuickWeights(), BlendshapeFitter(), canonical_landmarks()
    for name in ("jawOpen", "mouthSmileLeft", "mouthPucker", "browInnerUp"):
        weights = np.zeros(len(ARKIT_NAMES), np.float32)
        weights[ARKIT_INDEX[name]] = 1.0
        face = compose_landmarks(mean, weights)
        slow = fitter.fit(face, mean)
        assert np.abs(quick.of(face - mean) - slow)[ARKIT_INDEX[name]] < 0.25  # the fit knows the lips' gap
    assert not quick.of(np.zeros_like(mean)).any()


def test_the_lowest_quality_leaves_it_out():
    from facepuppet.frames.cpu.render.renderer import Renderer
    from facepuppet.session.ladder import LADDER

    assert LADDER[0].quality.flesh and not LADDER[-1].quality.flesh
    renderer, motion = Renderer(hopper()), showing(*SMILE)
    renderer.set_quality(Quality(painters_every=0))
    with_flesh = renderer.render(motion).rgba
    renderer.set_quality(Quality(painters_every=0, flesh=False))
    assert (renderer.render(motion).rgba != with_flesh).any()
