"""MACs of networks that can be counted by hand."""

import hashlib

import numpy as np
import onnx
import pytest
from avatars import hopper
from networks import SIDE, unet
from onnx import TensorProto, helper, numpy_helper
from reenactment.cost import WARM_UP, count_macs, measure_cost

from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target


def network(node, weights, takes, gives) -> bytes:
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, takes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, gives)],
        [numpy_helper.from_array(np.zeros(weights, np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("node", "weights", "takes", "gives", "macs"),
    [
        (
            helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 2], pads=[1] * 4),
            *((16, 8, 3, 3), [1, 8, 32, 32], [1, 16, 16, 16]),
            16 * 16 * 16 * 8 * 9,
        ),
        (
            helper.make_node("Conv", ["x", "w"], ["y"], group=8, pads=[1] * 4),
            *((8, 1, 3, 3), ["batch", 8, 32, 32], ["batch", 8, 32, 32]),
            8 * 32 * 32 * 9,
        ),
        (
            helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2]),
            *((8, 4, 2, 2), [1, 8, 16, 16], [1, 4, 32, 32]),
            8 * 16 * 16 * 4 * 4,
        ),
        (
            helper.make_node("Gemm", ["x", "w"], ["y"], transB=1),
            *((10, 64), [1, 64], [1, 10]),
            640,
        ),
        (helper.make_node("MatMul", ["x", "w"], ["y"]), (64, 10), [3, 64], [3, 10], 1920),
        (helper.make_node("Mul", ["x", "w"], ["y"]), (1, 64), [3, 64], [3, 64], 0),
    ],
)  # fmt: skip
def test_macs_are_counted(node, weights, takes, gives, macs):
    assert count_macs(network(node, weights, takes, gives)) == macs


def test_the_cost_of_a_manifest_is_measured(tmp_path):
    data = unet(width=4)
    entries = []
    for region in ("mouth", "eye"):
        (tmp_path / f"{region}.onnx").write_bytes(data)
        entries.append(
            f'[[network]]\nname = "{region}"\nfile = "{region}.onnx"\nregion = "{region}"\nreach = 1.5\n'
            f'sha256 = "{hashlib.sha256(data).hexdigest()}"\ncrop_px = {SIDE}\n'
            'licence = "Apache-2.0"\norigin = "a test"'
        )
    (tmp_path / "manifest.toml").write_text("\n".join(["format = 1", *entries]))
    rest = Target(hopper()).motion(Deltas.rest())
    cost = measure_cost(tmp_path, hopper(), [rest] * (WARM_UP + 4))
    assert onnx.load_from_string(data)
    assert cost["networks_mmac"]["eye"] == pytest.approx(2 * cost["networks_mmac"]["mouth"])
    assert cost["mmac"] == pytest.approx(3 * count_macs(data) / 1e6) and cost["mmac"] > 1
    assert 0 < cost["median_ms"] <= cost["p95_ms"] and cost["frames"] == 4 and cost["problems"] == []
