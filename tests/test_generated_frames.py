"""Frames whose head an imported network draws: what it shows, and what happens when it cannot.

The networks are tiny ones with the published names and shapes (`liveportrait_files`): how good the real
one's pictures are, nobody can judge by them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, GPU, assert_pictures_equal
from fakes import FakeTime
from gpus import EmulatedGpu
from liveportrait_files import LANDMARKS, answering_nan, tiny_networks, untaught_networks, write_import
from networks import unet

from facepuppet.core.errors import EngineError, PortraitUnfitError
from facepuppet.core.metrics import Meter
from facepuppet.core.types import N_BLENDSHAPES, Expression, HeadPose, Pixels
from facepuppet.drivers.scripted import Performance
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.deformation import face_of_blendshapes
from facepuppet.face.topology import FACE_OVAL
from facepuppet.frames import CpuMaker, FallbackMaker
from facepuppet.frames.cpu.compose import Backdrop, Composer, Corner, Scene
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.generated import choosing, generator_maker, portrait_networks
from facepuppet.frames.generated.choosing import Below, with_generator
from facepuppet.frames.generated.face_crop import crop_of
from facepuppet.frames.generated.generated_head import GeneratedHead
from facepuppet.frames.generated.generator_maker import STEP_DOWN_S, GeneratorMaker
from facepuppet.frames.generated.head_keypoints import HeadState
from facepuppet.frames.generated.map_cache import MapCache
from facepuppet.frames.generated.motion_map import MotionMap, Posed, Poses, fit_map
from facepuppet.frames.generated.pace_watch import PaceWatch
from facepuppet.frames.generated.paste import face_mask
from facepuppet.inference import Runtime
from facepuppet.retarget import Retargeter
from facepuppet.session.puppet import Puppet
from facepuppet.watermark import Marker

PIECE, FPS = Performance(), 30.0
CANVAS = (320, 320)
AS_AT_REST = 2.0  # levels in the mean, without what a picture of 256 pixels a side cannot show
FACE = np.s_[100:180, 110:200]  # of the canvas


def shown_avatar():
    """The portrait as it is drawn on this canvas."""
    return Composer(hopper(), CANVAS).at_shown_size().avatar


@pytest.fixture(scope="module")
def parts(no_painters) -> dict[str, bytes]:
    return tiny_networks(shown_avatar(), no_painters)


@pytest.fixture(scope="module")
def imported(parts, tmp_path_factory):
    return write_import(tmp_path_factory.mktemp("data") / "liveportrait", parts)


@pytest.fixture(scope="module")
def no_painters(tmp_path_factory):
    folder = tmp_path_factory.mktemp("none")
    (folder / "manifest.toml").write_text("format = 1\n")
    return folder


@pytest.fixture(scope="module")
def below(no_painters):
    """The built-in maker without painters, on an engine that is asked for."""

    def opened(engine="cpu", **composed) -> Below:
        composer = Composer(hopper(), CANVAS, **composed).at_shown_size()
        renderer = Renderer(composer.avatar, no_painters, Runtime(engine))
        cpu = CpuMaker(renderer, composer, Marker(size_px=CANVAS), Meter())
        return Below(composer.avatar, cpu, cpu, Meter())

    return opened


@pytest.fixture(scope="module")
def built_in(no_painters):
    composer = Composer(hopper(), CANVAS).at_shown_size()
    return CpuMaker(Renderer(composer.avatar, no_painters, "cpu"), composer, Marker(size_px=CANVAS))


@pytest.fixture(scope="module")
def shared_generator(below, imported) -> GeneratorMaker:
    made = with_generator("liveportrait", below(), FPS, imported)
    assert isinstance(made, GeneratorMaker)
    return made


@pytest.fixture
def generator(shared_generator) -> GeneratorMaker:
    """The same one for every test that leaves it as it was."""
    yield shared_generator
    assert shared_generator.maker is shared_generator


@pytest.fixture
def told() -> list[str]:
    """Why a network was given up."""
    return []


@pytest.fixture
def own_generator(shared_generator, told) -> GeneratorMaker:
    """One to lose; it shares all that was opened."""
    one = shared_generator
    return GeneratorMaker(
        *(one._head, one._cpu, one._below),
        lambda problem: told.append(str(problem)),
    )


def motions(*times_s: float):
    retargeter = Retargeter(shown_avatar())
    return [retargeter.update(PIECE.expression(t_s, i)) for i, t_s in enumerate(times_s)]


def motion_of(turn=(0.0, 0.0, 0.0), **weights: float):
    """One motion of the portrait, by ARKit's names."""
    given = np.zeros(N_BLENDSHAPES, np.float32)
    for name, weight in weights.items():
        given[ARKIT_INDEX[name]] = weight
    face = face_of_blendshapes(given, HeadPose(np.array(turn, np.float32)))
    avatar = shown_avatar()
    return Retargeter(avatar).update(Expression(face, None, 0, 0))


def where_landmarks_are(motion):
    """(21, 2) where the tiny networks' landmarks are in the crop, apart from the head's shift and size."""
    avatar = shown_avatar()
    crop = crop_of(avatar.landmarks_px)
    head = motion.head
    still = motion.landmarks_px[list(LANDMARKS), :2] - head.shift_px - avatar.head_pivot_px[:2]
    placed = still / head.scale + avatar.head_pivot_px[:2]
    back = cv2.invertAffineTransform(crop.portrait_from_crop)
    return placed @ back[:, :2].T + back[:, 2]


def test_the_crop_lies_as_the_published_network_wants_it():
    """Upright, 2.3 times the face below the brows, an eighth of the crop above its middle."""
    turned = cv2.getRotationMatrix2D((200, 200), -20, 1.0)  # clockwise
    upright = shown_avatar().landmarks_px.copy()
    points = upright[:, :2] @ turned[:, :2].T + turned[:, 2]
    crop = crop_of(np.column_stack([points, upright[:, 2]]).astype(np.float32))
    back = cv2.invertAffineTransform(crop.portrait_from_crop)
    seen = points @ back[:, :2].T + back[:, 2]
    left, right = seen[[33, 263]]
    assert left[1] == pytest.approx(right[1], abs=1e-6)
    face = seen[FACE_OVAL][seen[FACE_OVAL, 1] > seen[[105, 334], 1].min()]
    assert np.ptp(face, axis=0).max() == pytest.approx(2 / 2.3, abs=0.03)
    brows, chin = seen[[105, 334], 1].min(), seen[152, 1]
    assert (brows + chin) / 2 == pytest.approx(0.25, abs=0.03)
    assert crop.cut(np.full((400, 400, 3), 9, np.uint8)).min() == 9


@pytest.mark.parametrize(
    "motion",
    [
        {},
        {"turn": (0.0, 0.2, 0.0)},
        {"turn": (0.12, -0.1, 0.1)},
        {"jawOpen": 0.6},
        {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7},
        {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
        {"browInnerUp": 0.6},
        {"turn": (0.0, -0.15, 0.0), "jawOpen": 0.5},
    ],
    ids=str,
)
def test_keypoints_go_where_the_driver_takes_the_portrait(generator, motion):
    """Lids and lips by their own networks, the rest by the fitted map: together, and once each."""
    wanted = motion_of(**motion)
    found = generator._head.keypoints(wanted)[:, :2]
    moved = where_landmarks_are(wanted) - where_landmarks_are(motion_of())
    assert (
        np.abs(found - generator._head.keypoints(motion_of())[:, :2] - moved).max() < 0.012
    )  # 1.5 px of 256


def test_a_wink_shuts_one_eye(generator):
    rest, wink = (generator._head.keypoints(motion_of(**by)) for by in ({}, {"eyeBlinkRight": 1.0}))
    left, right = (LANDMARKS.index(lid) for lid in (159, 386))  # image-left is the person's right
    down = (wink - rest)[:, 1]
    assert down[left] > 0.02 and abs(down[right]) < 0.004


def test_at_rest_it_is_the_portrait(generator, built_in):
    given, truth = (cv2.blur(maker.make(motion_of()).rgb, (5, 5)) for maker in (generator, built_in))
    assert np.abs(given[FACE].astype(int) - truth[FACE]).mean() < AS_AT_REST


def test_shoulders_background_label_and_mark_are_the_built_in_makers(generator, built_in):
    for motion in motions(0.0, 1.5, 10.7):
        given, truth = generator.make(motion), built_in.make(motion)
        assert (given.payload, given.key_name, given.frame_id) == (
            truth.payload,
            truth.key_name,
            truth.frame_id,
        )
        differs = np.abs(given.rgb.astype(int) - truth.rgb).max(-1) > 0
        assert differs[FACE].mean() > 0.1
        assert not differs[255:].any() and not differs[:, :70].any() and not differs[:, 275:].any()


def test_the_networks_picture_fades_out_within_the_face():
    """Hair, ears and neck lie beyond; where the picture ends, nothing fades."""
    motion, avatar = motion_of((0.1, 0.2, 0.0)), shown_avatar()
    mask = face_mask(motion, avatar.inter_ocular_px, avatar.size_px)
    (x, y), (height, width) = mask.origin_px, mask.share.shape
    outline = cv2.convexHull(motion.landmarks_px[FACE_OVAL, :2] - np.array([x, y], np.float32))
    far = [
        cv2.pointPolygonTest(outline, (float(i), float(j)), True) for j in range(height) for i in range(width)
    ]
    inside = np.array(far).reshape(height, width) / avatar.inter_ocular_px
    assert mask.share[inside < 0.0].max() < 0.02 and mask.share[inside > 0.25].min() > 0.98
    assert np.abs(np.diff(mask.share, axis=0)).max() < 0.2 and np.abs(np.diff(mask.share, axis=1)).max() < 0.2
    above, gone = (
        replace(motion, landmarks_px=motion.landmarks_px + np.array([0, down, 0], np.float32))
        for down in (-y - height / 2, 2 * avatar.size_px[1])
    )
    assert face_mask(above, avatar.inter_ocular_px, avatar.size_px).share[0].max() == 1.0
    assert face_mask(gone, avatar.inter_ocular_px, avatar.size_px) is None


def test_the_head_turns_with_the_driver(generator, built_in):
    """As the tiny networks warp as the built-in maker does, they show about the same."""
    turned, rest = motion_of((0.0, 0.2, 0.0)), motion_of()
    given, before = generator.make(turned).rgb[FACE], generator.make(rest).rgb[FACE]
    truth = built_in.make(turned).rgb[FACE].astype(int)
    assert np.abs(given - truth).mean() < 0.6 * np.abs(before - truth).mean()


def test_a_head_that_leans_and_comes_nearer_takes_its_picture_along(generator):
    head = motion_of().head
    moved = replace(motion_of(), head=replace(head, shift_px=np.array([9, -4], np.float32), scale=1.1))
    before, after = (generator._head.picture(motion).crop for motion in (motion_of(), moved))
    pivot = shown_avatar().head_pivot_px[:2]
    np.testing.assert_allclose(
        after.portrait_from_crop[:, 2] - pivot,
        1.1 * (before.portrait_from_crop[:, 2] - pivot) + [9, -4],
        atol=0.05,  # landmarks of the map's do not move, the head's rounded numbers do
    )
    assert after.side_px == pytest.approx(1.1 * before.side_px)


def test_what_was_learnt_of_a_portrait_is_kept(generator, monkeypatch):
    monkeypatch.setattr(
        "facepuppet.frames.generated.generated_head.fit_map", lambda *_: pytest.fail("fitted once more")
    )
    again = GeneratedHead(shown_avatar(), generator._cpu.renderer, generator._head._networks)
    motion = motion_of(jawOpen=0.5)
    np.testing.assert_allclose(again.keypoints(motion), generator._head.keypoints(motion), atol=1e-4)


def test_the_scene_changes_around_it(below, shared_generator):
    stage, one = below(), shared_generator
    generator = GeneratorMaker(one._head, stage.cpu, stage.best, lambda problem: None)
    generator.set_scene(Scene(Backdrop("colour", rgb=(0, 200, 0)), label=Corner.OFF))
    rgb = generator.make(motion_of()).rgb
    assert rgb[5, 5, 1] > 150 and rgb[5, 5, 0] < 50
    assert (rgb[FACE][..., 0] > 100).mean() > 0.5


def test_a_matte_and_i420_are_made_as_ever(generator):
    generator.set_matte(True)
    generator.set_pixels(Pixels.I420)
    made = generator.make(motion_of())
    generator.set_matte(False)
    generator.set_pixels(Pixels.RGB)
    assert made.matte is not None and made.matte.alpha[140, 150] == 255 and made.matte.alpha[5, 5] == 0
    assert made.i420 is not None and made.i420.shape == (480, 320)


def losing(generator, motion, spoil, after=2, frames=16):
    """Show one motion again and again, and let something go wrong; return the pictures."""
    shown = []
    for i in range(frames):
        if i == after:
            spoil()
        at_ns = round(i / FPS * 1e9)
        shown.append(generator.make(replace(motion, frame_id=i, captured_ns=at_ns)).rgb.astype(int))
    return shown


@pytest.mark.parametrize("how", ["no number", pytest.param("lost", marks=pytest.mark.thorough)])
def test_a_network_that_fails_in_mid_run_fades_into_the_built_in_maker(
    own_generator, built_in, told, monkeypatch, how
):
    generator = own_generator
    motion, networks = motion_of((0.0, 0.15, 0.0), jawOpen=0.4), generator._head._networks

    def spoil():
        def paint(*given):
            if how == "lost":
                raise EngineError("a GPU that was unplugged", "one", "Plug it in.")
            return np.full((3, 512, 512), np.nan, np.float32)

        monkeypatch.setattr(networks._painter, "paint", paint)

    shown = losing(generator, motion, spoil)
    truth = built_in.make(motion).rgb.astype(int)
    steps = [np.abs(b - a)[FACE].mean() for a, b in pairwise(shown)]
    whole = np.abs(truth - shown[0])[FACE].mean()
    assert whole > 2.0 and max(steps) < 0.2 * whole  # no jump: it takes many steps
    last = replace(motion, frame_id=15, captured_ns=round(15 / FPS * 1e9))
    assert_pictures_equal(shown[-1].astype(np.uint8), built_in.make(last).rgb, EXACT)
    assert generator.description == "CPU" and generator.maker is generator._below
    assert len(told) == 1 and ("is no number" in told[0] if how == "no number" else "unplugged" in told[0])


def test_the_last_head_moves_along_while_it_fades(own_generator, monkeypatch):
    generator = own_generator
    networks = generator._head._networks
    pasted = []
    paste = generator_maker.paste
    monkeypatch.setattr(generator_maker, "paste", lambda *given: pasted.append(given) or paste(*given))
    generator.make(motion_of())
    monkeypatch.setattr(networks, "picture", lambda *_: (_ for _ in ()).throw(EngineError("a", "b", "c")))
    moved = motion_of()
    points = moved.landmarks_px + np.array([7, 3, 0], np.float32)
    generator.make(replace(moved, landmarks_px=points, captured_ns=round(0.1e9)))
    generator.make(replace(moved, landmarks_px=points, captured_ns=round(0.2e9)))
    before, after = pasted[0][1], pasted[-1][1]
    np.testing.assert_allclose(
        after.portrait_from_crop - before.portrait_from_crop, [[0, 0, 7], [0, 0, 3]], atol=0.1
    )


def test_a_busy_processor_is_no_reason_to_give_the_network_up(own_generator, told, monkeypatch):
    made, clock = own_generator, FakeTime()
    made._now_s, made._pace = clock.monotonic, PaceWatch(FPS)
    around = made._cpu.renderer.render_around_face
    monkeypatch.setattr(
        made._cpu.renderer, "render_around_face", lambda motion: clock.sleep(0.3) or around(motion)
    )
    for i in range(12):
        made.make(replace(motion_of(), frame_id=i, captured_ns=round(i / FPS * 1e9)))
    assert clock.passed_s > 3.0 and made.maker is made and not told


@pytest.mark.parametrize("wanted", ["auto", pytest.param("liveportrait", marks=pytest.mark.thorough)])
def test_a_network_that_becomes_too_slow_is_given_up_unless_it_was_asked_for(
    own_generator, told, monkeypatch, wanted
):
    made, clock = own_generator, FakeTime()
    made._now_s, made._pace = clock.monotonic, PaceWatch(FPS) if wanted == "auto" else None
    picture = made._head.picture

    def slowly(motion):
        clock.sleep(0.3)
        return picture(motion)

    monkeypatch.setattr(made._head.__class__, "picture", lambda _, motion: slowly(motion))
    motion = motion_of()
    for i in range(8 + round(STEP_DOWN_S * FPS)):
        made.make(replace(motion, frame_id=i, captured_ns=round(i / FPS * 1e9)))
    if wanted == "liveportrait":
        assert made.maker is made and not told
    else:
        assert made.description == "CPU"
        assert "300 ms a picture, of 33 ms at 30 a second" in told[0]


def test_a_late_picture_now_and_then_is_no_reason():
    watch = PaceWatch(FPS)
    for i in range(120):
        watch.took(0.2 if i % 20 == 0 else 0.02)
    assert watch.holds and not watch.is_late


# Which maker is chosen


@pytest.fixture(scope="module")
def cache_of_the_emulated_gpu(tmp_path_factory, shared_generator):
    """A cache folder apart, as its engines are none; what was learnt of the portrait is shared."""
    folder = tmp_path_factory.mktemp("emulated") / "facepuppet"
    folder.mkdir()
    (folder / "motion-maps").symlink_to(Path(os.environ["XDG_CACHE_HOME"]) / "facepuppet" / "motion-maps")
    return folder.parent


@pytest.fixture
def gpu_of_the_emulated_kind(machine, monkeypatch, cache_of_the_emulated_gpu):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_of_the_emulated_gpu))
    machine.install(monkeypatch, "tensorrt_rtx")
    return machine


def test_auto_takes_it_where_it_holds_the_cadence(gpu_of_the_emulated_kind, below, imported, caplog):
    clock = FakeTime()
    stage = below("tensorrt-rtx")
    clocked(stage, clock, 0.12)
    made = with_generator("auto", stage, 8.0, imported, now_s=clock.monotonic)
    assert made.description == "LivePortrait at 512² (120 ms a picture, of 125 ms at 8 a second)"
    assert "LivePortrait" not in caplog.text
    assert "TensorRT-RTX" in made.networks["LivePortrait"]
    assert made.make(motion_of()).rgb.shape == (320, 320, 3)


def test_all_on_the_card_it_paints_what_it_paints_through_here(
    gpu, monkeypatch, cache_of_the_emulated_gpu, below, imported, generator
):
    """And a portrait's own head, when two of them take turns."""
    if isinstance(gpu, EmulatedGpu):
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache_of_the_emulated_gpu))
    made = with_generator("liveportrait", below(gpu.engine()), FPS, imported)
    assert "all on the card" in made.networks["LivePortrait"]
    networks, motion = made._head._networks, motion_of((0.1, 0.2, 0.0), jawOpen=0.4)
    other = np.zeros_like(made._head._feature)
    truth = generator._head.picture(motion).rgb
    assert_pictures_equal(made._head.picture(motion).rgb, truth, GPU)
    points = made._head._points
    assert networks.picture(other, points, points).max() == 0
    assert_pictures_equal(made._head.picture(motion).rgb, truth, GPU)


def test_auto_leaves_it_where_it_does_not(gpu_of_the_emulated_kind, below, imported, caplog):
    clock, stage = FakeTime(), below("tensorrt-rtx")
    clocked(stage, clock, 0.2)
    assert with_generator("auto", stage, FPS, imported, now_s=clock.monotonic) is stage.best
    assert "200 ms a picture" in caplog.text and "on tensorrt-rtx: the built-in maker is used" in caplog.text
    assert clock.passed_s < 2.6  # the trial and no more
    assert stage.cpu.renderer.fallbacks == ()


def clocked(stage: Below, clock: FakeTime, frame_s: float) -> None:
    """Let each rendered frame take so long by a clock; fitting takes none."""
    around = stage.cpu.renderer.render_around_face

    def timed(motion):
        clock.sleep(frame_s)
        return around(motion)

    stage.cpu.renderer.render_around_face = timed


def test_on_a_cpu_auto_opens_nothing(below, imported, monkeypatch, caplog):
    monkeypatch.setattr(choosing, "PortraitNetworks", lambda *_: pytest.fail("opened"))
    stage = below("cpu")
    assert with_generator("auto", stage, FPS, imported) is stage.best
    assert "takes seconds a picture on a CPU" in caplog.text


def test_a_full_gpu_leaves_it_to_the_built_in_maker(gpu_of_the_emulated_kind, below, imported):
    stage = below("tensorrt-rtx")
    gpu_of_the_emulated_kind.full_from = gpu_of_the_emulated_kind.allocated + (4 << 20)
    assert with_generator("auto", stage, FPS, imported) is stage.best
    (told,) = stage.cpu.renderer.fallbacks
    assert told.startswith("LivePortrait is not used. Got ") and "memory is full" in told


def test_a_lost_gpu_steps_down(gpu_of_the_emulated_kind, below, imported):
    stage = below("tensorrt-rtx")
    made = with_generator("liveportrait", stage, FPS, imported)
    motion = motion_of()
    shown = losing(made, motion, lambda: setattr(gpu_of_the_emulated_kind, "lost", True))
    assert made.description == "CPU" and shown[-1].max() > 0
    assert "which was lost" in stage.cpu.renderer.fallbacks[0]


def test_without_an_import_auto_looks_no_further(monkeypatch):
    monkeypatch.setattr(choosing, "with_generator", lambda *_: pytest.fail("looked"))
    puppet = Puppet(hopper(), Composer(hopper(), CANVAS), engine="cpu", maker="auto")
    assert isinstance(puppet.maker, CpuMaker) and puppet.fallbacks == ()


def test_asked_for_without_an_import_it_says_how_to_get_one():
    puppet = Puppet(hopper(), Composer(hopper(), CANVAS), engine="cpu", maker="liveportrait")
    assert isinstance(puppet.maker, CpuMaker)
    (told,) = puppet.fallbacks
    assert "no import of LivePortrait" in told and "facepuppet engines import liveportrait FOLDER" in told


def test_a_maker_that_nobody_knows_is_refused():
    with pytest.raises(EngineError, match="maker 'livportrait'"):
        Puppet(hopper(), Composer(hopper(), CANVAS), engine="cpu", maker="livportrait")


def test_a_puppet_shows_it(imported, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    (tmp_path / "facepuppet" / "engines").mkdir(parents=True)
    (tmp_path / "facepuppet" / "engines" / "liveportrait").symlink_to(imported)
    puppet = Puppet(hopper(), Composer(hopper(), CANVAS), engine="cpu", maker="liveportrait")
    assert puppet.frame_path.startswith("LivePortrait at 512² (")
    assert "ONNX Runtime" in puppet.networks["LivePortrait"]
    assert puppet.show(PIECE.expression(1.5, 0)).rgb.shape == (320, 320, 3)
    assert {"render", "network", "paste", "compose", "mark"} <= set(puppet.timings())
    assert not isinstance(puppet.maker, FallbackMaker)


# Bad input


def cut_off(folder, parts):
    (folder / "decoder.onnx").write_bytes(parts["decoder"][:-40])


def exchanged(folder, parts):
    (folder / "lips.onnx").write_bytes(bytes(reversed(parts["lips"])))


def other_shapes(folder, parts):
    """As of the networks for animals, had they another number of keypoints."""
    text = (folder / "manifest.toml").read_text()
    (folder / "manifest.toml").write_text(text.replace("[1, 21, 3]", "[1, 9, 3]"))


def another_network(folder, parts):
    write_import(folder, {**parts, "lips": parts["eyes"]})


BAD = {
    "no manifest": (lambda folder, parts: (folder / "manifest.toml").unlink(), "no import of LivePortrait"),
    "no TOML": (lambda folder, parts: (folder / "manifest.toml").write_bytes(b"\xff["), "manifest.toml"),
    "a part left out": (
        lambda folder, parts: write_import(folder, {k: v for k, v in parts.items() if k != "eyes"}),
        "with appearance, motion",
    ),
    "a file that is missing": (lambda folder, parts: (folder / "eyes.onnx").unlink(), "eyes.onnx"),
    "a file that was cut off": (cut_off, "decoder.onnx of"),
    "a file that was exchanged": (exchanged, "sha256"),
    "a file that is no network": (
        lambda folder, parts: write_import(folder, {**parts, "motion": b"nothing"}),
        "which ONNX Runtime refuses",
    ),
    "other shapes in the manifest": (other_shapes, "liveportrait-motion"),
    "other shapes in a file": (another_network, "with inputs {'keypoints': (1, 66)}"),
    "a painter in place of a part": (
        lambda folder, parts: write_import(folder, {**parts, "decoder": unet()}),
        "with inputs {'warped': (1, 3, 64, 64)",
    ),
    "a part too many": (lambda folder, parts: write_import(folder, {**parts, "tail": parts["eyes"]}), "tail"),
}


@pytest.fixture
def at_the_cpu(shared_generator) -> Below:
    """A built-in maker to which nothing happened yet."""
    cpu = shared_generator._cpu
    cpu.renderer.runtime = Runtime("cpu")
    return Below(cpu.finisher.composer.avatar, cpu, cpu, Meter())


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=[pytest.mark.thorough] * (i % 3 > 0)) for i, what in enumerate(BAD)]
)
def test_a_bad_import_is_told_in_one_line_and_the_puppet_goes_on(what, parts, at_the_cpu, tmp_path):
    spoil, clue = BAD[what]
    folder = write_import(tmp_path / "liveportrait", parts)
    spoil(folder, parts)
    stage = at_the_cpu
    assert with_generator("liveportrait", stage, FPS, folder) is stage.best
    (told,) = stage.cpu.renderer.fallbacks
    assert told.startswith("LivePortrait is not used. Got ") and clue in told and "\n" not in told
    assert "facepuppet engines import liveportrait FOLDER" in told


@pytest.mark.parametrize("part", [pytest.param("motion", marks=pytest.mark.thorough), "decoder"])
def test_a_network_that_answers_no_number_from_the_start_is_not_used(part, parts, at_the_cpu, tmp_path):
    spoilt = {**parts, part: answering_nan(parts[part])}
    folder = write_import(tmp_path / "liveportrait", spoilt)
    assert with_generator("liveportrait", at_the_cpu, FPS, folder) is at_the_cpu.best
    (told,) = at_the_cpu.cpu.renderer.fallbacks
    assert f"whose {part}'s" in told and "is no number" in told


# What is learnt of a portrait


def states_of(angles):
    """What a network sees that answers these angles, and nothing else."""
    zeros = np.zeros((21, 3))
    return [HeadState(np.asarray(one, np.float64), np.zeros(3), zeros, 1.0, zeros) for one in angles]


def posed(*turns):
    random = np.random.default_rng(3)
    return [Posed(np.array(turn), random.normal(0, 0.1, 1434) * (not any(turn))) for turn in turns]


TURNS = ((0.0, 0, 0), (0.2, 0, 0), (-0.2, 0, 0), (0, 0.3, 0), (0, -0.3, 0), (0, 0, 0.1), (0.0, 0, 0))


def test_signs_and_gains_of_the_networks_own_angles_are_learnt():
    angles = np.array(TURNS) @ np.diag([-0.9, 1.1, -1.0])
    found = fit_map(posed(*TURNS), states_of(angles), [np.zeros((21, 3))] * len(TURNS))
    np.testing.assert_allclose(found.angles, np.diag([-0.9, 1.1, -1.0]), atol=0.01)
    assert not found.expression.any()


@pytest.mark.parametrize(
    "angles",
    [
        np.zeros((7, 3)),
        np.abs(np.array(TURNS)) + np.array([0.3, 0.3, 0.0]) * np.any(TURNS, axis=1, keepdims=True),
        0.02 * np.array(TURNS),
    ],
    ids=["nothing", "something else", "next to nothing"],
)
def test_a_network_that_does_not_see_a_portrait_turn_is_refused(angles):
    with pytest.raises(PortraitUnfitError, match="does not see this portrait turn"):
        fit_map(posed(*TURNS), states_of(angles), [np.zeros((21, 3))] * len(TURNS))


@pytest.mark.thorough
def test_a_portrait_that_the_network_does_not_see_is_told_and_the_puppet_goes_on(at_the_cpu, tmp_path):
    folder = write_import(tmp_path / "liveportrait", untaught_networks())
    assert with_generator("liveportrait", at_the_cpu, FPS, folder) is at_the_cpu.best
    (told,) = at_the_cpu.cpu.renderer.fallbacks
    assert "does not see this portrait turn" in told and "--maker builtin" in told


def test_a_map_is_kept_and_a_damaged_one_is_a_miss(tmp_path):
    cache, values = MapCache("networks", tmp_path), np.random.default_rng(2)
    known = MotionMap(np.eye(3), np.zeros((3, 3)), values.normal(0, 1, (63, 1434)))
    assert cache.get(hopper()) is None
    cache.put(hopper(), known)
    np.testing.assert_allclose(cache.get(hopper()).expression, known.expression, rtol=1e-5)
    assert MapCache("others", tmp_path).get(hopper()) is None
    (kept,) = tmp_path.iterdir()
    for spoilt in (kept.read_bytes()[:1000], b""):
        kept.write_bytes(spoilt)
        assert cache.get(hopper()) is None
    cache.put(hopper(), replace(known, expression=np.full((63, 1434), np.nan)))
    assert cache.get(hopper()) is None


def test_a_map_that_cannot_be_kept_is_told_and_no_more(tmp_path, caplog):
    (tmp_path / "no folder").write_bytes(b"")
    cache = MapCache("networks", tmp_path / "no folder")
    cache.put(hopper(), MotionMap(np.eye(3), np.eye(3), np.zeros((63, 1434))))
    assert "could not be cached" in caplog.text and cache.get(hopper()) is None


def test_every_core_works_where_only_the_cpu_is_left(imported, monkeypatch):
    asked = []
    runtime = Runtime("cpu")
    opened = runtime.open_alone
    monkeypatch.setattr(
        runtime, "open_alone", lambda *given, **how: asked.append(how) or opened(*given, **how)
    )
    monkeypatch.setattr(portrait_networks, "usable_cores", lambda: 2)
    portrait_networks.PortraitNetworks(runtime, "cpu", imported)
    assert asked == [{"threads": 2}] * 7


def test_poses_take_head_motion_back():
    rest, moved = motion_of(), motion_of((0.1, 0.2, -0.1))
    avatar = shown_avatar()
    poses = Poses(rest, avatar.head_pivot_px.astype(np.float64), avatar.inter_ocular_px)
    # Irises are placed anew in each picture: they are not quite of the turned head.
    assert np.abs(poses.of(moved).offsets.reshape(-1, 3)[:468]).max() < 1e-3
