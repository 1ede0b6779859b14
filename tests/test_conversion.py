"""TFLite's own operators in ONNX, and alike branches that run as one."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

pytest.importorskip("tflite", reason="needs the extra `convert`")

from tiny_tflite import RANDOM, TRANSLATIONS, Maker, kinds, picture_of, run, table

from engines.conversion.branches import BUNDLE, MEMBER, bundled
from engines.conversion.graph import GraphBuilder
from engines.conversion.operators import same_pads
from engines.conversion.rewrites import enlarged_late


def two_branches(maker: Maker, source: int) -> tuple[int, int]:
    """Three operators each, alike but for their weights."""
    a, b = (maker.prelu(maker.conv(source, 5)) for _ in range(2))
    return maker.conv(a, 4, stride=2), maker.conv(b, 4, stride=2)


def test_alike_branches_run_as_one_and_say_the_same() -> None:
    maker = Maker()
    source = maker.input(1, 8, 6, 3)
    plain = maker.network(*two_branches(maker, source))
    joined = bundled(plain)
    assert kinds(joined) == [
        (BUNDLE, 1), ("CONV_2D", 2), ("PRELU", 2), ("CONV_2D", 2), (MEMBER, 1), (MEMBER, 1),
    ]  # fmt: skip
    picture = RANDOM.normal(size=(1, 8, 6, 3))
    for a, b in zip(run(plain, {source: picture}), run(joined, {source: picture}), strict=True):
        assert a.shape == (1, 4, 3, 4)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    assert not np.allclose(*run(joined, {source: picture})), "each branch has its own answer"


def test_a_branch_that_leads_on_is_taken_out_of_its_bundle() -> None:
    maker = Maker()
    source = maker.input(1, 8, 6, 3)
    a, b = two_branches(maker, source)
    plain = maker.network(maker.conv(a, 2), b)  # only one of them goes on
    joined = bundled(plain)
    assert kinds(joined).count(("CONV_2D", 2)) == 2 and ("CONV_2D", 1) in kinds(joined)
    picture = RANDOM.normal(size=(1, 8, 6, 3))
    for x, y in zip(run(plain, {source: picture}), run(joined, {source: picture}), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)


def test_branches_of_other_shapes_or_depths_stay_apart() -> None:
    maker = Maker()
    source = maker.input(1, 8, 6, 3)
    small, large, deep = maker.conv(source, 4), maker.conv(source, 5), maker.conv(maker.conv(source, 3), 4)
    plain = maker.network(small, large, deep)
    joined = bundled(plain)
    assert sorted(kinds(joined)) == [("CONV_2D", 1)] * 4
    picture = RANDOM.normal(size=(1, 8, 6, 3))
    for x, y in zip(run(plain, {source: picture}), run(joined, {source: picture}), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)


def test_a_single_chain_is_left_as_it_is() -> None:
    maker = Maker()
    plain = maker.network(maker.prelu(maker.conv(maker.input(1, 4, 4, 2), 3)))
    assert bundled(plain) == plain


@given(st.integers(1, 400), st.integers(1, 9), st.integers(1, 4))
def test_padding_gives_one_answer_for_each_stride_begun(size: int, kernel: int, stride: int) -> None:
    before, after = same_pads(size, kernel, stride)
    assert after - before in (0, 1) and before >= 0, "the odd one comes after"
    answers = (size + before + after - kernel) // stride + 1
    wanted = -(-size // stride)
    if before + after:
        assert answers == wanted
        assert (size + before + after - 1 - kernel) // stride + 1 < wanted, "no more than needed"
    else:
        assert answers >= wanted


@pytest.mark.parametrize(
    ("given_", "pads"),
    [
        ((192, 3, 2), (0, 1)),
        ((5, 3, 1), (1, 1)),
        ((7, 2, 1), (0, 1)),
        ((9, 5, 2), (2, 2)),
        ((8, 1, 2), (0, 0)),
    ],
)
def test_padding_by_hand(given_: tuple[int, int, int], pads: tuple[int, int]) -> None:
    assert same_pads(*given_) == pads


@pytest.mark.parametrize("size", [(7, 9), (8, 8)])
def test_a_strided_convolution_lies_where_tflite_has_it(size: tuple[int, int]) -> None:
    maker = Maker()
    source = maker.input(1, *size, 2)
    (found,) = run(maker.network(maker.conv(source, 3, stride=2)), {source: picture_of(*size, 2)})
    weights, bias = maker.constants[1], maker.constants[2]
    top, left = (same_pads(n, 3, 2)[0] for n in size)
    padded = np.pad(picture_of(*size, 2)[0], ((top, 2), (left, 2), (0, 0)))
    for row, column in np.ndindex(found.shape[1:3]):
        part = padded[2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        np.testing.assert_allclose(
            found[0, row, column], np.einsum("hwi,ohwi->o", part, weights) + bias, rtol=1e-4, atol=1e-4
        )


@given(st.lists(st.sampled_from([-1.5, -0.3, 0.0, 0.25, 1.0, 1.75, 3.0]), min_size=1, max_size=6))
def test_a_leaky_relu_of_any_slope(slopes: list[float]) -> None:
    maker = Maker()
    source = maker.input(1, 2, 3, len(slopes))
    slope = np.array(slopes, np.float32).reshape(1, 1, -1)
    network = maker.network(maker.add("PRELU", [source, maker.constant(slope)], (1, 2, 3, len(slopes))))
    x = picture_of(2, 3, len(slopes))
    np.testing.assert_allclose(run(network, {source: x})[0], np.where(x < 0, slope * x, x), atol=1e-5)


def test_what_no_output_needs_is_left_out() -> None:
    maker = Maker()
    source = maker.input(1, 4, 4, 2)
    kept, _ = maker.prelu(source), maker.conv(source, 3)
    graph = GraphBuilder(maker.network(kept))
    graph.bind(source, "in")
    for operator in graph.network.operators:
        graph.bind(operator.outputs[0], TRANSLATIONS[operator.kind](graph, operator))
    info = helper.make_tensor_value_info("in", TensorProto.FLOAT, (1, 2, 4, 4))
    model = graph.finish("a test", [info], {"kept": (graph.name(kept), (1, 2, 4, 4))}, {"title": "a test"})
    onnx.checker.check_model(model)
    assert not any(list(weight.dims) == [3, 2, 3, 3] for weight in model.graph.initializer)
    assert {entry.key: entry.value for entry in model.metadata_props} == {"title": "a test"}


def enlarged(maker: Maker, source: int, size: tuple[int, int]) -> int:
    batch, _, _, channels = maker.shapes[source]
    options = table(AlignCorners=False, HalfPixelCenters=True)
    return maker.add("RESIZE_BILINEAR", [source], (batch, *size, channels), options)


def test_enlarging_after_a_convolution_of_one_pixel_says_the_same() -> None:
    maker = Maker()
    source = maker.input(1, 4, 5, 6)
    plain = maker.network(maker.conv(enlarged(maker, source, (8, 10)), 3, size=1))
    late = enlarged_late(plain)
    assert [operator.kind for operator in plain.operators] == ["RESIZE_BILINEAR", "CONV_2D"]
    assert [operator.kind for operator in late.operators] == ["CONV_2D", "RESIZE_BILINEAR"]
    picture = RANDOM.normal(size=(1, 4, 5, 6))
    (a,), (b,) = run(plain, {source: picture}), run(late, {source: picture})
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_enlarging_stays_before_what_sees_neighbours_or_where_others_read_it() -> None:
    maker = Maker()
    source = maker.input(1, 4, 4, 3)
    wide = maker.network(maker.conv(enlarged(maker, source, (8, 8)), 3, size=3))
    assert enlarged_late(wide) == wide
    large = enlarged(maker, source, (8, 8))
    twice = maker.network(maker.conv(large, 2, size=1), maker.conv(large, 5, size=1))
    assert enlarged_late(twice) == twice
