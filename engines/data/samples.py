"""A set of samples for one network, and the folder of plain .npy files that keeps it.

warped.npy    (N, S, S, 3) uint8  moved portrait by geometry alone, premultiplied by its coverage
source.npy    (N, S, S, 3) uint8  the portrait at rest
target.npy    (N, S, S, 3) uint8  the true picture
contours.npy  (N, 2K, S, S) uint8 filled outlines, moved then at rest; K = 0 for the frame painter
coverage.npy  (N, S, S) uint8     coverage of the moved person
closing.npy   (N,) float32        how far lids are shut or the mouth is open, to balance training
origin.npy    (N,) uint16         index into origins.txt: person and kind of each sample
order.npy     (N,) uint32         frames of one (clip, source) pair follow each other; gaps separate pairs
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.data.people import Split, TrainingDataError
from facepuppet.core import F32, U8


@dataclass(frozen=True, slots=True)
class Sample:
    """One pair of what geometry makes and what is true, in a crop of side S."""

    warped: U8
    source: U8
    target: U8
    contours: U8
    coverage: U8
    closing: float
    origin: str
    order: int


@dataclass(frozen=True, slots=True)
class Samples:
    """Many samples, column by column; see the module's docstring for shapes."""

    warped: U8
    source: U8
    target: U8
    contours: U8
    coverage: U8
    closing: F32
    origin: npt.NDArray[np.uint16]
    order: npt.NDArray[np.uint32]
    origins: Sequence[str]

    def __len__(self) -> int:
        return len(self.warped)

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Samples:
        """Stack single samples.

        Raises:
            TrainingDataError: there are none.
        """
        listed = list(samples)
        if not listed:
            raise TrainingDataError("no samples", "at least one", "Check that the pictures show faces.")
        origins = sorted({sample.origin for sample in listed})
        index = {origin: k for k, origin in enumerate(origins)}
        images = {
            name: np.stack([getattr(sample, name) for sample in listed])
            for name in ("warped", "source", "target", "contours", "coverage")
        }
        return cls(
            **images,
            closing=np.array([sample.closing for sample in listed], np.float32),
            origin=np.array([index[sample.origin] for sample in listed], np.uint16),
            order=np.array([sample.order for sample in listed], np.uint32),
            origins=origins,
        )

    def save(self, folder: Path) -> None:
        """Write one .npy file a column."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _columns():
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        (folder / "origins.txt").write_text("\n".join(self.origins) + "\n", encoding="utf-8")


def load_samples(folder: Path) -> Samples:
    """Read a folder that `Samples.save` wrote; pictures are memory-mapped.

    Raises:
        TrainingDataError: files are missing, damaged, or do not belong together.
    """
    try:
        columns = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _columns()
        }
        origins = (folder / "origins.txt").read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, ValueError, EOFError) as problem:
        raise TrainingDataError(
            f"{folder}: {problem}", "a folder of samples", "Run python -m engines.data.prepare again."
        ) from problem
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1 or columns["origin"].max(initial=0) >= len(origins):
        raise TrainingDataError(
            f"{folder} with columns of {lengths} samples and {len(origins)} origins",
            "columns of one length",
            "Files of different runs are mixed up: run python -m engines.data.prepare again.",
        )
    return Samples(**columns, origins=origins)


def find_samples(folders: Sequence[Path], split: Split, region: str) -> list[Samples]:
    """Read one region's samples of a split from every folder of `engines.data.prepare` that has some.

    Raises:
        TrainingDataError: none has, or files are damaged.
    """
    found = [path for folder in folders if (path := folder / split.value / region).is_dir()]
    if not found:
        raise TrainingDataError(
            f"no {split.value}/{region} in {[str(folder) for folder in folders]}",
            "samples of both splits",
            "Make them: python -m engines.data.prepare --help",
        )
    return [load_samples(path) for path in found]


def joined(parts: Sequence[Samples]) -> Samples:
    """One set out of several; orders keep apart what belongs to different parts."""
    origins = [origin for part in parts for origin in part.origins]
    starts = np.cumsum([0] + [len(part.origins) for part in parts])
    order_starts = np.cumsum([0] + [int(part.order.max(initial=0)) + 2 for part in parts])
    images = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("warped", "source", "target", "contours", "coverage", "closing")
    }
    return Samples(
        **images,
        origin=np.concatenate(
            [part.origin + np.uint16(start) for part, start in zip(parts, starts, strict=False)]
        ),
        order=np.concatenate(
            [part.order + np.uint32(start) for part, start in zip(parts, order_starts, strict=False)]
        ),
        origins=origins,
    )


def _columns() -> list[str]:
    return [field.name for field in fields(Samples) if field.name != "origins"]
