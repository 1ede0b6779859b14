"""Measure what the mark costs the eye and the clock: PSNR, flat areas, flicker, embedding time.

    python tools/watermark_visibility.py A.mp4 B.mp4 [--amplified out.png]

flat rms      change on the calmest tenth of 64-pixel tiles, grey levels
coarse rms    the same after a 4-pixel blur: what could be seen as mottling
flicker rms   frame-to-frame change of the blurred difference at 30 FPS
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import av
import cv2
import numpy as np

from facepuppet.core import U8, Composed
from facepuppet.watermark import Marker

N_FRAMES, FPS, TILE_PX = 60, 30, 64
SIZE_PX = (1280, 720)
COLUMNS = ("clip", "PSNR", "flat rms", "coarse rms", "flicker rms", "CPU ms a frame (median, p95)")


def main() -> None:
    """Print one row a clip and one for a flat wall."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--amplified", type=Path, help="write the last frame beside its difference times 20")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|")
    wall = np.full((SIZE_PX[1], SIZE_PX[0], 3), 140, np.uint8)
    _report("flat wall", [wall] * N_FRAMES, None)
    for clip in arguments.clips:
        _report(clip.stem, _pictures(clip), arguments.amplified)


def _pictures(clip: Path) -> list[U8]:
    with av.open(str(clip)) as source:
        frames = [
            frame.to_ndarray(format="rgb24")
            for _, frame in zip(range(N_FRAMES), source.decode(video=0), strict=False)
        ]
    return [_covered(frame) for frame in frames]


def _covered(frame: U8) -> U8:
    width, height = SIZE_PX
    scale = max(width / frame.shape[1], height / frame.shape[0])
    large = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def _report(name: str, pictures: list[U8], amplified: Path | None) -> None:
    marker = Marker(size_px=SIZE_PX)
    differences, seconds = [], []
    for index, rgb in enumerate(pictures):
        start = time.thread_time()
        marked = marker.mark(Composed(rgb, index, 0), round(index * 1e9 / FPS)).rgb
        seconds.append(time.thread_time() - start)
        differences.append(marked[..., 1].astype(np.float32) - rgb[..., 1])
    coarse = [cv2.GaussianBlur(difference, (0, 0), 4) for difference in differences]
    calm = _calm_tiles(pictures[0])
    psnr = 10 * np.log10(255**2 / np.mean([np.mean(d**2) for d in differences]))
    print(
        f"| {name} | {psnr:.1f} dB | {_rms(differences, calm):.2f} | {_rms(coarse, calm):.2f} | "
        f"{_rms(list(np.diff(coarse, axis=0)), calm):.3f} | "
        f"{1e3 * np.median(seconds):.1f}, {1e3 * np.quantile(seconds, 0.95):.1f} |",
        flush=True,
    )
    if amplified is not None:
        difference = np.clip(128 + 20 * differences[-1], 0, 255).astype(np.uint8)
        cv2.imwrite(str(amplified), np.hstack([marked[..., ::-1], cv2.merge([difference] * 3)]))


def _calm_tiles(rgb: U8) -> np.ndarray:
    """Return a (H, W) bool mask of the calmest tenth of the tiles."""
    detail = np.abs(cv2.Laplacian(rgb[..., 1], cv2.CV_32F))
    tiles = cv2.resize(detail, (SIZE_PX[0] // TILE_PX, SIZE_PX[1] // TILE_PX), interpolation=cv2.INTER_AREA)
    calm = tiles <= np.quantile(tiles, 0.1)
    return cv2.resize(calm.astype(np.uint8), SIZE_PX, interpolation=cv2.INTER_NEAREST).astype(bool)


def _rms(pictures: list[np.ndarray], where: np.ndarray) -> float:
    return float(np.sqrt(np.mean([np.mean(picture[where] ** 2) for picture in pictures])))


if __name__ == "__main__":
    main()
