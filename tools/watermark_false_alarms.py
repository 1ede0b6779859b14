"""Count false alarms with keys that did not make the mark, on marked and unmarked video, and fit the tail.

    python tools/watermark_false_alarms.py marked.mkv unmarked.mkv --keys 100000 --blind-keys 500

A trial is one wrong key through one whole session: every look, whole frame and mirrored (all keys), and the
blind search over place, scale and mirror at the end of the session (--blind-keys). The largest statistic of a
trial is compared with the bound used by the detector, and its maxima are fitted with a Gumbel law.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from math import exp, log
from pathlib import Path

import cv2
import numpy as np

from facepuppet.watermark import (
    C64,
    LOG_ALPHA,
    LOG_N_HYPOTHESES,
    PUBLIC_KEY,
    SCALES,
    Block,
    Carrier,
    Geometry,
    Key,
    Zoom,
    carrier_of,
    log_look_share,
    log_tail,
    open_luma_frames,
    picked,
    reduce_luma,
    surface,
    torus_transform,
)

COLUMNS = ("video", "search", "trials", "alarms", "largest statistic", "smallest p", "Gumbel p at threshold")
BLOCK_S, HOP_S = 1.0, 0.5
LOG_SHARES = log(8)  # whole frame or blind, all or recent, turning or still


def main() -> None:
    """Print one line a video and kind of search."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--blind-keys", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|", flush=True)
    for video in arguments.videos:
        looks = _looks(video, arguments.seconds)
        print(_whole_frame(video.stem, looks, arguments.keys), flush=True)
        if arguments.blind_keys:
            print(_blind(video.stem, looks[-1], len(looks), arguments.blind_keys), flush=True)


def _looks(video: Path, seconds: float) -> list[C64]:
    """Return the accumulated evidence at every look, (2, h, w) each."""
    live: list[Block] = []
    looks: list[C64] = []
    next_s = 0.0
    for look in open_luma_frames(video):
        if look.t_s > seconds:
            break
        picture = reduce_luma(look.luma)
        if look.t_s >= next_s:
            live.append(Block((picture.shape[0], picture.shape[1])))
            next_s += HOP_S
        for block in live:
            block.add(picture, look.t_s)
        if live[0].end_s - live[0].start_s >= BLOCK_S - 0.02:
            evidence = live.pop(0).evidence()
            looks.append(looks[-1] + evidence if looks else evidence)
    return looks


def _wrong_keys(n_keys: int) -> Iterator[Carrier]:
    for index in range(n_keys):
        yield carrier_of.__wrapped__(Key("wrong", b"wrong key for trials %012d" % index))


def _whole_frame(name: str, looks: list[C64], n_keys: int) -> str:
    carrier = carrier_of(PUBLIC_KEY)
    geometries = (Geometry(), Geometry(mirrored=True))
    fields = [(n, field) for n, look in enumerate(looks, 1) for field in look]
    transforms = [(n, torus_transform(field, 1.0)) for n, field in fields]
    values = np.stack([picked(transform, carrier, g) for _, transform in transforms for g in geometries])
    shares = [log_look_share(n) - log(2) - LOG_SHARES for n, _ in transforms for _ in geometries]
    energy = np.abs(values) ** 2
    largest, log_p = np.empty(n_keys), np.empty(n_keys)
    for trial, wrong in enumerate(_wrong_keys(n_keys)):
        pilot = wrong.pilot
        scores = np.abs(values @ pilot.conj()) ** 2 / (energy @ (pilot != 0))
        largest[trial] = scores.max()
        log_p[trial] = min(log_tail(float(s)) - share for s, share in zip(scores, shares, strict=True))
    return _row(name, "whole frame", largest, log_p, max(shares))


def _blind(name: str, evidence: C64, n_looks: int, n_keys: int) -> str:
    spectra: list[C64] = []
    for field in evidence:
        zoom = Zoom(field)
        for scale in SCALES:
            spectra += zoom.at(scale)
    share = log_look_share(n_looks) - LOG_N_HYPOTHESES - LOG_SHARES
    largest = np.array(
        [max(float(surface(v, c.pilot, c).max()) for v in spectra) for c in _wrong_keys(n_keys)]
    )
    log_p = np.array([log_tail(u) - share for u in largest])
    return _row(name, "blind", largest, log_p, share)


def _row(name: str, search: str, largest: np.ndarray, log_p: np.ndarray, share: float) -> str:
    alarms = int((log_p < LOG_ALPHA).sum())
    scale = largest.std() * np.sqrt(6) / np.pi
    mode = largest.mean() - np.euler_gamma * scale
    threshold = next(u for u in np.arange(1, 500, 0.1) if log_tail(u) - share < LOG_ALPHA)
    gumbel = -np.expm1(-exp(-(threshold - mode) / scale))
    return (
        f"| {name} | {search} | {len(largest)} | {alarms} | {largest.max():.1f} | "
        f"{exp(min(0.0, log_p.min())):.2g} | {gumbel:.1e} |"
    )


if __name__ == "__main__":
    main()
