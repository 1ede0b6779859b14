"""LivePortrait's networks in our modules: against numbers of the published code, and piece by piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'facepuppet[train]'")

from torch.nn import functional  # noqa: E402

from engines.liveportrait.decoder_part import _EnlargedFirst  # noqa: E402
from engines.liveportrait.folding import enlarged, layer  # noqa: E402
from engines.liveportrait.onnx_parts import PARTS, Part, example_inputs, export  # noqa: E402
from engines.liveportrait.random_weights import random_weights  # noqa: E402
from engines.liveportrait.volume_sampling import resample_shifted, sample  # noqa: E402
from engines.liveportrait.warping_part import _DepthLast, _OneChannel  # noqa: E402
from facepuppet.inference.plan import Tensor, build_plan  # noqa: E402
from facepuppet.inference.tensorrt import Flavour  # noqa: E402

# What tools/liveportrait_parity.py --record wrote of the published code, and its bar for each part.
REFERENCES = Path(__file__).with_name("liveportrait_references.npz")
SEED, TOLERANCE = 1, 1e-4
BY_NAME = {part.name: part for part in PARTS}
LARGE = {"warping", "decoder"}  # a third of a TFLOP and more
LONG_TO_EXPORT = {"appearance", "motion", *LARGE}
TARGETS = ("sm86", "sm89", "sm120")
FIRST_NUMBERS = (-0.022898326, -0.01080363, -0.040132385)
# What DirectML, CoreML, OpenVINO and TensorRT know without plug-ins or later opsets.
PLAIN = {
    "Abs", "Add", "AveragePool", "Cast", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv",
    "ConvTranspose", "DepthToSpace", "Div", "Erf", "Exp", "Floor", "Gather", "Gemm", "GridSample",
    "Identity", "InstanceNormalization", "LayerNormalization", "LeakyRelu", "MatMul", "Mul", "Pad",
    "ReduceMean", "ReduceSum", "Relu", "Reshape", "Resize", "Shape", "Sigmoid", "Slice",
    "Softmax", "Split", "Sqrt", "Sub", "Transpose", "Unsqueeze",
}  # fmt: skip


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def all_parts(thorough: set[str]) -> list[object]:
    return [pytest.param(n, marks=pytest.mark.thorough) if n in thorough else n for n in BY_NAME]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """ONNX files by part, as they are asked for."""
    return {}


def exported(files: dict[str, bytes], part: Part) -> bytes:
    if part.name not in files:
        files[part.name] = export(part, random_weights(SEED, part.weights))
    return files[part.name]


@pytest.mark.parametrize("name", all_parts(LARGE))
def test_a_part_answers_as_the_published_code_does(name: str) -> None:
    part = BY_NAME[name]
    network = part.build(random_weights(SEED, part.weights)).eval()
    with torch.no_grad():
        answers = network(*example_inputs(part, SEED).values())
    answers = answers if isinstance(answers, tuple) else (answers,)
    with np.load(REFERENCES) as recorded:
        for (output, shape), answer in zip(part.outputs.items(), answers, strict=True):
            assert tuple(answer.shape) == shape
            flat, expected = answer.numpy().reshape(-1), recorded[f"{name}.{output}"]
            some = flat[np.linspace(0, flat.size - 1, expected.size).astype(int)]
            np.testing.assert_allclose(some, expected, atol=TOLERANCE, rtol=0)
            mean = recorded[f"{name}.{output}.mean"]
            np.testing.assert_allclose(flat.mean(dtype=np.float64), mean, atol=TOLERANCE, rtol=0)


def test_a_volume_is_sampled_at_points_in_and_out_of_it() -> None:
    volume = normal(1, 3, 16, 12, 10)
    grid = torch.rand(3, 16, 12, 10, generator=torch.Generator().manual_seed(1)) * 2.6 - 1.3
    expected = functional.grid_sample(volume, grid.permute(1, 2, 3, 0)[None], align_corners=False)
    torch.testing.assert_close(sample(volume, grid), expected, atol=1e-4, rtol=0)


def test_shifted_grids_are_sampled_as_they_are_point_by_point() -> None:
    volume, shifts = normal(1, 2, 8, 12, 10), 0.4 * normal(5, 3, seed=1)
    axes = (torch.linspace(-1, 1, side) for side in (8, 12, 10))
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    grids = torch.stack([x, y, z], -1)[None] + shifts[:, None, None, None]
    expected = functional.grid_sample(volume.expand(5, -1, -1, -1, -1), grids, align_corners=False)
    torch.testing.assert_close(resample_shifted(volume, shifts), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_convolution_of_repeated_pixels_is_computed_from_those_that_differ(factor: int) -> None:
    picture, weight, bias = normal(1, 5, 6, 7), normal(4, 5, 3, 3, seed=1), normal(4, seed=2)
    repeated = functional.interpolate(picture, scale_factor=float(factor))
    expected = functional.conv2d(repeated, weight, bias, padding=1)
    answer = _EnlargedFirst((weight.double(), bias.double()), factor)(picture)
    torch.testing.assert_close(answer, expected, atol=1e-4, rtol=0)


def test_a_convolution_of_a_doubled_volume_is_one_step() -> None:
    volume, weight, bias = normal(1, 5, 4, 6, 7), normal(3, 5, 3, 3, 3, seed=1), normal(3, seed=2)
    doubled = functional.interpolate(volume, scale_factor=(1.0, 2.0, 2.0))
    expected = functional.conv3d(doubled, weight, bias, padding=1)
    answer = enlarged((weight.double(), bias.double()))(volume)
    torch.testing.assert_close(answer, expected, atol=1e-4, rtol=0)


def test_convolutions_in_parts_are_those_in_one() -> None:
    volume, weight, bias = normal(1, 5, 4, 6, 7), normal(3, 5, 7, 7, 7, seed=1), normal(3, seed=2)
    expected = functional.conv3d(volume, weight, bias, padding=3)
    answer = _DepthLast((weight.double(), bias.double()))(volume)
    torch.testing.assert_close(answer, expected, atol=1e-3, rtol=0)  # sums of 1715 products up to 40
    one, one_bias = weight[:1, :, 0], bias[:1]
    expected = functional.conv2d(volume[:, :, 0], one, one_bias, padding=3)
    answer = _OneChannel((one.double(), one_bias.double()))(volume[:, :, 0])
    torch.testing.assert_close(answer, expected, atol=1e-4, rtol=0)


def test_a_spectral_norm_is_divided_by_the_largest_singular_value() -> None:
    module = torch.nn.utils.spectral_norm(torch.nn.Conv2d(6, 4, 3), n_power_iterations=50)
    module(normal(1, 6, 5, 5))
    module.eval()
    expected = module(normal(1, 6, 5, 5, seed=1))
    weight, bias = layer({f"c.{name}": value for name, value in module.state_dict().items()}, "c")
    answer = functional.conv2d(normal(1, 6, 5, 5, seed=1), weight.float(), bias.float())
    torch.testing.assert_close(answer, expected)
    assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-3)


def test_weights_of_a_seed_are_the_same_on_every_machine() -> None:
    made = random_weights(SEED, "stitching_retargeting_module")["retarget_eye.mlp.0.weight"]
    np.testing.assert_allclose(made[0, :3].numpy(), FIRST_NUMBERS, rtol=1e-6)


@pytest.mark.parametrize("name", all_parts(LONG_TO_EXPORT))
def test_a_part_is_exported_with_plain_operators(files: dict[str, bytes], name: str) -> None:
    part = BY_NAME[name]
    model = onnx.load_from_string(exported(files, part))
    assert {node.op_type for node in model.graph.node} <= PLAIN
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    for listed, told in ((part.inputs, model.graph.input), (part.outputs, model.graph.output)):
        shapes = {value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim) for value in told}
        assert shapes == dict(listed)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", all_parts(LONG_TO_EXPORT))
def test_a_part_is_built_for_gpus_that_are_not_here(files: dict[str, bytes], name: str, target: str) -> None:
    pytest.importorskip("tensorrt_rtx", reason="TensorRT-RTX has no wheel for this system")
    part = BY_NAME[name]
    built = build_plan(exported(files, part), Flavour("tensorrt-rtx"), target)
    assert built.inputs == tuple(Tensor(n, shape, "float32") for n, shape in part.inputs.items())
    assert built.outputs == tuple(Tensor(n, shape, "float32") for n, shape in part.outputs.items())
