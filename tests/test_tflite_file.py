"""Reading TFLite files: sparse constants, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

flatbuffers = pytest.importorskip("flatbuffers", reason="needs the extra `convert`")
tflite = pytest.importorskip("tflite", reason="needs the extra `convert`")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from engines.conversion.tflite_file import _densify, read_tflite  # noqa: E402

CSR = 1
Level = tuple[list[int], list[int]] | int  # segments and indices of a compressed level; size of a dense one


def encoded(dense: np.ndarray, order: list[int], compressed: list[bool]) -> tuple[np.ndarray, list[Level]]:
    """Values and levels of an array, written down level by level as TFLite's schema tells.

    Args:
        dense: the array.
        order: its axes in the order in which they are walked.
        compressed: of each level, whether it lists its indices.
    """
    turned = dense.transpose(order)
    levels: list[Level] = []
    nodes: list[tuple[int, ...]] = [()]
    for depth, lists in enumerate(compressed):
        size = turned.shape[depth]
        if not lists:
            levels.append(size)
            nodes = [(*node, k) for node in nodes for k in range(size)]
            continue
        segments, indices, further = [0], [], []
        for node in nodes:
            kept = [k for k in range(size) if np.any(turned[(*node, k)])]
            indices += kept
            further += [(*node, k) for k in kept]
            segments.append(len(indices))
        levels.append((segments, indices))
        nodes = further
    return np.array([turned[node] for node in nodes], dense.dtype), levels


def vector(builder, kind: int, values: list[int]) -> int:  # type: ignore[no-untyped-def]
    """Write a vector of the types 1 to 3: of 32, 16 or 8 bits."""
    name, dtype = {1: ("Int32", np.int32), 2: ("Uint16", np.uint16), 3: ("Uint8", np.uint8)}[kind]
    written = builder.CreateNumpyVector(np.array(values, dtype))
    getattr(tflite, f"{name}VectorStart")(builder)
    getattr(tflite, f"{name}VectorAddValues")(builder, written)
    return int(getattr(tflite, f"{name}VectorEnd")(builder))


def table(order: list[int], levels: list[Level], kind: int, blocks: list[int] | None = None):  # type: ignore[no-untyped-def]
    """The SparsityParameters of a file, with indices of one of the three types."""
    builder = flatbuffers.Builder(0)
    written = []
    for level in levels:
        lists = [] if isinstance(level, int) else [vector(builder, kind, values) for values in level]
        tflite.DimensionMetadataStart(builder)
        if isinstance(level, int):
            tflite.DimensionMetadataAddDenseSize(builder, level)
        else:
            tflite.DimensionMetadataAddFormat(builder, CSR)
            tflite.DimensionMetadataAddArraySegmentsType(builder, kind)
            tflite.DimensionMetadataAddArraySegments(builder, lists[0])
            tflite.DimensionMetadataAddArrayIndicesType(builder, kind)
            tflite.DimensionMetadataAddArrayIndices(builder, lists[1])
        written.append(tflite.DimensionMetadataEnd(builder))
    tflite.SparsityParametersStartDimMetadataVector(builder, len(written))
    for offset in reversed(written):
        builder.PrependUOffsetTRelative(offset)
    metadata = builder.EndVector()
    traversal = builder.CreateNumpyVector(np.array(order, np.int32))
    block_map = builder.CreateNumpyVector(np.array(blocks, np.int32)) if blocks else None
    tflite.SparsityParametersStart(builder)
    tflite.SparsityParametersAddTraversalOrder(builder, traversal)
    tflite.SparsityParametersAddDimMetadata(builder, metadata)
    if block_map is not None:
        tflite.SparsityParametersAddBlockMap(builder, block_map)
    builder.Finish(tflite.SparsityParametersEnd(builder))
    return tflite.SparsityParameters.GetRootAs(builder.Output(), 0)


def test_a_matrix_by_its_rows() -> None:
    """The usual case, by hand: rows dense, columns listed."""
    levels: list[Level] = [3, ([0, 2, 2, 3], [0, 3, 1])]
    dense = _densify(np.float32([5, 6, 7]), table([0, 1], levels, 3), (3, 4))
    assert dense.tolist() == [[5, 0, 0, 6], [0, 0, 0, 0], [0, 7, 0, 0]] and dense.dtype == np.float32


@given(st.data())
def test_what_was_made_sparse_comes_back_dense(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    values = data.draw(
        st.lists(
            st.sampled_from([0, 0, 0, 1, 2, 3]), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))
        )
    )
    dense = np.array(values, np.float16).reshape(shape)
    order = data.draw(st.permutations(range(len(shape))))
    compressed = data.draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
    stored, levels = encoded(dense, order, compressed)
    fits_in_8_bits = all(isinstance(level, int) or max(level[0]) < 256 for level in levels)
    kind = data.draw(st.integers(1, 3 if fits_in_8_bits else 2))
    back = _densify(stored, table(order, levels, kind), shape)
    assert back.dtype == np.float16 and np.array_equal(back, dense)


def test_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="blocks are not supported"):
        _densify(np.float32([1]), table([0, 1], [1, 1], 3, blocks=[0]), (1, 1))


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0\0\0\0TFL2\0\0", b"PK\3\4 a wheel, not a network"])
def test_what_is_no_tflite_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is no TFLite file"):
        read_tflite(path)
