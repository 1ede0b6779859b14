"""Whether two pictures are the same, or really others, and what is told when they are not.

Tests say how far apart equal pictures may be by one of the tolerances below; none has its own figures
without its own reason. Where they fail, conftest.py writes both pictures and their difference to disk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tolerance:
    """How far apart the values of pictures may be that count as the same, in levels of 255.

    Attributes:
        mean: of all differences.
        at_percentile: difference that `percentile` percent of the values stay within.
        percentile: see there.
        most: largest difference of all.
        share: of the values that differ at all.
    """

    mean: float = math.inf
    at_percentile: float = math.inf
    percentile: float = 99.0
    most: float = math.inf
    share: float = 1.0

    def but(self, **changes: float) -> Tolerance:
        """Return the same with other figures; who calls it says why."""
        return replace(self, **changes)

    def __str__(self) -> str:
        told = {
            f"mean {self.mean:g}": self.mean,
            f"{self.percentile:g} % within {self.at_percentile:g}": self.at_percentile,
            f"largest {self.most:g}": self.most,
            f"{100 * self.share:g} % other": self.share if self.share < 1 else math.inf,
        }
        return ", ".join(words for words, limit in told.items() if limit < math.inf) or "anything"


# The same code on the same data, or a copy.
EXACT = Tolerance(most=0)
# One level here and there, from another order of arithmetic.
ROUNDING = Tolerance(most=1, share=0.001)
# OpenCV reckons places of linear resizing in floats, softens columns with taps of 1/256, and on some
# processors resizes cubically in fixed point: one level each, and colour and alpha of a pixel add up to two.
RESAMPLING = Tolerance(most=2, share=0.005)
# Edges fall a fraction of a pixel aside: OpenCV counts coordinates in 1/32 px, outlines in 1/16 px.
GPU = Tolerance(mean=0.2, at_percentile=8, percentile=99.9)
# The same where only edges are looked at: within what was drawn.
GPU_DRAWN = Tolerance(mean=2.0, at_percentile=28)  # 25 around a narrow eye, which is mostly rim
# Other CPUs and library versions: the networks' landmarks move by a few tenths of a pixel, hence some
# levels along edges. Far below what any feature gives that moves.
LIBRARIES = Tolerance(mean=2.0, at_percentile=30)
# The same picture sampled twice and premultiplied on the way: some levels at edges.
RESAMPLED = Tolerance(mean=2.0, at_percentile=30)
# A portrait put together from its layers: where the matte is soft, both are guessed.
LAYERS = Tolerance(mean=3.0)
# Lossy stills.
JPEG = Tolerance(mean=4.0)
# Lossy video.
CODEC = Tolerance(mean=8.0)
# A mark on each of them, which is of less than a level on average and never of more than 8.
MARK = Tolerance(mean=1.0, most=16)


class PicturesError(AssertionError):
    """Pictures are not what was expected of them; carries them, for people to look at."""

    def __init__(self, message: str, given: Picture, truth: Picture) -> None:
        super().__init__(message)
        self.given, self.truth = given, truth

    def save(self, folder: Path) -> list[Path]:
        """Write both pictures, and their difference stretched to the full range, as PNG files."""
        pictures = {"given": self.given, "truth": self.truth}
        if self.given.shape == self.truth.shape:
            off = np.nan_to_num(levels(self.given, self.truth).astype(np.float64), posinf=255.0)
            off = off.max(-1) if off.ndim == 3 else off
            pictures["difference"] = off * 255 / max(off.max(initial=0.0), 1.0)
        written = []
        for name, picture in pictures.items():
            if picture.size and (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] in (1, 3, 4))):
                written.append(folder / f"{name}.png")
                cv2.imwrite(str(written[-1]), _bgr(picture))
        return written


@dataclass(frozen=True)
class Difference:
    """How far apart two pictures are.

    Attributes:
        given, truth: the pictures.
        within: where they were compared, (H, W); everywhere if None.
        levels: absolute differences of the values that were compared, in one row.
    """

    given: Picture
    truth: Picture
    within: Mask | None
    levels: npt.NDArray[Any]

    @property
    def mean(self) -> float:
        return float(self.levels.mean(dtype=np.float64))

    @property
    def most(self) -> float:
        return float(self.levels.max())

    @property
    def share(self) -> float:
        return np.count_nonzero(self.levels) / self.levels.size

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.levels, percent))

    def exceeds(self, tolerance: Tolerance) -> bool:
        """Whether any bound is passed."""
        return (
            self.most > tolerance.most
            or self.share > tolerance.share
            or self.mean > tolerance.mean
            or (
                tolerance.at_percentile < math.inf
                and self.percentile(tolerance.percentile) > tolerance.at_percentile
            )
        )

    def told(self, tolerance: Tolerance) -> str:
        """How large it is, in the words of a tolerance, and where."""
        off = levels(self.given, self.truth)
        if self.within is not None:
            off = np.where(self.within if off.ndim == self.within.ndim else self.within[..., None], off, 0)
        at = np.unravel_index(int(off.argmax()), off.shape)
        place = ", ".join(f"{name} {i}" for name, i in zip(("row", "column", "channel"), at, strict=False))
        nearly_all = self.percentile(tolerance.percentile)
        told = (
            f"mean {self.mean:.4g}, {tolerance.percentile:g} % within {nearly_all:.4g}, "
            f"largest {self.most:.4g} at {place} ({self.given[at]} for {self.truth[at]}), "
            f"{100 * self.share:.4g} % other"
        )
        places = np.argwhere(off > 0)
        if len(places):
            low, high = places.min(0), places.max(0)
            told += f", from {tuple(low[:2].tolist())} to {tuple(high[:2].tolist())}"
        return told


def levels(given: Picture, truth: Picture) -> npt.NDArray[Any]:
    """Absolute differences of all values, wide enough not to wrap around."""
    dtype = np.int16 if given.dtype == truth.dtype == np.uint8 else np.float64
    return np.abs(np.subtract(given, truth, dtype=dtype))


def compare(given: Picture, truth: Picture, within: Mask | None = None) -> Difference:
    """Measure how far apart two pictures are, everywhere or where a mask (H, W) says.

    Raises:
        PicturesError: they cannot be compared: other shapes or types, values that are no numbers, or
            nothing to compare.
    """
    __tracebackhide__ = True
    for what in ("shape", "dtype"):
        got, expected = getattr(given, what), getattr(truth, what)
        if got != expected:
            raise PicturesError(f"got {what} {got}\nexpected {what} {expected}", given, truth)
    if given.dtype.kind == "f":
        for name, picture in (("given", given), ("truth", truth)):
            n = int(np.count_nonzero(~np.isfinite(picture)))
            if n:
                what = f"got {n} values of the {name} picture that are no numbers\nexpected numbers"
                raise PicturesError(what, given, truth)
    off = levels(given, truth)
    off = (off if within is None else off[within]).ravel()
    if off.size == 0:
        raise PicturesError("got nothing to compare\nexpected pixels", given, truth)
    return Difference(given, truth, within, off)


def differs(given: Picture, truth: Picture, tolerance: Tolerance, within: Mask | None = None) -> bool:
    """Whether two pictures of one shape and type are farther apart than a tolerance allows."""
    __tracebackhide__ = True
    return compare(given, truth, within).exceeds(tolerance)


def assert_pictures_equal(
    given: Picture, truth: Picture, tolerance: Tolerance, within: Mask | None = None
) -> None:
    """Fail unless two pictures are the same within a tolerance, everywhere or where a mask (H, W) says."""
    __tracebackhide__ = True
    found = compare(given, truth, within)
    if found.exceeds(tolerance):
        raise PicturesError(f"got {found.told(tolerance)}\nexpected at most {tolerance}", given, truth)


def assert_pictures_differ(
    given: Picture, truth: Picture, tolerance: Tolerance, within: Mask | None = None
) -> None:
    """Fail unless two pictures are farther apart than a tolerance allows: something really moved."""
    __tracebackhide__ = True
    found = compare(given, truth, within)
    if not found.exceeds(tolerance):
        raise PicturesError(f"got {found.told(tolerance)}\nexpected more than {tolerance}", given, truth)


def _bgr(picture: Picture) -> Picture:
    """As OpenCV writes it."""
    numbers = np.nan_to_num(picture.astype(np.float64), posinf=255.0)
    shown = np.rint(np.clip(numbers, 0, 255)).astype(np.uint8)
    if shown.ndim == 3 and shown.shape[2] >= 3:
        shown = shown[..., [2, 1, 0, *range(3, shown.shape[2])]]
    return np.ascontiguousarray(shown)
