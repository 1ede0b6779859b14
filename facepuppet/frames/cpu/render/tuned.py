"""Painters tuned to one portrait: a shipped network with other weights, and nothing else.

A pack may come from a stranger, and ONNX is a large format: operators by the hundred, functions, loops,
files beside the file. So a pack's network is never parsed. Its bytes must be those of the shipped network of
the same region, except where that one (whose digest the manifest vouches for) keeps the weights of its
convolutions; these must be finite numbers. Then signature, operators, shapes and cost are the shipped
network's own, by construction.

Only the shipped network is parsed, as far as needed: onnx.proto3 of ONNX 1.16, protobuf's wire format.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import ManifestError
from facepuppet.core.types import F32
from facepuppet.inference.manifest import PaintingNetwork, read_verified
from facepuppet.portrait.avatar import TunedPainter

LARGEST_WEIGHT = 100.0  # those of the shipped networks are below 5
_GRAPH = 7  # of ModelProto
_NODE, _INITIALIZER = 1, 5  # of GraphProto
_INPUT, _OP_TYPE = 1, 4  # of NodeProto
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9  # of TensorProto
_FLOAT = 1  # TensorProto.DataType
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """Where a network's file keeps one convolution's kernel or bias: float32, little-endian."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int


def weight_slots(model: bytes) -> tuple[Slot, ...]:
    """Find the weights of a trusted ONNX file's convolutions.

    Other numbers (factors of a Resize, for one) decide shapes and cost: those are no weights.

    Raises:
        ManifestError: it is no ONNX file, or keeps no weights as plain float32.
    """
    try:
        (graph,) = _fields(model, (0, len(model)), _GRAPH)
        of_convolutions = _inputs_of_convolutions(model, graph)
        slots = tuple(slot for slot in _slots(model, graph) if slot.name in of_convolutions)
    except (IndexError, ValueError) as problem:
        raise ManifestError("bytes that are no ONNX network", "one", "Export it anew.") from problem
    if not slots:
        raise ManifestError(
            "a network without plain float32 weights", "some", "Export it with engines.export."
        )
    return slots


def weights_in(model: bytes) -> dict[str, F32]:
    """Return the weights of a trusted ONNX file by name, read-only.

    Raises:
        ManifestError: as `weight_slots`.
    """
    return {slot.name: _values(model, slot) for slot in weight_slots(model)}


def with_weights(model: bytes, weights: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """Return a trusted ONNX file with other values for all of its weights.

    Raises:
        ManifestError: a name is missing, or a shape differs.
    """
    out = bytearray(model)
    for slot in weight_slots(model):
        values = weights.get(slot.name)
        if values is None or values.shape != slot.shape:
            raise ManifestError(
                f"weights {slot.name!r} of shape {None if values is None else values.shape}",
                f"shape {slot.shape}",
                "Tune a network of the same architecture.",
            )
        out[slot.start : slot.stop] = np.ascontiguousarray(values, "<f4").tobytes()
    return bytes(out)


def check_tuned(shipped: bytes, tuned: bytes) -> None:
    """Check that a network nobody trusts is the shipped one with other weights.

    Raises:
        ManifestError: it differs in anything else, or a weight is no number or too large.
    """
    slots = weight_slots(shipped)
    same = len(shipped) == len(tuned)
    if same:
        differs = np.frombuffer(shipped, np.uint8) != np.frombuffer(tuned, np.uint8)
        for slot in slots:
            differs[slot.start : slot.stop] = False
        same = not differs.any()
    if not same:
        raise ManifestError(
            "a network that is not the shipped one with other weights",
            "one made by this version",
            "Tune it again: facepuppet-calibrate tune PACK PHOTO…",
        )
    if not all((np.abs(_values(tuned, slot)) <= LARGEST_WEIGHT).all() for slot in slots):  # false for NaN too
        raise ManifestError(
            "a network whose weights are no sensible numbers",
            f"finite ones up to {LARGEST_WEIGHT:g}",
            "Tune it again: facepuppet-calibrate tune PACK PHOTO…",
        )


def with_tuned(
    networks: Sequence[PaintingNetwork], painters: Sequence[TunedPainter]
) -> tuple[list[PaintingNetwork], list[str]]:
    """Put a pack's own painters in the places of the shipped ones of the same regions.

    Args:
        networks: of the manifest.
        painters: of the avatar.

    Returns:
        the networks to use, and one sentence for each painter that is refused.
    """
    used, problems = list(networks), []
    for painter in painters:
        for index, network in enumerate(networks):
            if network.region == painter.region:
                try:
                    used[index] = tuned_network(network, painter)
                except ManifestError as problem:
                    problems.append(
                        f"the pack's own {painter.region} painter is refused, "
                        f"the shipped one stands in: {problem}"
                    )
                break
        else:
            problems.append(
                f"the pack's own {painter.region!r} painter is refused: no painter of that name is shipped"
            )
    return used, problems


def tuned_network(shipped: PaintingNetwork, painter: TunedPainter) -> PaintingNetwork:
    """Return the entry of a pack's own painter, checked.

    Raises:
        ManifestError: it, or the shipped file, will not do.
    """
    check_tuned(read_verified(shipped), painter.model)
    return dataclasses.replace(
        shipped,
        name=f"{shipped.name}-tuned",
        path=Path(f"painter_{painter.region}.onnx"),
        sha256=hashlib.sha256(painter.model).hexdigest(),
        origin=f"{shipped.origin}; tuned to one portrait",
        content=painter.model,
        int8=None,  # made from other weights
    )


def _values(model: bytes, slot: Slot) -> F32:
    return np.frombuffer(model, "<f4", (slot.stop - slot.start) // 4, slot.start).reshape(slot.shape)


def _inputs_of_convolutions(model: bytes, graph: tuple[int, int]) -> set[str]:
    """Names that convolutions read and no other operator does."""
    read: dict[bool, set[str]] = {True: set(), False: set()}
    for node in _fields(model, graph, _NODE):
        kinds = [model[start:stop] for start, stop in _fields(model, node, _OP_TYPE)]
        names = {model[start:stop].decode() for start, stop in _fields(model, node, _INPUT)}
        read[kinds == [b"Conv"]] |= names
    return read[True] - read[False]


def _slots(model: bytes, graph: tuple[int, int]) -> Iterator[Slot]:
    for tensor in _fields(model, graph, _INITIALIZER):
        shape = tuple(start for start, _ in _fields(model, tensor, _DIMS))
        raw = list(_fields(model, tensor, _RAW_DATA))
        kind = [start for start, _ in _fields(model, tensor, _DATA_TYPE)]
        name = [model[start:stop].decode() for start, stop in _fields(model, tensor, _NAME)]
        if kind == [_FLOAT] and len(raw) == 1 and len(name) == 1 and shape:
            start, stop = raw[0]
            if stop - start != 4 * int(np.prod(shape)):
                raise ValueError(f"{name[0]} of {stop - start} bytes for shape {shape}")
            yield Slot(name[0], shape, start, stop)


def _fields(data: bytes, span: tuple[int, int], number: int) -> Iterator[tuple[int, int]]:
    """Yield the (start, stop) of each value of a field with this number; of a varint, its value twice."""
    at, stop = span
    while at < stop:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            found = (value, value)
        elif kind in (_BYTES, _FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
            if kind == _BYTES:
                length, at = _varint(data, at)
            found = (at, at + length)
            at += length
        else:
            raise ValueError(f"wire type {kind}")
        if at > stop:
            raise ValueError("a field that ends outside its message")
        if tag >> 3 == number:
            yield found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
