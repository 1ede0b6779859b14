"""Samples from clips: one frame is the portrait, others of the same person are the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engines.data.clips import FaceClip
from engines.data.motions import motion_to
from engines.data.regions import Region, cut_samples
from engines.data.samples import Sample
from facepuppet.core import F32, PortraitError, Quality, geodesic_angle, head_from_image
from facepuppet.face import eye_openings, fit_head, mouth_gap
from facepuppet.frames import Renderer
from facepuppet.portrait import analyse_portrait

MAX_TURN_RAD = 0.6  # between source and target: beyond, no small network can paint what is missing


def clip_samples(
    clip: FaceClip,
    regions: Sequence[Region],
    bare_engines: Path,
    *,
    person: str,
    n_sources: int,
    max_targets: int,
    rng: np.random.Generator,
    first_order: int = 0,
) -> Iterator[tuple[str, Sample]]:
    """Yield (region name, sample) of one clip.

    Args:
        clip: frames and landmarks.
        regions: what to cut.
        bare_engines: folder whose manifest lists no network, so that geometry alone renders.
        person: name for the samples' origin.
        n_sources: how many frames serve as portraits; the calmest is always one.
        max_targets: how many true frames a portrait is moved to.
        rng: chooses sources and targets.
        first_order: order of the first sample.
    """
    heads = [head_from_image(p, fit_head(p)).astype(np.float32) for p in clip.landmarks_px]
    relaxed = np.percentile([eye_openings(head) for head in heads], 70, axis=0).astype(np.float32)
    order = first_order
    for source in choose_sources(clip, heads, relaxed, n_sources, rng):
        try:
            avatar = analyse_portrait(clip.frames[source], name=clip.name, source_sha256="0" * 64)
        except PortraitError:
            continue
        renderer = Renderer(avatar, bare_engines)
        renderer.set_quality(Quality(flesh=False))  # painters come before it
        at_rest = fit_head(clip.landmarks_px[source]).rotation
        for index in _targets(len(clip.frames), source, max_targets, rng):
            order += 1
            points = clip.landmarks_px[index]
            if geodesic_angle(fit_head(points).rotation, at_rest) > MAX_TURN_RAD:
                order += 1
                continue
            motion = motion_to(avatar, points, relaxed, clip.shoulders_px[index], index)
            rgba = renderer.render(motion).rgba
            for region in regions:
                for sample in cut_samples(
                    region, avatar, motion, rgba, clip.frames[index], f"{person} clip", order, rng
                ):
                    yield region.name, sample
        order += 2


def choose_sources(
    clip: FaceClip, heads: Sequence[F32], relaxed: F32, count: int, rng: np.random.Generator
) -> list[int]:
    """The calmest frame first, then others with open eyes at random."""
    turn = np.array([geodesic_angle(fit_head(p).rotation, np.eye(3)) for p in clip.landmarks_px])
    gap = np.array([mouth_gap(head) for head in heads])
    opening = np.array([(eye_openings(head) / relaxed).min() for head in heads])
    calmest = int(np.argmin(turn + 4.0 * gap + 3.0 * np.maximum(0.9 - opening, 0.0)))
    others = np.flatnonzero((opening > 0.75) & (turn < 0.6))
    others = others[others != calmest]
    return [calmest, *(int(i) for i in rng.permutation(others)[: count - 1])]


def _targets(n_frames: int, source: int, count: int, rng: np.random.Generator) -> list[int]:
    """Runs of consecutive frames (so that differences over time can be trained on), spread over the clip."""
    if n_frames <= count:
        return [i for i in range(n_frames) if i != source]
    run = 6
    starts = rng.permutation(n_frames - run)[: count // run]
    return sorted({int(s) + k for s in starts for k in range(run)} - {source})
