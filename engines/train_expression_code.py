"""`python -m engines.train_expression_code TAKES... --out FILE`: teach the expression code, and judge it.

Takes are those that `engines.voice.take` saves, of the clips of films.toml and people.toml. Who
is in people.toml's validation, and every fourth of the films' people, is judged by and never learnt from.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import torch
import typer

from engines.coding.code_judgement import judge, means, through_components, through_network
from engines.coding.code_network import ExpressionCoder
from engines.coding.code_training import CodeRecipe, train_code
from engines.coding.export_code import ship_code
from engines.coding.performers import read_performers
from facepuppet.character import N_CODE

HERE = Path(__file__).parent
app = typer.Typer(add_completion=False)


@app.command()
def main(
    folders: Annotated[list[Path], typer.Argument(help="Where takes lie.")],
    out: Annotated[Path, typer.Option(help="File for the trained network.")],
    films: Annotated[Path, typer.Option(help="Who is in which film.")] = HERE / "films.toml",
    steps: int = 6000,
    rate: Annotated[float, typer.Option(help="The highest rate of learning.")] = 2e-3,
    begin: Annotated[Path | None, typer.Option(help="An earlier network, to go on from.")] = None,
    seed: int = 1,
    to: Annotated[Path | None, typer.Option(help="Folder of manifest.toml, to ship the result to.")] = None,
    origin: Annotated[str, typer.Option(help="What the manifest says of it.")] = "facepuppet project",
) -> None:
    """Train on some people and made faces; judge by the others, beside principal components; ship."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)  # the network is too small for more
    learnt, judges = read_performers(folders, films)
    earlier = ExpressionCoder()
    if begin is not None:
        earlier.load_state_dict(torch.load(begin, weights_only=True))
    network = train_code(learnt, CodeRecipe(steps=steps, rate=rate, seed=seed), earlier)
    torch.save(network.state_dict(), out)
    ways = {
        "network": through_network(network),
        f"{N_CODE} principal components": through_components(learnt),
    }
    for name, way in ways.items():
        for kind, takes in (("learnt from", learnt), ("strangers", judges)):
            error, worst, tremble = means(judge(takes, way))
            typer.echo(
                f"{name}, {len(takes)} {kind}: error {error:.4f}, worst {worst:.4f}, tremble × {tremble:.2f}"
            )
    if to is not None:
        typer.echo(f"differs from ONNX Runtime by {ship_code(network, origin, to):.1e}")


if __name__ == "__main__":
    app()
