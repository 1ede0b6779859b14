"""The same network, cheaper: changes that leave every output what it is, but for rounding."""

from __future__ import annotations

from dataclasses import replace

import tflite

from engines.conversion.tflite_file import Operator, TfliteNetwork


def enlarged_late(network: TfliteNetwork) -> TfliteNetwork:
    """Put bilinear enlargements after the convolutions of one pixel that read them.

    Such a convolution mixes channels and an enlargement neighbours, with shares that add up to 1: their order
    does not matter, and before the enlargement there is a quarter of the pixels to convolve.
    """
    operators, shapes, names = list(network.operators), list(network.shapes), list(network.names)
    for index, enlargement in enumerate(operators):
        if enlargement.kind != "RESIZE_BILINEAR":
            continue
        (enlarged,) = enlargement.outputs
        readers = [i for i, operator in enumerate(operators) if enlarged in operator.inputs]
        if len(readers) != 1 or not _mixes_channels_alone(operators[readers[0]], network):
            continue
        conv = operators[readers[0]]
        small = (*shapes[enlargement.inputs[0]][:3], shapes[conv.outputs[0]][3])
        shapes.append(small)
        names.append(f"{names[conv.outputs[0]]}_small")
        between = len(shapes) - 1
        operators[index] = replace(conv, inputs=(enlargement.inputs[0], *conv.inputs[1:]), outputs=(between,))
        operators[readers[0]] = replace(
            enlargement, inputs=(between, *enlargement.inputs[1:]), outputs=conv.outputs
        )
    return replace(network, operators=tuple(operators), shapes=tuple(shapes), names=tuple(names))


def _mixes_channels_alone(operator: Operator, network: TfliteNetwork) -> bool:
    if operator.kind != "CONV_2D":
        return False
    options, kernel = operator.options, network.constants[operator.inputs[1]].shape[1:3]
    return (
        kernel == (1, 1)
        and (options.StrideH(), options.StrideW()) == (1, 1)
        and options.FusedActivationFunction() == tflite.ActivationFunctionType.NONE
    )
