"""`python -m engines.export RUN…`: from checkpoints to ONNX files, checked, and entered in the manifest.

fp32 throughout: GPUs get their precision later (see engines/README.md), and CPUs theirs from
`engines.quantise`, which has to follow, as the manifest is written without what it entered.
"""

from __future__ import annotations

import hashlib
import logging
import subprocess
import warnings
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
import typer

from engines.data.people import TrainingDataError
from engines.data.regions import REGIONS
from engines.networks.build import build_network, contours_of
from facepuppet.core import write_whole

OPSET = 17
PARITY = 1e-4  # largest difference between torch and ONNX Runtime, of a residual in [−1, 1]
ORDER = ("frame", "mouth", "eye")  # coarse first: fine painters see what it did
LICENCE = "Apache-2.0"

Run = tuple[str, str, int, torch.nn.Module]  # region, profile, steps, network

log = logging.getLogger(__name__)
app = typer.Typer(add_completion=False)


@app.command()
def main(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of finished runs; several of one region are averaged.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of manifest.toml.")] = Path(__file__).parent,
    origin: Annotated[str, typer.Option(help="Who trained it, on what.")] = "",
) -> None:
    """Export each run's averaged weights and write the manifest anew."""
    entries = {}
    for region, profile, steps, network in merged(load_run(run) for run in runs):
        data = to_onnx(network, region)
        difference = parity(network, data, region)
        if difference > PARITY:
            raise TrainingDataError(
                f"{region}: torch and ONNX Runtime differ by {difference:.1e}",
                f"at most {PARITY}",
                "Do not ship.",
            )
        file = f"weights/{region}-{profile}.onnx"
        (out / "weights").mkdir(exist_ok=True)
        write_whole(out / file, data)
        entries[region] = _entry(region, file, data, steps, origin)
        typer.echo(
            f"{file}: {len(data) / 1e6:.1f} MB, {macs(data) / 1e6:.0f} MMAC, differs by {difference:.1e}"
        )
    text = _head(out / "manifest.toml") + "".join(entries[region] for region in ORDER if region in entries)
    write_whole(out / "manifest.toml", text.encode())


def load_run(run: Path) -> Run:
    """Return region, profile, steps and the network with its averaged weights.

    Raises:
        TrainingDataError: no checkpoint, or a damaged one.
    """
    path = run / "checkpoint.pt"
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        region, profile = state["recipe"]["region"], state["recipe"]["profile"]
        network = build_network(region, profile)
        network.load_state_dict(state["averaged"])
    except (OSError, RuntimeError, KeyError, EOFError) as problem:
        raise TrainingDataError(
            f"{path}: {problem}", "a run of engines.train", "Train it first."
        ) from problem
    return region, profile, int(state["step"]), network.eval()


def merged(runs: Iterable[Run]) -> list[Run]:
    """One run a region: where there are several (one that went on from another), the mean of their weights.

    Such means keep more of what holds for strangers than the end of a short second run does.
    """
    by_region: dict[str, list[Run]] = {}
    for run in runs:
        by_region.setdefault(run[0], []).append(run)
    for same in by_region.values():
        states = [network.state_dict() for *_, network in same]
        mean = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
        same[0][3].load_state_dict(mean)
    return [(*same[0][:2], max(run[2] for run in same), same[0][3]) for same in by_region.values()]


def example(region: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random inputs of the right names and shapes."""
    generator = torch.Generator().manual_seed(seed)
    side, planes = REGIONS[region].crop_px, contours_of(region)
    inputs = {name: torch.rand(1, 3, side, side, generator=generator) for name in ("warped", "source")}
    if planes:
        inputs["contours"] = (torch.rand(1, planes, side, side, generator=generator) > 0.7).float()
    return inputs


def to_onnx(network: torch.nn.Module, region: str) -> bytes:
    """Export for a batch of one, which is what the live loop runs, so that every shape is static."""
    inputs = example(region)
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but needs no onnxscript
        torch.onnx.export(
            network, tuple(inputs.values()), path, input_names=list(inputs),
            output_names=["residual", "mask"], opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        data = path.read_bytes()
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    return data


def parity(network: torch.nn.Module, data: bytes, region: str, trials: int = 4) -> float:
    """Largest absolute difference between torch and ONNX Runtime over random inputs."""
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    worst = 0.0
    for seed in range(trials):
        inputs = example(region, seed)
        with torch.no_grad():
            expected = network(*inputs.values())
        given = session.run(["residual", "mask"], {name: value.numpy() for name, value in inputs.items()})
        worst = max(
            worst, *(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, given, strict=True))
        )
    return worst


def macs(data: bytes) -> int:
    """Multiply-accumulates of one run: convolutions only, which is nearly all of it."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(data))
    values = [*model.graph.input, *model.graph.value_info, *model.graph.output]
    shapes = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in values}
    total = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            attributes = {attribute.name: attribute for attribute in node.attribute}
            taps = np.prod(attributes["kernel_shape"].ints) * shapes[node.input[0]][1]
            groups = attributes["group"].i if "group" in attributes else 1
            total += int(np.prod(shapes[node.output[0]]) * taps) // groups
    return total


def _entry(region: str, file: str, data: bytes, steps: int, origin: str) -> str:
    where = REGIONS[region]
    return (
        f'\n[[network]]\nname = "{region}"\nfile = "{file}"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        f'region = "{region}"\ncrop_px = {where.crop_px}\nreach = {where.reach}\nlicence = "{LICENCE}"\n'
        f'origin = "{origin or "facepuppet project"}; {steps} steps; recipe at commit {_commit()}"\n'
    )


def _head(manifest: Path) -> str:
    """The manifest up to its first network."""
    return manifest.read_text(encoding="utf-8").split("\n[[network]]")[0].rstrip("\n") + "\n"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    app()
