"""Runs alike branches of a network side by side, as one branch of several groups.

The landmark network reads lips and eyes by branches of the same shape, hundreds of operators on a few hundred
values each, whose cost is mostly that of being called. Here operators of equal kind, shape and depth become
one on a bundle: the tensors of all branches, pictures one after the other along the channels, others along
the first axis.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from engines.conversion.tflite_file import Operator, TfliteNetwork

BUNDLE, MEMBER = "BUNDLE", "MEMBER"  # join tensors; take one part of such a bundle
_MERGED = {
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "PRELU",
    "ADD",
    "MUL",
    "MAX_POOL_2D",
    "PAD",
    "RESHAPE",
    "Landmarks2TransformMatrix",
    "TransformTensorBilinear",
    "TransformLandmarks",
}
# Inputs that all branches have in common: the amounts of padding, the picture that windows are cut from.
_SHARED = {"PAD": {1}, "TransformTensorBilinear": {0}}
_DIFFERING = {"Landmarks2TransformMatrix"}  # whose options are kept for each branch


def bundled(network: TfliteNetwork) -> TfliteNetwork:
    """Return the same network with its alike branches bundled."""
    return _Bundler(network).run()


class _Bundler:
    def __init__(self, network: TfliteNetwork) -> None:
        self._network = network
        self._operators: list[Operator] = []
        self._constants = dict(network.constants)
        self._shapes, self._names = list(network.shapes), list(network.names)
        self._places: dict[int, tuple[int, int]] = {}  # of a tensor: its bundle, and which part of it
        self._bundles: dict[tuple[int, ...], int] = {}  # bundle by what is in it

    def run(self) -> TfliteNetwork:
        for alike in _levels(self._network):
            if len(alike) > 1:
                self._merge(alike)
            else:
                self._operators.append(replace(alike[0], inputs=tuple(map(self._alone, alike[0].inputs))))
        for tensor in self._network.outputs:
            self._alone(tensor)
        return replace(
            self._network,
            operators=tuple(self._operators),
            constants=self._constants,
            shapes=tuple(self._shapes),
            names=tuple(self._names),
        )

    def _merge(self, alike: list[Operator]) -> None:
        first = alike[0]
        inputs = []
        for position, tensors in enumerate(zip(*(operator.inputs for operator in alike), strict=True)):
            if position in _SHARED.get(first.kind, ()):
                inputs.append(tensors[0])
            elif tensors[0] in self._constants:
                inputs.append(self._joined(first.kind, position, tensors))
            else:
                inputs.append(self._bundle(tensors))
        outputs = tuple(operator.outputs[0] for operator in alike)
        result = self._bundle_of(outputs)
        options = first.options if first.kind not in _DIFFERING else [operator.options for operator in alike]
        self._operators.append(Operator(first.kind, tuple(inputs), (result,), options, len(alike)))

    def _bundle(self, tensors: tuple[int, ...]) -> int:
        """The bundle of some tensors, made from them if there is none yet."""
        if tensors not in self._bundles:
            parts = tuple(map(self._alone, tensors))
            self._operators.append(Operator(BUNDLE, parts, (self._bundle_of(tensors, own=False),), None))
        return self._bundles[tensors]

    def _bundle_of(self, tensors: tuple[int, ...], *, own: bool = True) -> int:
        """A new tensor for some tensors; their own place if it is theirs, rather than a copy."""
        shape = list(self._shapes[tensors[0]])
        shape[-1 if len(shape) == 4 else 0] *= len(tensors)
        bundle = self._tensor(tuple(shape))
        self._bundles[tensors] = bundle
        if own:
            self._places.update({tensor: (bundle, index) for index, tensor in enumerate(tensors)})
        return bundle

    def _alone(self, tensor: int) -> int:
        """A tensor by itself, taken out of its bundle."""
        if tensor in self._places:
            bundle, index = self._places.pop(tensor)
            self._operators.append(Operator(MEMBER, (bundle,), (tensor,), index))
        return tensor

    def _joined(self, kind: str, position: int, tensors: tuple[int, ...]) -> int:
        """One constant for all branches, ordered as they are in the operator's outputs."""
        values = [self._constants[tensor] for tensor in tensors]
        if kind == "MUL":
            value = np.stack(
                [value.reshape(value.shape[-2:] if value.ndim > 1 else (1, 1)) for value in values]
            )
        else:  # weights of a convolution have their outputs in front, biases have nothing else
            value = np.concatenate(values, axis=0 if kind == "CONV_2D" or position == 2 else -1)
        joined = self._tensor(value.shape)
        self._constants[joined] = value
        return joined

    def _tensor(self, shape: tuple[int, ...]) -> int:
        self._shapes.append(shape)
        self._names.append(f"bundle_{len(self._names)}")
        return len(self._shapes) - 1


def _levels(network: TfliteNetwork) -> list[list[Operator]]:
    """Operators in an order in which they can run, those that may be merged together."""
    depths: dict[int, int] = defaultdict(int)
    alike: dict[object, list[Operator]] = {}
    for count, operator in enumerate(network.operators):
        depth = 1 + max((depths[tensor] for tensor in operator.inputs), default=0)
        depths.update(dict.fromkeys(operator.outputs, depth))
        shapes = tuple(network.shapes[tensor] for tensor in (*operator.inputs, *operator.outputs))
        key = (depth, operator.kind, shapes) if operator.kind in _MERGED else (depth, count)
        alike.setdefault(key, []).append(operator)
    return [group for _, group in sorted(alike.items(), key=lambda item: item[0][0])]  # type: ignore[index]
