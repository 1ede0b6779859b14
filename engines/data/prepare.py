"""`python -m engines.data.prepare`: from folders of clips and portraits to samples for every painter."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.progress import track

from engines.data.clips import load_clip
from engines.data.pairs import clip_samples
from engines.data.people import DEFAULT_TABLE, Split, TrainingDataError, clips_of, read_people
from engines.data.regions import REGIONS, Region
from engines.data.samples import Sample, Samples
from engines.data.sheet import save_sheet
from engines.data.stills import still_samples
from facepuppet.core import FacepuppetError, PortraitError
from facepuppet.media import IMAGE_SUFFIXES, load_picture
from facepuppet.vision import FaceMesher

log = logging.getLogger(__name__)
app = typer.Typer(add_completion=False)


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="Folder to write: OUT/SPLIT/REGION/*.npy and contact sheets.")],
    clips: Annotated[Path | None, typer.Option(help="Folder of clips, one person each.")] = None,
    portraits: Annotated[Path | None, typer.Option(help="Folder of still portraits (training only).")] = None,
    people: Annotated[Path, typer.Option(help="Table of people and splits.")] = DEFAULT_TABLE,
    split: Annotated[Split, typer.Option(help="Which people's clips.")] = Split.TRAIN,
    sources: Annotated[int, typer.Option(min=1, help="Portraits made of each clip.")] = 4,
    targets: Annotated[int, typer.Option(min=1, help="True frames for each portrait.")] = 150,
    stills: Annotated[int, typer.Option(min=0, help="How many stills to use.")] = 1200,
    region: Annotated[
        list[str] | None, typer.Option(help="Painters to make samples for; all by default.")
    ] = None,
    seed: int = 1,
) -> None:
    """Make samples: true pairs from clips, made sources from stills."""
    regions = [REGIONS[name] for name in region or REGIONS]
    cv2.setNumThreads(1)
    bare = out / "no_networks"
    bare.mkdir(parents=True, exist_ok=True)
    (bare / "manifest.toml").write_text("format = 1\n", encoding="utf-8")
    found: dict[str, list[Sample]] = {name: [] for name in REGIONS}
    if clips is not None:
        for name, sample in _from_clips(clips, people, split, regions, sources, targets, bare, seed):
            found[name].append(sample)
    if portraits is not None and split is Split.TRAIN:
        for name, sample in _from_stills(portraits, regions, stills, bare, seed):
            found[name].append(sample)
    if not any(found.values()):
        raise TrainingDataError("neither clips nor portraits", "at least one", "Give --clips or --portraits.")
    for name, samples in found.items():
        if not samples:
            continue
        folder = out / split.value / name
        Samples.of(samples).save(folder)
        save_sheet(samples, folder.with_suffix(".png"), seed)
        typer.echo(f"{folder}: {len(samples)} samples")


def _from_clips(
    folder: Path,
    table: Path,
    split: Split,
    regions: Sequence[Region],
    n_sources: int,
    max_targets: int,
    bare: Path,
    seed: int,
) -> Iterator[tuple[str, Sample]]:
    order = 0
    for path, person in track(clips_of(folder, split, read_people(table)), "clips"):
        rng = np.random.default_rng([seed, order])
        try:
            clip = load_clip(path)
        except (TrainingDataError, FacepuppetError) as problem:
            log.warning("%s is left out: %s", path.name, problem)
            continue
        for name, sample in clip_samples(
            clip, regions, bare, person=person.name, n_sources=n_sources,
            max_targets=max_targets, rng=rng, first_order=order,
        ):  # fmt: skip
            order = max(order, sample.order)
            yield name, sample
        order += 2


def _from_stills(
    folder: Path, regions: Sequence[Region], count: int, bare: Path, seed: int
) -> Iterator[tuple[str, Sample]]:
    regions = [region for region in regions if region.name != "frame"]
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise TrainingDataError(f"{folder} without pictures", "portraits", "Check the folder.")
    with FaceMesher() as mesher:
        for number, path in enumerate(track(paths[:count], "stills")):
            try:
                rgb = load_picture(path)
            except PortraitError as problem:
                log.warning("%s is left out: %s", path.name, problem)
                continue
            rng = np.random.default_rng([seed, 7, number])
            yield from still_samples(rgb, mesher, regions, bare, rng=rng, order=1_000_000 + 2 * number)


if __name__ == "__main__":
    app()
