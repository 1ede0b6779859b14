"""`python -m engines.train_listener FILMS... --out RUN`: teach what hears mouth shapes; run again to go on.

Films are those of films.toml that are found; speech is made by espeak-ng and, where it is installed, Festival
(`apt-get install espeak-ng festival festvox-kallpc16k …`, `engines.voice.made_speech`); of recordings of
English (--speech) pocketsphinx tells the phones.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from engines.voice.aligned_speech import aligned_lines
from engines.voice.examples import Example, of_noise, of_spoken, of_take
from engines.voice.export_listener import ship
from engines.voice.films import Film, read_films, take_of
from engines.voice.listener import MouthListener
from engines.voice.listener_judgement import Hear, lips_met, of_film, silent_shut
from engines.voice.listener_training import Recipe, hear, train
from engines.voice.made_speech import espeak_lines, festival_lines, words
from engines.voice.phones import BURST_LEAD_S
from engines.voice.sung import sung_lines
from engines.voice.take import Take
from facepuppet.core import F32
from facepuppet.voice import shut_in_silence

HERE = Path(__file__).parent
NOISE_EXAMPLES = 80
app = typer.Typer(add_completion=False)


@app.command()
def main(
    folders: Annotated[list[Path], typer.Argument(help="Where the films of films.toml lie.")],
    out: Annotated[Path, typer.Option(help="Folder for takes and checkpoint.")],
    films: Annotated[Path, typer.Option(help="Who is in which film.")] = HERE / "films.toml",
    steps: int = 2000,
    turns: Annotated[int, typer.Option(help="How often each film and line is spoilt anew.")] = 6,
    lines: Annotated[int, typer.Option(help="Lines that espeak-ng speaks.")] = 500,
    fold: Annotated[
        str, typer.Option(help="K/N: leave the K-th of N parts of people out, and judge by them.")
    ] = "",
    speech: Annotated[Path | None, typer.Option(help="Folder of recordings of English speech.")] = None,
    seed: int = 1,
    to: Annotated[Path | None, typer.Option(help="Folder of manifest.toml, to ship the result to.")] = None,
    origin: Annotated[str, typer.Option(help="What the manifest says of it.")] = "facepuppet project",
) -> None:
    """Train on every film but those of a fold's people, and on made speech; judge; ship."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    out.mkdir(parents=True, exist_ok=True)
    takes = {film: take for film in read_films(films) if (take := take_of(film, folders, out / "takes"))}
    left_out = people_of(fold, sorted({film.person for film in takes}))
    chance = np.random.default_rng(seed)
    examples = filmed(takes, left_out, turns, chance) + made(
        lines, speech, out / "aligned", turns, seed, chance
    )
    recipe = Recipe(steps=steps, seed=seed)
    kept = out / f"checkpoint{'-' + fold.replace('/', '-of-') if fold else ''}.pt"
    network = train(examples, recipe, kept)
    tell(lambda features: _as_shown(network, features), takes, left_out, seed)
    if to is not None:
        typer.echo(f"differs from ONNX Runtime by {ship(network, origin, to):.1e}")


def _as_shown(network: MouthListener, features: F32) -> tuple[F32, F32]:
    mouth, speaking = hear(network, features)
    shown = [shut_in_silence(row, float(sure)) for row, sure in zip(mouth, speaking, strict=True)]
    return np.array(shown), speaking


def people_of(fold: str, people: Sequence[str]) -> set[str]:
    """Return who is left out: every N-th person, from the K-th on."""
    if not fold:
        return set()
    k, n = (int(number) for number in fold.split("/"))
    return set(people[k - 1 :: n])


def filmed(
    takes: dict[Film, Take], left_out: set[str], turns: int, chance: np.random.Generator
) -> list[Example]:
    """Return the examples of all films of people that are trained on, once clean."""
    used = {film: take for film, take in takes.items() if film.person not in left_out}
    babble = [take.sound for take in used.values()]
    return [
        of_take(take, film.person, chance, babble, clean=turn == 0)
        for turn in range(turns)
        for film, take in used.items()
    ]


def made(
    lines: int, speech: Path | None, kept: Path, turns: int, seed: int, chance: np.random.Generator
) -> list[Example]:
    """Return the examples of speech whose phones are known, and of sound without any."""
    spoken = [(*line, BURST_LEAD_S) for line in espeak_lines(lines, seed, words())]
    spoken += [(*line, 0.0) for line in festival_lines(lines // 3, seed, words())]
    spoken += [(*line, 0.0) for line in sung_lines(lines // 5, seed)]
    if speech is not None:
        spoken += [(*line, 0.0) for line in aligned_lines(speech, kept)]
    babble: list[F32] = [line[1].sound for line in spoken[:40]]
    voiced = [
        of_spoken(said, voice, chance, babble, burst_lead_s=lead_s, clean=turn == 0)
        for turn in range(max(turns // 2, 1))
        for voice, said, lead_s in spoken
    ]
    return voiced + [of_noise(chance, []) for _ in range(NOISE_EXAMPLES)]


def tell(hears: Hear, takes: dict[Film, Take], left_out: set[str], seed: int) -> None:
    """Print how well it does on people left out, in silence, and where lips must meet."""
    chance = np.random.default_rng(seed + 1)
    judged = [film for film in takes if film.person in left_out]
    rows = [of_film(of_take(takes[film], film.person, chance, [], clean=True), hears) for film in judged]
    for row in rows:
        told = f"opening {row.opening:5.2f}  width {row.width:5.2f}  lag {row.lag_s * 1e3:+4.0f} ms"
        typer.echo(f"{row.name:24} {told}  {row.seconds:5.1f} s")
    lines = list(espeak_lines(40, seed + 999, words()))
    spoken = [
        of_spoken(said, voice, chance, [], burst_lead_s=BURST_LEAD_S, clean=True) for voice, said in lines
    ]
    typer.echo(f"silent steps with shut lips {silent_shut(spoken, hears):.3f}")
    typer.echo(f"/p b m/ with lips that meet {lips_met(spoken, hears):.3f}")


if __name__ == "__main__":
    torch.set_num_threads(1)  # so small a network is taught no faster by two
    app()
