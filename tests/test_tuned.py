"""A pack's own painters: the shipped ones with other weights are taken, everything else is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from avatars import hopper
from compare import EXACT, assert_pictures_differ
from fakes import lines_run
from networks import unet, write_manifest
from onnx import numpy_helper
from test_painter import moved

from facepuppet.core.errors import ManifestError
from facepuppet.core.types import U8
from facepuppet.frames.cpu.render import Renderer
from facepuppet.frames.cpu.render.tuned import check_tuned, weight_slots, weights_in, with_weights
from facepuppet.portrait.avatar import TunedPainter
from facepuppet.portrait.pack import Pack, load_pack, save_pack


def tuned(shipped: bytes, factor: float = 0.5) -> bytes:
    return with_weights(shipped, {name: factor * values for name, values in weights_in(shipped).items()})


def with_painter(*painters: TunedPainter):
    return dataclasses.replace(hopper(), painters=painters)


def test_weights_are_found_as_onnx_itself_finds_them() -> None:
    model = unet()
    wanted = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in onnx.load_from_string(model).graph.initializer
    }
    found = weights_in(model)
    assert found.keys() == {"a_w", "b_w", "c_w", "d_w"}  # not what scales pictures
    for name, values in found.items():
        np.testing.assert_array_equal(values, wanted[name])


def test_other_weights_are_all_that_changes() -> None:
    model = unet()
    changed = onnx.load_from_string(tuned(model))
    onnx.checker.check_model(changed, full_check=True)
    for before, after in zip(
        onnx.load_from_string(model).graph.initializer, changed.graph.initializer, strict=True
    ):
        factor = 0.5 if before.name.endswith("_w") else 1.0
        np.testing.assert_array_equal(factor * numpy_helper.to_array(before), numpy_helper.to_array(after))
    assert with_weights(tuned(model), weights_in(model)) == model
    check_tuned(model, tuned(model))


def test_a_pack_brings_its_painter_to_the_show(tmp_path: Path) -> None:
    shipped = unet()
    folder = write_manifest(tmp_path / "engines", shipped)
    save_pack(Pack(with_painter(TunedPainter("mouth", tuned(shipped)))), tmp_path / "me.puppet")
    avatar = load_pack(tmp_path / "me.puppet").avatar
    plain, own = Renderer(hopper(), folder), Renderer(avatar, folder)
    assert not own.problems
    assert list(plain.networks) == ["mouth"] and list(own.networks) == ["mouth-tuned"]
    assert_pictures_differ(own.render(moved()).rgba, plain.render(moved()).rgba, EXACT)


def other_operator(model: bytes) -> bytes:
    loaded = onnx.load_from_string(model)
    for node in loaded.graph.node:
        if node.op_type == "Relu":
            node.op_type = "Sqrt"
    return bytes(loaded.SerializeToString())


def external_data(model: bytes) -> bytes:
    loaded = onnx.load_from_string(model)
    tensor = loaded.graph.initializer[-1]
    onnx.external_data_helper.set_external_data(tensor, "/etc/passwd")
    tensor.ClearField("raw_data")
    return bytes(loaded.SerializeToString())


def custom_domain(model: bytes) -> bytes:
    loaded = onnx.load_from_string(model)
    loaded.graph.node[0].domain = "com.evil"
    return bytes(loaded.SerializeToString())


def of_weight(value: float):
    def change(model: bytes) -> bytes:
        weights = {name: values.copy() for name, values in weights_in(model).items()}
        next(iter(weights.values())).flat[0] = value
        return with_weights(model, weights)

    return change


def stretched(model: bytes) -> bytes:
    """A million times more pixels inside: what a bomb would do."""
    loaded = onnx.load_from_string(model)
    for tensor in loaded.graph.initializer:
        if tensor.name == "scales":
            tensor.raw_data = np.array([1, 1, 999, 999], np.float32).tobytes()
    return bytes(loaded.SerializeToString())


@pytest.fixture(scope="module")
def shipped_shown(tmp_path_factory: pytest.TempPathFactory) -> U8:
    """A moved portrait as the shipped painter paints it."""
    folder = write_manifest(tmp_path_factory.mktemp("engines"))
    return Renderer(hopper(), folder).render(moved()).rgba


@pytest.mark.parametrize(
    "change",
    [
        stretched,
        other_operator,
        external_data,
        custom_domain,
        of_weight(np.nan),
        of_weight(np.inf),
        of_weight(-1e9),
        lambda model: model[:-1],
        lambda model: model + b"\0",
        lambda model: model[:10] + bytes([model[10] ^ 1]) + model[11:],
        lambda model: b"",
        lambda model: unet(width=12),
        lambda model: unet(side=96),
    ],
)
def test_anything_else_is_refused_loudly_and_the_shipped_one_paints(
    tmp_path, caplog, change, shipped_shown
) -> None:
    shipped = unet()
    folder = write_manifest(tmp_path / "engines", shipped)
    renderer = Renderer(with_painter(TunedPainter("mouth", change(shipped))), folder)
    (problem,) = renderer.problems
    assert "own mouth painter is refused" in problem and "stands in" in problem
    assert problem in caplog.text
    assert list(renderer.networks) == ["mouth"]
    np.testing.assert_array_equal(renderer.render(moved()).rgba, shipped_shown)


def test_a_painter_that_nothing_shipped_answers_to_is_refused(tmp_path: Path) -> None:
    folder = write_manifest(tmp_path / "engines")
    renderer = Renderer(with_painter(TunedPainter("nose", unet())), folder)
    assert len(renderer.problems) == 1 and "'nose'" in renderer.problems[0]
    assert list(renderer.networks) == ["mouth"]


def test_weights_that_overflow_paint_nothing(tmp_path: Path) -> None:
    """Finite weights can still make infinities of pictures; the show goes on without that painter."""
    shipped, random = unet(gain=1e-30), np.random.default_rng(0)
    weights = {
        name: random.choice([-99, 99], values.shape).astype(np.float32)
        for name, values in weights_in(shipped).items()
    }
    model = with_weights(shipped, weights)
    check_tuned(shipped, model)
    folder = write_manifest(tmp_path / "engines", shipped)
    renderer = Renderer(with_painter(TunedPainter("mouth", model)), folder)
    assert renderer.render(moved()).rgba.any()


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\x3a\x7f", b"\x3b\x00"])
def test_a_shipped_file_that_is_no_network_is_named(data: bytes) -> None:
    with pytest.raises(ManifestError):
        weight_slots(data)


def test_weights_of_another_shape_are_refused() -> None:
    weights = dict(weights_in(unet()))
    weights["a_w"] = weights["a_w"][:1]
    with pytest.raises(ManifestError, match="a_w"):
        with_weights(unet(), weights)


def test_checking_costs_no_more_for_a_larger_network() -> None:
    """In Python, where it would take seconds; NumPy looks at each byte a few times."""
    small, large = unet(width=3), unet(width=300)
    assert len(small) < 10_000 and len(large) > 6_000_000
    pairs = [(shipped, tuned(shipped)) for shipped in (small, large)]
    costs = [lines_run(lambda pair=pair: check_tuned(*pair)) for pair in pairs]
    assert costs[1] < 1.5 * costs[0]
