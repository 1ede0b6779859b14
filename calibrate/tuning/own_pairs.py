"""Samples of one person's pictures: each moved to each other by geometry, the other being the truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from calibrate.tuning.own_pictures import Picture
from calibrate.views.choose import difference
from engines.data.motions import motion_to
from engines.data.regions import REGIONS, cut_samples
from engines.data.samples import Sample, Samples
from engines.data.stills import bare_avatar, still_samples
from facepuppet.core import Quality
from facepuppet.frames import Renderer
from facepuppet.portrait import Avatar, StateReader
from facepuppet.vision import FaceMesher

CUTS = 4  # of each pair, each a little elsewhere
MADE = 2  # sources made of each picture, with lips shut and lids and irises moved
SAME = 0.3  # `difference` of faces below which a view shows what is to be painted


@dataclasses.dataclass(frozen=True, slots=True)
class Split:
    """What one painter learns from, and what judges it."""

    train: Samples
    judge: Samples


def make_splits(
    avatar: Avatar, pictures: Sequence[Picture], kept: Mapping[str, int], bare_engines: Path
) -> dict[str, Split]:
    """Make the samples of every region.

    The picture that is kept back for a region is neither source nor truth nor view in its training; in
    judging it is the truth, and no view shows it.

    Args:
        avatar: the portrait, with its views.
        pictures: of the same person; the first is the portrait.
        kept: by region ("mouth", "eye"), the index of the picture that is kept back.
        bare_engines: folder whose manifest lists no network, so that geometry alone renders.
    """
    train: dict[str, list[Sample]] = {region: [] for region in kept}
    judge: dict[str, list[Sample]] = {region: [] for region in kept}
    for region, index, sample in _all_pairs(avatar, pictures, kept, bare_engines):
        (judge if index == kept[region] else train)[region].append(sample)
    for region, index, sample in _made(pictures, kept, bare_engines):
        if index != kept[region]:
            train[region].append(sample)
    return {region: Split(Samples.of(train[region]), Samples.of(judge[region])) for region in kept}


def _all_pairs(
    avatar: Avatar, pictures: Sequence[Picture], kept: Mapping[str, int], bare_engines: Path
) -> Iterator[tuple[str, int, Sample]]:
    """Yield region, index of the true picture, and sample."""
    rng, order = np.random.default_rng(1), 0
    relaxed = np.percentile([picture.eye_opening for picture in pictures], 70, axis=0).astype(np.float32)
    sources = [(i, bare_avatar(p.rgb, p.landmarks_px)) for i, p in enumerate(pictures)]
    if avatar.views:
        sources.append((0, dataclasses.replace(avatar, painters=())))
    for source, portrait in sources:
        renderer = Renderer(portrait, bare_engines)
        renderer.set_quality(Quality(flesh=False))  # painters come before it
        for index, picture in enumerate(pictures):
            regions = [region for region, back in kept.items() if source != back]
            if index == source or not regions:
                continue
            motion = motion_to(portrait, picture.landmarks_px, relaxed)
            hidden = _views_like([picture, *(pictures[i] for i in kept.values())], portrait)
            rgba = renderer.render(motion, left_out=hidden).rgba
            for region in regions:
                judging = index == kept[region]
                for _ in range(1 if judging else CUTS):
                    order += 2
                    for sample in cut_samples(
                        REGIONS[region], portrait, motion, rgba, picture.rgb, "pair", order,
                        None if judging else rng,
                    ):  # fmt: skip
                        yield region, index, sample


def _made(
    pictures: Sequence[Picture], kept: Mapping[str, int], bare_engines: Path
) -> Iterator[tuple[str, int, Sample]]:
    regions = [REGIONS[region] for region in kept]
    with FaceMesher() as mesher:
        for index, picture in enumerate(pictures):
            for turn in range(MADE):
                rng, order = np.random.default_rng([2, index, turn]), 1_000_000 + 2 * (MADE * index + turn)
                for region, sample in still_samples(
                    picture.rgb, mesher, regions, bare_engines, rng=rng, order=order
                ):
                    yield region, index, sample


def _views_like(pictures: Sequence[Picture], avatar: Avatar) -> set[int]:
    """Views that show what one of some pictures shows."""
    if not avatar.views:
        return set()
    reader = StateReader(avatar)
    shown = [reader.of_face(picture.landmarks_px) for picture in pictures]
    return {
        number
        for number, view in enumerate(avatar.views)
        if any(difference(reader.of_face(view.landmarks_px), state) < SAME for state in shown)
    }
