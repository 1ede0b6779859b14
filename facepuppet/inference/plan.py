"""From an ONNX network to a TensorRT engine, for one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from facepuppet.core.errors import EngineError
from facepuppet.inference.tensorrt import Flavour

# Part of every engine's identity: a change here makes those built before stale.
OPTIONS = "strongly typed, no TF32"


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a parsed network.

    Attributes:
        name: as in the ONNX file.
        shape: static.
        dtype: "float32" and so on.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Built:
    """What the builder made.

    Attributes:
        plan: the serialised engine.
        inputs: as the library's parser understood them.
        outputs: the same.
    """

    plan: bytes
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def build_plan(model: bytes, flavour: Flavour, target: str) -> Built:
    """Build an engine; takes from a fraction of a second (TensorRT-RTX) to a minute (TensorRT).

    Args:
        model: ONNX file whose types are the precision wanted (see `precision`).
        flavour: what builds it.
        target: compute capability as "sm89"; without `flavour.ahead_of_time` the local GPU's own.

    Raises:
        EngineError: the parser or the builder refuses it.
    """
    module = flavour.module
    try:
        builder = module.Builder(flavour.logger)
        network = builder.create_network(1 << int(module.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
        parser = module.OnnxParser(network, flavour.logger)
        if not parser.parse(model):
            raise flavour.failed("parse this network", "Export it with plain operators, opset 17.")
        config = _configured(builder, flavour, target)
        plan = builder.build_serialized_network(network, config)
    except (RuntimeError, TypeError) as problem:  # what the binding raises without a driver, for one
        flavour.logger.log(module.ILogger.ERROR, str(problem))
        raise flavour.failed(f"build for {target}") from problem
    if plan is None:
        raise flavour.failed(f"build for {target}")
    return Built(
        bytes(plan),
        tuple(_tensor(network.get_input(i), module) for i in range(network.num_inputs)),
        tuple(_tensor(network.get_output(i), module) for i in range(network.num_outputs)),
    )


def _configured(builder: Any, flavour: Flavour, target: str) -> Any:
    module = flavour.module
    config = builder.create_builder_config()
    config.clear_flag(module.BuilderFlag.TF32)
    if flavour.ahead_of_time:
        if target not in flavour.targets:
            raise unknown_target(flavour, target)
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(module.ComputeCapability, target.upper()), 0)
    return config


def unknown_target(flavour: Flavour, target: str) -> EngineError:
    """Say that a flavour does not build for a target."""
    return EngineError(
        f"target {target!r}", f"one of {', '.join(flavour.targets)} ({flavour.label})", "Correct --for."
    )


def _tensor(tensor: Any, module: Any) -> Tensor:
    return Tensor(tensor.name, tuple(tensor.shape), module.nptype(tensor.dtype).__name__)
