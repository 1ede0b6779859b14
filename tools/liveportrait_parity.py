"""Hold our LivePortrait networks against the published code, with weights made at random, and time both.

    git clone --depth 1 https://github.com/KwaiVGI/LivePortrait ../LivePortrait
    python tools/liveportrait_parity.py ../LivePortrait                   # 20 inputs; exit 1 beyond the bars
    python tools/liveportrait_parity.py ../LivePortrait --time 5          # a frame, in alternation
    python tools/liveportrait_parity.py ../LivePortrait --record tests/liveportrait_references.npz

What runs on our side are the ONNX files that an import writes, on ONNX Runtime's CPU. Needs the extra `train`
and PyYAML.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import torch
import typer
from liveportrait_published import Published
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from engines.liveportrait.folding import Weights
from engines.liveportrait.onnx_parts import PARTS, Part, example_inputs, export
from engines.liveportrait.published_layout import published_layout
from engines.liveportrait.random_weights import random_weights
from facepuppet.inference import OnnxSession

PART_BAR = 1e-4  # of any number of a part
PICTURE_BAR = 1  # levels of 255, of any value of the whole picture
TIME_BAR = 0.7  # of the published code's time a frame
RECORDED = 64  # numbers of each output
WHOLE = "picture"  # word for the whole of it
EACH_FRAME = ("motion", "warping", "decoder")


@dataclass(frozen=True, slots=True)
class Ours:
    """Our networks, as an import writes them.

    Attributes:
        files: ONNX, by part.
        sessions: on ONNX Runtime's CPU.
    """

    files: Mapping[str, bytes]
    sessions: Mapping[str, OnnxSession]

    def run(self, part: str, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a part's outputs by name."""
        answers = self.sessions[part].run({name: value.numpy() for name, value in inputs.items()})
        return {name: torch.from_numpy(value) for name, value in answers.items()}

    def rotation(self, pitch: Tensor, yaw: Tensor, roll: Tensor) -> Tensor:
        """(1, 1) each, radians, to (3, 3): what rows of keypoints are multiplied by from the right."""
        (sx, cx), (sy, cy), (sz, cz) = ((float(a.sin()), float(a.cos())) for a in (pitch, yaw, roll))
        about_x = torch.tensor([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        about_y = torch.tensor([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = torch.tensor([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        return (about_z @ about_y @ about_x).T


def main(
    checkout: Annotated[Path, typer.Argument(help="Folder of a clone of the published code.")],
    inputs: Annotated[int, typer.Option(help="Random inputs of each part, and whole pictures.")] = 20,
    seed: Annotated[int, typer.Option(help="Of weights and inputs.")] = 1,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Part, or '{WHOLE}' (repeatable); all if left out.")
    ] = None,
    rounds: Annotated[int, typer.Option("--time", help="Time so many frames of each instead.")] = 0,
    threads: Annotated[int, typer.Option(help="Of each, while timing.")] = 2,
    record: Annotated[Path | None, typer.Option(help="Write the published code's answers instead.")] = None,
) -> None:
    """Compare, time or record."""
    torch.set_num_threads(threads)
    weights = {file: random_weights(seed, file) for file in published_layout()}
    published = Published(checkout, weights)
    if record is not None:
        _record(published, seed, record)
        return
    ours = _export(weights, threads)
    _tell_sizes(published, ours, weights)
    if rounds:
        raise typer.Exit(_time(published, ours, seed, rounds))
    within = True
    for part in PARTS:
        if not only or part.name in only:
            difference = _part_difference(part, published, ours, seed, inputs)
            print(
                f"{part.name:<11} apart by {difference:.1e} at most over {inputs} inputs (bar {PART_BAR:.0e})"
            )
            within &= difference <= PART_BAR
    if not only or WHOLE in only:
        levels = np.array([_picture_difference(published, ours, [seed, i]) for i in range(inputs)])
        share = np.mean(levels[:, 1])
        print(f"{WHOLE} 512x512, over {inputs}: {levels[:, 0].max():.0f} levels of 255 (bar {PICTURE_BAR}),")
        print(f"{share:.4%} of values differ")
        within &= bool(levels[:, 0].max() <= PICTURE_BAR)
    raise typer.Exit(0 if within else 1)


def _export(weights: Mapping[str, Weights], threads: int) -> Ours:
    files = {part.name: export(part, weights[part.weights]) for part in PARTS}
    return Ours(files, {name: OnnxSession(data, name, threads=threads) for name, data in files.items()})


def _part_difference(part: Part, published: Published, ours: Ours, seed: int, inputs: int) -> float:
    worst = 0.0
    for i in range(inputs):
        given = example_inputs(part, 1000 * seed + i)
        expected, answered = published.run(part.name, given), ours.run(part.name, given)
        apart = [float((answered[name] - expected[name]).abs().max()) for name in part.outputs]
        worst = float(np.max([worst, *apart]))  # NaN, too
    return worst


def _picture_difference(published: Published, ours: Ours, seed: list[int]) -> tuple[int, float]:
    """Of a portrait that both drive alike: the largest difference in levels, the share of unequal values."""
    source = np.random.default_rng(seed)
    portrait, rest, driver = (_blotches(source) for _ in range(3))
    pictures = [_animate(side, portrait, rest, driver) for side in (published, ours)]
    first, second = ((picture * 255).round().int() for picture in pictures)
    return int((first - second).abs().max()), float((first != second).double().mean())


def _blotches(source: np.random.Generator) -> Tensor:
    """A random picture, coarse and fine: fine noise alone looks the same to a network whatever its seed."""
    coarse = torch.from_numpy(source.random((1, 3, 8, 8), np.float32))
    fine = torch.from_numpy(source.random((1, 3, 256, 256), np.float32))
    return (
        0.8 * torch.nn.functional.interpolate(coarse, size=(256, 256), mode="bicubic").clamp(0, 1)
        + 0.2 * fine
    )


def _animate(side: Published | Ours, portrait: Tensor, rest: Tensor, driver: Tensor) -> Tensor:
    """The paper's relative motion, with stitching: three pictures (1, 3, 256, 256) to (1, 3, 512, 512)."""
    own, at_rest, moved = (side.run("motion", {"picture": picture}) for picture in (portrait, rest, driver))
    turns = [side.rotation(m["pitch"], m["yaw"], m["roll"]) for m in (own, at_rest, moved)]
    flat = torch.tensor([1.0, 1.0, 0.0])  # of the translation, depth is left out
    source = own["scale"] * (own["keypoints"] @ turns[0] + own["expression"]) + own["translation"] * flat
    turn = turns[2] @ turns[1].T @ turns[0]
    expression = own["expression"] + moved["expression"] - at_rest["expression"]
    scale = own["scale"] * moved["scale"] / at_rest["scale"]
    shift = own["translation"] + moved["translation"] - at_rest["translation"]
    driving = scale * (own["keypoints"] @ turn + expression) + shift * flat
    change = side.run("stitching", {"keypoints": torch.cat([source.flatten(1), driving.flatten(1)], 1)})[
        "change"
    ]
    driving = driving + change[:, :63].reshape(1, 21, 3)
    driving[:, :, :2] += change[:, None, 63:]
    feature = side.run("appearance", {"picture": portrait})["feature"]
    keypoints = {"source_keypoints": source, "driving_keypoints": driving}
    warped = side.run("warping", {"feature": feature, **keypoints})["warped"]
    return side.run("decoder", {"warped": warped})["picture"]


def _record(published: Published, seed: int, path: Path) -> None:
    """Write some numbers of each output, evenly spread, and where the mean of all lies."""
    kept: dict[str, np.ndarray] = {}
    for part in PARTS:
        for name, value in published.run(part.name, example_inputs(part, seed)).items():
            flat = value.numpy().reshape(-1)
            kept[f"{part.name}.{name}"] = flat[
                np.linspace(0, flat.size - 1, min(RECORDED, flat.size)).astype(int)
            ]
            kept[f"{part.name}.{name}.mean"] = flat.mean(dtype=np.float64)
    np.savez_compressed(path, **kept)
    print(f"{path}: {path.stat().st_size} bytes, seed {seed}")


def _tell_sizes(published: Published, ours: Ours, weights: Mapping[str, Weights]) -> None:
    print("part        parameters, published  bytes, published       ours  GFLOP, published   ours")
    for part in PARTS:
        network, given = published.networks[part.name], example_inputs(part, 0)
        numbers = sum(parameter.numel() for parameter in network.parameters())
        size = sum(value.numel() * value.element_size() for value in network.state_dict().values())
        with FlopCounterMode(display=False) as theirs:
            published.run(part.name, given)
        with FlopCounterMode(display=False) as own, torch.no_grad():
            part.build(weights[part.weights])(*given.values())
        stored = sum(
            int(np.prod(i.dims)) for i in onnx.load_from_string(ours.files[part.name]).graph.initializer
        )
        print(
            f"{part.name:<11} {numbers:>11,} {stored:>11,} {size:>11,} {len(ours.files[part.name]):>11,}"
            f" {theirs.get_total_flops() / 1e9:>12.2f} {own.get_total_flops() / 1e9:>10.2f}"
        )


def _time(published: Published, ours: Ours, seed: int, rounds: int) -> int:
    """Time what each frame needs, part by part in alternation; return the exit status.

    Processor time is told, too: on a machine that others use it says more than the clock.
    """
    given = {part.name: example_inputs(part, seed) for part in PARTS}
    spent = np.zeros(
        (rounds + 1, len(EACH_FRAME), 2, 2)
    )  # round, part, published or ours, clock or processor
    for i, (n, part) in itertools.product(range(rounds + 1), enumerate(EACH_FRAME)):
        for side, network in enumerate((published, ours)):
            begun_s = np.array([time.perf_counter(), time.process_time()])
            network.run(part, given[part])
            spent[i, n, side] = [time.perf_counter(), time.process_time()] - begun_s
    spent = spent[1:]  # the first warms up
    for n, part in enumerate(EACH_FRAME):
        medians = np.median(spent[:, n], 0)
        print(f"{part:<8} published {medians[0, 0]:.3f} s ({medians[0, 1]:.3f} s of processor),", end=" ")
        print(f"ours {medians[1, 0]:.3f} s ({medians[1, 1]:.3f} s)")
    frames = spent.sum(1)
    ratios = frames[:, 1] / frames[:, 0]
    for i, (clock, processor) in enumerate(ratios):
        print(f"round {i + 1}: ratio {clock:.2f} by the clock, {processor:.2f} of processor time")
    clock, processor = np.median(ratios, 0)
    print(f"a frame: {clock:.2f} by the clock, {processor:.2f} of processor time (medians; bar {TIME_BAR})")
    return 0 if clock <= TIME_BAR else 1


if __name__ == "__main__":
    typer.run(main)
