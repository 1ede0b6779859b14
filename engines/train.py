"""`python -m engines.train mouth --data DIR --out DIR`: train one painter; run again to go on."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import cv2
import torch
import typer

from engines.data.people import Split
from engines.data.samples import find_samples, joined
from engines.training.trainer import Recipe, Trainer

app = typer.Typer(add_completion=False)


@app.command()
def main(
    region: Annotated[str, typer.Argument(help="mouth, eye or frame")],
    data: Annotated[list[Path], typer.Option(help="Folders that engines.data.prepare wrote; repeat it.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, log and pictures.")],
    profile: str = "cpu",
    steps: int = 5000,
    batch: int = 12,
    perceptual: float = 0.15,
    adversarial: float = 0.01,
    critic_from: Annotated[float, typer.Option(help="Share of the steps before the critic speaks.")] = 0.6,
    seed: int = 1,
    rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 6e-4,
    average: Annotated[float, typer.Option(help="Decay of the running mean of the weights.")] = 0.997,
    start: Annotated[
        Path | None, typer.Option(help="Go on from an exported network (.onnx), at a lower rate.")
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 is all.")] = 0,
) -> None:
    """Train on every folder's TRAIN samples that has this region, validate on VALIDATION ones."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    if threads:
        torch.set_num_threads(threads)
    train, held_out = (joined(find_samples(data, split, region)) for split in (Split.TRAIN, Split.VALIDATION))
    recipe = Recipe(
        region, profile, steps, batch,
        learning_rate=rate, perceptual=perceptual, adversarial=adversarial, critic_from=critic_from,
        average=average, seed=seed,
    )  # fmt: skip
    weights = None if start is None else start.read_bytes()
    figures = Trainer(recipe, train, held_out, out, weights).run()
    typer.echo(json.dumps(figures, indent=2))


if __name__ == "__main__":
    app()
