"""MediaPipe's custom operators in ONNX, against what their description says in plain numpy."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("tflite", reason="needs the extra `convert`")

from tiny_tflite import RANDOM, Maker, kinds, picture_of, run, runner

from engines.conversion.branches import bundled
from engines.conversion.tflite_file import TfliteNetwork


def lips_and_eye() -> list[dict[str, Any]]:
    """Options of two windows around some of ten landmarks."""
    size = {"output_width": 16, "output_height": 12, "target_rotation_radians": 0}
    lips = {"subset_idxs": [0, 2, 3, 5], "left_rotation_idx": 2, "right_rotation_idx": 5}
    eye = {"subset_idxs": [1, 4, 6, 7, 8], "left_rotation_idx": 4, "right_rotation_idx": 8}
    return [size | lips | {"scale_x": 1.5, "scale_y": 1.25}, size | eye | {"scale_x": 2.0, "scale_y": 1.0}]


def transform_matrix(landmarks: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    """By the angle: turn the landmarks level, box them, enlarge the box, turn it back."""
    points = landmarks[:, :2].astype(np.float64)
    x, y = points[options["right_rotation_idx"]] - points[options["left_rotation_idx"]]
    angle = np.arctan2(y, x)
    back = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    level = points[options["subset_idxs"]] @ back  # rows: turned by -angle
    low, high = level.min(axis=0), level.max(axis=0)
    size = (high - low) * [options["scale_x"], options["scale_y"]]
    output = np.array([options["output_width"], options["output_height"]])
    matrix = np.eye(4)
    matrix[:2, :2] = back @ np.diag(size / output)
    matrix[:2, 3] = back @ (low + high) / 2 - matrix[:2, :2] @ output / 2
    return matrix


@pytest.mark.parametrize(("change", "count"), [(lambda network: network, 2), (bundled, 1)])
def test_the_window_around_landmarks(change: Callable[[TfliteNetwork], TfliteNetwork], count: int) -> None:
    maker = Maker()
    source = maker.input(1, 10, 3)
    outputs = [maker.add("Landmarks2TransformMatrix", [source], (1, 4, 4), each) for each in lips_and_eye()]
    network = change(maker.network(*outputs))
    assert sum(kind == "Landmarks2TransformMatrix" for kind, _ in kinds(network)) == count
    answer = runner(network)

    @given(st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        landmarks = np.random.default_rng(seed).uniform(0, 192, (1, 10, 3)).astype(np.float32)
        for found, options in zip(answer({source: landmarks}), lips_and_eye(), strict=True):
            expected = transform_matrix(landmarks[0], options)
            np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=2e-3)

    check()


def test_landmarks_in_one_place_have_a_window_all_the_same() -> None:
    maker = Maker()
    source = maker.input(1, 10, 3)
    network = maker.network(maker.add("Landmarks2TransformMatrix", [source], (1, 4, 4), lips_and_eye()[0]))
    (found,) = run(network, {source: np.full((1, 10, 3), 7.0)})
    assert np.isfinite(found).all()


def test_a_window_that_is_to_be_turned_is_refused() -> None:
    maker = Maker()
    options = lips_and_eye()[0] | {"target_rotation_radians": 0.5}
    source = maker.input(1, 10, 3)
    network = maker.network(maker.add("Landmarks2TransformMatrix", [source], (1, 4, 4), options))
    with pytest.raises(ValueError, match="target rotation"):
        run(network, {source: np.zeros((1, 10, 3))})


def windowed(picture: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """Pixel by pixel: where it lies in the picture, and the four pixels around; nothing outside."""
    rows, columns = picture.shape[:2]
    out = np.zeros((height, width, picture.shape[2]))
    for v, u in np.ndindex(height, width):
        x, y = (matrix @ [u + 0.5, v + 0.5, 0, 1])[:2] - 0.5
        if not (0 <= x <= columns - 1 and 0 <= y <= rows - 1):
            continue
        left, top = int(x), int(y)
        right, bottom = min(left + 1, columns - 1), min(top + 1, rows - 1)
        a, b = x - left, y - top
        upper = (1 - a) * picture[top, left] + a * picture[top, right]
        lower = (1 - a) * picture[bottom, left] + a * picture[bottom, right]
        out[v, u] = (1 - b) * upper + b * lower
    return out


MATRICES = {
    "inside": [[0.5, 0.1, 0, 2.1], [-0.1, 0.6, 0, 2.3]],
    "enlarged": [[0.11, 0, 0, 3.3], [0, 0.12, 0, 4.4]],
    "half outside": [[1.3, 0.3, 0, -5.2], [-0.3, 1.1, 0, 3.7]],
    "all outside": [[1, 0, 0, 50], [0, 1, 0, 50]],
    "far outside": [[1e4, 0, 0, -9e4], [0, 1e4, 0, 0]],
    "mirrored": [[-0.7, 0, 0, 9.1], [0, 0.7, 0, 0.6]],
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_window_is_cut_out_bilinearly(name: str) -> None:
    matrix = np.array([[*MATRICES[name], [0, 0, 1, 0], [0, 0, 0, 1]]])
    picture = picture_of(9, 11, 3)
    maker = Maker()
    source, transform = maker.input(1, 9, 11, 3), maker.input(1, 4, 4)
    options = {"output_width": 8, "output_height": 7}
    network = maker.network(maker.add("TransformTensorBilinear", [source, transform], (1, 7, 8, 3), options))
    (found,) = run(network, {source: picture, transform: matrix})
    np.testing.assert_allclose(found[0], windowed(picture[0], matrix[0], 8, 7), atol=1e-4)
    assert found.any() != name.endswith("l outside") or name == "far outside"


def test_two_windows_of_one_picture_are_cut_out_together() -> None:
    maker = Maker()
    source = maker.input(1, 9, 11, 3)
    transforms = [maker.input(1, 4, 4) for _ in range(2)]
    options = {"output_width": 8, "output_height": 7}
    windows = [
        maker.add("TransformTensorBilinear", [source, each], (1, 7, 8, 3), options) for each in transforms
    ]
    network = bundled(maker.network(*windows))
    assert ("TransformTensorBilinear", 2) in kinds(network)
    matrices = [np.array([[*MATRICES[n], [0, 0, 1, 0], [0, 0, 0, 1]]]) for n in ("inside", "half outside")]
    picture = picture_of(9, 11, 3)
    found = run(network, {source: picture} | dict(zip(transforms, matrices, strict=True)))
    for window, matrix in zip(found, matrices, strict=True):
        np.testing.assert_allclose(window[0], windowed(picture[0], matrix[0], 8, 7), atol=1e-4)


def test_landmarks_of_a_window_go_back_to_the_picture() -> None:
    points, matrix = RANDOM.uniform(-20, 40, (1, 6, 2)), RANDOM.uniform(-2, 2, (1, 4, 4))
    maker = Maker()
    source, transform = maker.input(1, 6, 2), maker.input(1, 4, 4)
    network = maker.network(maker.add("TransformLandmarks", [source, transform], (1, 6, 2)))
    (found,) = run(network, {source: points, transform: matrix})
    whole = np.concatenate([points[0], np.zeros((6, 1)), np.ones((6, 1))], axis=1)
    np.testing.assert_allclose(found[0], (whole @ matrix[0].T)[:, :2], rtol=1e-4, atol=1e-3)


def transposed(maker: Maker, options: bytes) -> tuple[int, np.ndarray, np.ndarray, TfliteNetwork]:
    """A transposed convolution of (1, 3, 4, 5) to (1, 6, 8, 2), its kernel and its bias."""
    source = maker.input(1, 3, 4, 5)
    kernel = RANDOM.normal(size=(2, 2, 2, 5)).astype(np.float32)
    bias = RANDOM.normal(size=2).astype(np.float32)
    inputs = [source, maker.constant(kernel), maker.constant(bias)]
    network = maker.network(maker.add("Convolution2DTransposeBias", inputs, (1, 6, 8, 2), options))
    return source, kernel, bias, network


def test_a_transposed_convolution_writes_a_block_for_each_pixel() -> None:
    source, kernel, bias, network = transposed(Maker(), struct.pack("<3i", 1, 2, 2))
    picture = picture_of(3, 4, 5)
    expected = np.zeros((6, 8, 2)) + bias
    for row, column in np.ndindex(3, 4):
        block = np.einsum("ohwi,i->hwo", kernel, picture[0, row, column])
        expected[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += block
    np.testing.assert_allclose(run(network, {source: picture})[0][0], expected, rtol=1e-4, atol=1e-4)


def test_one_whose_blocks_overlap_is_refused() -> None:
    source, _, _, network = transposed(Maker(), struct.pack("<3i", 1, 1, 1))
    with pytest.raises(ValueError, match="overlaps"):
        run(network, {source: picture_of(3, 4, 5)})
