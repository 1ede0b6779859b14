"""Painters: real ONNX networks through real ONNX Runtime, and every way a manifest can be wrong."""

import hashlib
from dataclasses import replace
from itertools import pairwise

import numpy as np
import onnx
import pytest
from avatars import hopper
from compare import EXACT, assert_pictures_equal, levels
from networks import write_manifest
from onnx import TensorProto, helper

from facepuppet.cli.options import engine_line
from facepuppet.core.errors import ManifestError
from facepuppet.core.types import Quality
from facepuppet.diagnose.verify import record
from facepuppet.drivers.scripted import weights_at
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks
from facepuppet.face.topology import LIPS_INNER, LIPS_OUTER
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cpu.render.crops import crops_of
from facepuppet.frames.cpu.render.painter import Painter, load_painters
from facepuppet.inference import OnnxSession, Runtime, open_session
from facepuppet.inference.deviation import JITTER, LEVEL, MEAN_ERROR, measure, probe_feeds
from facepuppet.inference.manifest import read_manifest, read_verified
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target

SIDE = 64


def moved(share=1.0):
    """A motion from rest (0) to speech, a glance and half a blink (1)."""
    weights = weights_at(8.25)
    offsets = compose_landmarks(canonical_landmarks(), weights) - canonical_landmarks()
    lids, gaze = np.full(2, 0.5, np.float32), np.array([[0.1, 0.0]] * 2, np.float32)
    deltas = replace(Deltas.rest(), offsets=offsets.astype(np.float32), eye_opening=lids, gaze=gaze)
    return Target(hopper()).motion(Deltas.rest().toward(deltas, share))


def rest():
    return moved(0.0)


def green_where_lips_are(contours=True, channel=1) -> bytes:
    """A network that adds green inside the moved outer lips: residual = (0, 1, 0), mask = contours[0].

    Or another colour, by its channel.
    """
    planes = [1, 3, SIDE, SIDE]
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, planes) for n in ("warped", "source")]
    if contours:
        inputs.append(helper.make_tensor_value_info("contours", TensorProto.FLOAT, [1, 4, SIDE, SIDE]))
    outputs = [
        helper.make_tensor_value_info("residual", TensorProto.FLOAT, planes),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, SIDE, SIDE]),
    ]
    green = np.zeros(planes, np.float32)
    green[:, channel] = 1.0
    start, stop = np.array([0], np.int64), np.array([1], np.int64)
    constants = [("green", green), ("from", start), ("to", stop), ("axis", stop)]
    nodes = [
        helper.make_node("Mul", ["warped", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "green"], ["residual"]),
        helper.make_node("Slice", ["contours" if contours else "source", "from", "to", "axis"], ["mask"]),
    ]
    initializers = [onnx.numpy_helper.from_array(v, n) for n, v in constants]
    initializers.append(onnx.numpy_helper.from_array(np.zeros(1, np.float32), "zero"))
    graph = helper.make_graph(nodes, "green", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write(folder, network: bytes | None = None, **changes):
    """Write a manifest with one network; returns the folder."""
    data = green_where_lips_are() if network is None else network
    (folder / "mouth.onnx").write_bytes(data)
    entry = {
        "name": "mouth", "file": "mouth.onnx", "sha256": hashlib.sha256(data).hexdigest(), "region": "mouth",
        "crop_px": SIDE, "reach": 1.0, "licence": "Apache-2.0", "origin": "a test",
    } | changes  # fmt: skip
    lines = ["format = 1", "[[network]]"]
    lines += [f"{k} = {v!r}".replace("'", '"') for k, v in entry.items() if v is not None]
    (folder / "manifest.toml").write_text("\n".join(lines))
    return folder


def add_int8(folder, network: bytes, **changes):
    """Give the one network of a manifest an 8-bit file; returns the folder."""
    (folder / "int8.onnx").write_bytes(network)
    table = {"file": "int8.onnx", "sha256": hashlib.sha256(network).hexdigest()} | changes
    with (folder / "manifest.toml").open("a") as manifest:
        manifest.write("\n[network.int8]\n" + "".join(f'{k} = "{v}"\n' for k, v in table.items() if v))
    return folder


def test_the_shipped_manifest_is_readable_and_every_file_matches():
    for network in read_manifest():
        assert read_verified(network) and read_verified(network.int8)


@pytest.mark.thorough
def test_the_shipped_8_bit_painters_do_what_those_in_fp32_do():
    """On a performance, outside the mask too: half a level on average, and flicker of a level."""
    for network, feeds in record():
        exact, small = (OnnxSession(read_verified(n), n.path.name) for n in (network, network.int8))
        deviation = measure(small, exact, feeds)
        assert 0 < deviation.mean_error < MEAN_ERROR and deviation.jitter < 2 * JITTER
        assert deviation.max_error < 10 * LEVEL


def test_the_cpu_runs_the_8_bit_file_where_there_is_one(tmp_path):
    """Here it paints red, so that one can see which file runs."""
    folder = add_int8(write(tmp_path), green_where_lips_are(channel=0))
    (network,) = read_manifest(folder)
    session = open_session(network, "cpu")
    assert "8 bits" in session.description
    feed = next(probe_feeds(session.input_shapes))
    assert session.run(feed)["residual"][0, :, 0, 0].tolist() == [1, 0, 0]
    exact = Runtime("cpu").open_unchecked(network)
    assert exact.run(feed)["residual"][0, :, 0, 0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("changes", [{"sha256": None}, {"colour": "red"}, {"file": "../int8.onnx"}])
def test_a_wrong_8_bit_entry_is_refused(tmp_path, changes):
    with pytest.raises(ManifestError, match="int8"):
        read_manifest(add_int8(write(tmp_path), green_where_lips_are(), **changes))


def test_a_damaged_8_bit_file_is_told(tmp_path):
    folder = add_int8(write(tmp_path), green_where_lips_are(), sha256="0" * 64)
    painters, problems = load_painters(hopper(), folder)
    assert painters == [] and "int8.onnx" in problems[0]


def test_a_painter_paints_inside_the_lips_only(tmp_path):
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "manifest.toml").write_text("format = 1")
    folders = (tmp_path / "bare", write(tmp_path))
    motion = moved()
    plain, painted = (Renderer(hopper(), folder).render(motion).rgba for folder in folders)
    lips = motion.landmarks_px[LIPS_OUTER, :2]
    centre = lips.mean(0).astype(int)
    before, after = (int(picture[centre[1], centre[0], 1]) for picture in (plain, painted))
    assert after - before > 100
    low, high = lips.min(0) - 6, lips.max(0) + 6  # a crop pixel is two portrait pixels
    ys, xs = np.nonzero(levels(painted, plain).max(-1) > 2)
    assert xs.min() >= low[0] and xs.max() <= high[0] and ys.min() >= low[1] and ys.max() <= high[1]


class Counting:
    """A session that counts its runs."""

    def __init__(self, session) -> None:
        self._session, self.runs = session, 0

    def __getattr__(self, name):
        return getattr(self._session, name)

    def run(self, feed):
        self.runs += 1
        return self._session.run(feed)


def shipped_painters() -> list[Painter]:
    return [Painter(network, hopper(), Counting(open_session(network, "cpu"))) for network in read_manifest()]


def shares_of(painter, motion):
    return painter.shares(painter.crops(motion.landmarks_px))


def turned(share):
    """Rest with the head turned, shifted and enlarged, as far as a share says: bone alone moves."""
    deltas = replace(
        Deltas.rest(), turn=np.array([0.0, 0.0, 0.3 * share], np.float32), log_scale=0.2 * share,
        shift=np.array([0.3, 0.1], np.float32) * np.float32(share),
    )  # fmt: skip
    return Target(hopper()).motion(deltas)


@pytest.mark.parametrize("motion", [rest(), turned(1.0)], ids=["rest", "a leaning head"])
def test_where_nothing_of_a_region_moves_nothing_is_painted_and_no_network_runs(motion):
    rgba = Renderer(hopper()).render(motion).rgba
    for painter in shipped_painters():
        assert painter.residuals(rgba, motion) == [] and painter.session.runs == 0


def test_at_rest_the_picture_is_the_unpainted_one(tmp_path):
    (tmp_path / "manifest.toml").write_text("format = 1")
    pictures = [Renderer(hopper(), folder).render(rest()).rgba for folder in (tmp_path, None)]
    assert_pictures_equal(*pictures, EXACT)


def test_a_painter_runs_once_for_each_crop_that_moved(tmp_path):
    for painter in shipped_painters():
        rgba = Renderer(hopper()).render(moved()).rgba
        n = len(painter.rest)
        assert len(painter.residuals(rgba, moved())) == painter.session.runs == n
        # This mouth is wide open, and leaves a part to the drawing.
        assert shares_of(painter, moved()) == ([pytest.approx(0.75, abs=0.2)] if n == 1 else [1.0] * n)


def test_what_was_painted_serves_until_outlines_move_visibly():
    for painter in shipped_painters():
        n, rgba = len(painter.rest), Renderer(hopper()).render(moved()).rgba
        first = painter.residuals(rgba, moved())
        again = painter.residuals(rgba, moved(0.999))
        assert painter.session.runs == n
        for (crop, residual), (later, same) in zip(first, again, strict=True):
            assert 0.0 < later.departure_px(crop) < 0.2
            assert np.abs(residual - same).max() < 0.5 / 255  # and it goes where the later crop is
        painter.residuals(rgba, moved(0.9))
        assert painter.session.runs == 2 * n


def test_a_slow_motion_is_repainted_in_steps_nobody_sees():
    """What changes at once, when the network paints anew, stays within a few levels."""
    for painter in shipped_painters():
        motions = [moved(share) for share in np.linspace(0.5, 0.62, 41)]
        renderer = Renderer(hopper())
        found = [[r for _, r in painter.residuals(renderer.render(m).rgba, m)] for m in motions]
        assert len(painter.rest) < painter.session.runs < 0.6 * len(motions) * len(painter.rest)
        steps = [
            np.abs(b - a) for before, after in pairwise(found) for a, b in zip(before, after, strict=True)
        ]
        # A hundredth of a crop is its lips or lids; twice what clips showed as the median.
        assert max(np.percentile(step, 99) for step in steps) < 12 * LEVEL


def test_patience_lets_painters_pause_but_not_for_longer():
    shares = np.linspace(0.2, 1.0, 9)  # each step by more than is left unpainted otherwise
    for painter in shipped_painters():
        n, rgba = len(painter.rest), Renderer(hopper()).render(moved()).rgba
        pause = {share: runs_at(painter, rgba, share, 2) for share in shares}
        assert sum(pause.values()) <= 3 * n and pause[shares[0]] == n
        painter.forget()
        assert sum(runs_at(painter, rgba, share, 0) for share in shares) > sum(pause.values())


def test_patience_ends_where_another_moment_would_be_seen():
    for painter in shipped_painters():
        n, rgba = len(painter.rest), Renderer(hopper()).render(moved()).rgba
        assert [runs_at(painter, rgba, share, 9) for share in (0.2, 1.0)] == [n, n]


def runs_at(painter, rgba, share, patience):
    """How often the network ran for a frame."""
    before = painter.session.runs
    painter.residuals(rgba, moved(share), patience)
    return painter.session.runs - before


def test_without_painters_the_picture_stays_as_it_is_drawn(tmp_path):
    (tmp_path / "manifest.toml").write_text("format = 1")
    renderer = Renderer(hopper())
    renderer.set_quality(Quality(painters_every=0))
    assert_pictures_equal(
        renderer.render(moved()).rgba, Renderer(hopper(), tmp_path).render(moved()).rgba, EXACT
    )


def test_nothing_painted_before_a_rest_serves_after_it():
    for painter in shipped_painters():
        n, rgba = len(painter.rest), Renderer(hopper()).render(moved()).rgba
        for motion in (moved(), rest(), moved()):
            painter.residuals(rgba, motion, 9)
        assert painter.session.runs == 2 * n


def test_painting_sets_in_smoothly():
    """From nothing to all of it, never back, and in no step of a smooth motion by more than a few levels."""
    steps = np.linspace(0, 0.5, 101)
    for painter in shipped_painters():
        shares = np.array([shares_of(painter, moved(step)) for step in steps])
        assert (shares[0] == 0).all() and (shares[-1] == 1).all()
        assert (np.diff(shares, axis=0) >= -1e-6).all() and np.diff(shares, axis=0).max() < 0.15
        assert ((shares > 0) & (shares < 1)).sum(0).min() > 5
        onset = moved(steps[np.flatnonzero(shares.min(1) > 0)[0]])
        rgba = Renderer(hopper()).render(onset).rgba
        assert all(np.abs(residual).max() < 8 * LEVEL for _, residual in painter.residuals(rgba, onset))


def test_what_sees_the_whole_picture_always_paints(tmp_path):
    (network,) = read_manifest(write(tmp_path, green_where_lips_are(contours=False), region="frame"))
    painter = Painter(network, hopper())
    assert shares_of(painter, rest()) == [1.0]


def test_a_damaged_network_is_left_out_loudly(tmp_path, caplog):
    folder = write(tmp_path)
    data = bytearray((folder / "mouth.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "mouth.onnx").write_bytes(data)
    painters, problems = load_painters(hopper(), folder)
    assert painters == []
    assert len(problems) == 1 and "sha256" in problems[0] and "geometry stands in" in problems[0]
    assert "sha256" in caplog.text
    renderer = Renderer(hopper(), folder)
    assert renderer.problems and renderer.render(rest()).rgba.any()
    assert renderer.fallbacks == renderer.problems  # so that statistics and the status line tell
    assert "FALLEN BACK 1" in engine_line(renderer.networks, renderer.fallbacks)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": "ear"}, "region"),
        ({"crop_px": 4}, "crop_px"),
        ({"licence": None}, "licence"),
        ({"colour": "red"}, "colour"),
        ({"file": "../mouth.onnx"}, "inside its folder"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, changes, words):
    with pytest.raises(ManifestError, match=words):
        read_manifest(write(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "format = 99", "not toml at all [", None])
def test_a_wrong_manifest_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ManifestError):
        read_manifest(tmp_path)


def test_a_file_that_is_no_network_is_refused(tmp_path):
    (network,) = read_manifest(write(tmp_path, b"this is not onnx"))
    with pytest.raises(ManifestError, match="ONNX Runtime refuses"):
        Painter(network, hopper())


def test_a_network_with_another_signature_is_refused(tmp_path):
    (network,) = read_manifest(write(tmp_path, green_where_lips_are(contours=False)))
    with pytest.raises(ManifestError, match="contours"):
        Painter(network, hopper())


def test_a_missing_file_is_named(tmp_path):
    folder = write(tmp_path)
    (folder / "mouth.onnx").unlink()
    (network,) = read_manifest(folder)
    with pytest.raises(ManifestError, match=r"mouth\.onnx"):
        read_verified(network)


@pytest.mark.parametrize(("region", "count"), [("mouth", 1), ("eye", 2), ("frame", 1)])
def test_crops_are_square_upright_and_centred(region, count):
    avatar = hopper()
    crops = crops_of(region, avatar.landmarks_px, avatar.size_px, SIDE, 1.8)
    assert len(crops) == count
    for crop in crops:
        assert crop.sample(avatar.portrait_rgb, SIDE).shape == (SIDE, SIDE, 3)
        if region != "frame":
            outline = crop.outlines_px[0]
            middle = (outline.min(0) + outline.max(0)) / 2
            at = crop.crop_from_picture[:, :2] @ middle + crop.crop_from_picture[:, 2]
            assert np.abs(at - SIDE / 2).max() < 0.1 * SIDE
            assert crop.contours(SIDE)[0].mean() > 0.02


def test_the_eyes_are_seen_the_same_way_round():
    """The image-right eye is mirrored, so that one network serves both: the nose lies right."""
    avatar = hopper()
    left, right = crops_of("eye", avatar.landmarks_px, avatar.size_px, SIDE, 1.8)
    nose = avatar.landmarks_px[168, :2]
    for crop in (left, right):
        x = (crop.crop_from_picture[:, :2] @ nose + crop.crop_from_picture[:, 2])[0]
        assert x > SIDE / 2


def test_a_very_wide_mouth_leaves_half_to_the_drawing_unless_the_painter_is_tuned(tmp_path):
    folder = write_manifest(tmp_path, green_where_lips_are(), reach=0.92)
    (network,) = read_manifest(folder)
    inner = np.array([13, 14])  # middles of the inner lips, upper and lower
    for gap, expected in ((0.05, 1.0), (0.22, 0.75), (0.5, 0.5)):
        landmarks = hopper().landmarks_px.copy()
        landmarks[LIPS_INNER] += (0.0, 40.0, 0.0)  # far enough from rest for painting to be full
        landmarks[inner[1]] = landmarks[inner[0]] + (0.0, gap * hopper().inter_ocular_px, 0.0)
        (share,) = Painter(network, hopper()).shares(Painter(network, hopper()).crops(landmarks))
        assert share == pytest.approx(expected, abs=0.03)
        tuned = replace(network, content=read_verified(network))
        (share,) = Painter(tuned, hopper()).shares(Painter(tuned, hopper()).crops(landmarks))
        assert share == pytest.approx(1.0)
