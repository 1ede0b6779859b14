"""From a torch module that keeps a state to an ONNX file, checked, and entered in the manifest."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from facepuppet.core import write_whole

OPSET = 17
PARITY = 1e-4  # largest difference between torch and ONNX Runtime, of weights in [0, 1]
Inputs = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the manifest says of a network that runs on CPUs.

    Attributes:
        table: "listener" or "coder".
        name, file, origin: as the manifest explains them.
    """

    table: str
    name: str
    file: str
    origin: str

    def text(self, data: bytes) -> str:
        """Return the table, as TOML."""
        return (
            f'[[{self.table}]]\nname = "{self.name}"\nfile = "{self.file}"\n'
            f'sha256 = "{hashlib.sha256(data).hexdigest()}"\nlicence = "Apache-2.0"\n'
            f'origin = "{self.origin}"\nprecision = "fp32"\n\n'
        )


def to_onnx(
    shipped: nn.Module, inputs: Inputs, outputs: Sequence[str], steps: Sequence[str] | None = None
) -> bytes:
    """Export a module whose `forward` takes the inputs in their order.

    Args:
        shipped: in evaluation mode.
        inputs: an example of each.
        outputs: names.
        steps: inputs and outputs whose second axis is time, of any length; None: each is as in the example.
    """
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but needs no onnxscript
        torch.onnx.export(
            shipped, tuple(inputs.values()), path, input_names=list(inputs), output_names=list(outputs),
            opset_version=OPSET, dynamo=False, dynamic_axes={name: {1: "steps"} for name in steps or ()},
        )  # fmt: skip
        data = path.read_bytes()
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    return data


def parity(shipped: nn.Module, data: bytes, trials: Sequence[Inputs]) -> float:
    """Largest absolute difference between torch and ONNX Runtime over some inputs; NaN if any is."""
    session, worst = ort.InferenceSession(data, providers=["CPUExecutionProvider"]), 0.0
    for inputs in trials:
        with torch.no_grad():
            expected = shipped(*inputs.values())
        given = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        apart = [np.abs(a.numpy() - b).max() for a, b in zip(expected, given, strict=True)]
        worst = float(np.max([worst, *apart]))  # Python's max would pass over NaN
    return worst


def enter(entry: Entry, data: bytes, difference: float, folder: Path) -> None:
    """Write the file and its entry in manifest.toml, in place of an earlier one of its table.

    Raises:
        ValueError: torch and ONNX Runtime differ by more than PARITY.
    """
    if not difference <= PARITY:  # NaN, too
        raise ValueError(f"torch and ONNX Runtime differ by {difference:.1e}, expected at most {PARITY}")
    write_whole(folder / entry.file, data)
    manifest = folder / "manifest.toml"
    earlier = rf"(?m)^\[\[{entry.table}\]\]\n(?:[^\[\n].*\n)*\n"
    text = re.sub(earlier, "", manifest.read_text(encoding="utf-8"))
    at = text.index("\n[[network]]\n") + 1
    write_whole(manifest, (text[:at] + entry.text(data) + text[at:]).encode())
