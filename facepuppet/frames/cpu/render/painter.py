"""Networks that paint what a warp cannot show, run on face-aligned crops.

Every painter has the same signature, for a crop of side S (float32, RGB in [0, 1], plain ops):

    warped    (1, 3, S, S)  the moved portrait, geometric mouth and eyes included
    source    (1, 3, S, S)  the portrait at rest, cropped the same way
    contours  (1, 2K, S, S) filled outlines, moved then at rest: lips outer and inner (mouth),
                            lids and iris (eye), none (frame: this input is absent)
    →
    residual  (1, 3, S, S)  to be added to warped, in [−1, 1]
    mask      (1, 1, S, S)  where, in [0, 1]
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.errors import ManifestError
from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, U8, Motion
from facepuppet.frames.cpu.render.crops import Crop, crops_of
from facepuppet.frames.cpu.render.tuned import with_tuned
from facepuppet.inference import Runtime, Session, open_session
from facepuppet.inference.manifest import PaintingNetwork, read_manifest
from facepuppet.inference.onnx_session import Feed
from facepuppet.portrait.avatar import Avatar

log = logging.getLogger(__name__)

_INNER_MIDDLES = (5, 15)  # of the upper and the lower lip, in LIPS_INNER
_LEAST_LEVEL = 0.25  # of 255: less is lost in rounding
# How far outlines move, in sides of the crop, until painting begins, and until it is full. Below, the
# portrait's own pixels are as near the truth as any painting or nearer (15 clips).
_ONSET = {"mouth": (0.012, 0.032), "eye": (0.004, 0.012)}

# Inner-lip gap in inter-ocular distances from and to which the shipped mouth painter gives way, and the share
# that is left to it: of mouths wider open than most it was trained on, it paints a blur over the drawing.
_WIDE, _LEFT_WHEN_WIDE = (0.12, 0.32), 0.5

# How far outlines move, in sides of the crop, before the network paints anew. Until then what it paints
# differs by 6 levels at the 99th percentile of a crop and by .7 on average (12 clips, medians).
_REUSE = {"mouth": 0.5 / 96, "eye": 0.35 / 64}
# And how far while a lesser quality waits longer: beyond, teeth and lids of another moment would be seen.
_STALE = {"mouth": 4.0 / 96, "eye": 2.5 / 64}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was painted last on a crop.

    Attributes:
        crop: then.
        residual: (3, S, S) float32, its share not yet taken.
        age: frames that it has served since.
    """

    crop: Crop
    residual: F32
    age: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be added to one crop.

    Attributes:
        painter: whose crop.
        number: of the crop.
        crop: where.
        share: how much is added, in (0, 1].
        feed: of the network; None where what it painted last serves.
    """

    painter: Painter
    number: int
    crop: Crop
    share: float
    feed: Feed | None

    def run(self) -> tuple[Crop, F32] | None:
        """Return the crop and what to add (3, S, S); tasks of one frame may run beside each other."""
        painted = self.painter.painted(self.number, self.crop, self.feed)
        return None if painted is None else (self.crop, np.float32(self.share) * painted)


class Painter:
    """One network, ready to paint on one portrait.

    Args:
        network: its manifest entry.
        avatar: the portrait, whose crops at rest are prepared once.
        session: what runs it; opened on the best engine if None.

    Attributes:
        network, session: the same.
        takes_contours: the network has an input of that name.
        rest: of each crop of the portrait at rest, (1, 3, S, S) pixels and (K, S, S) contours, float32.

    Raises:
        ManifestError: the file does not match the manifest or is not such a network.
    """

    def __init__(self, network: PaintingNetwork, avatar: Avatar, session: Session | None = None) -> None:
        self.network = network
        self.session = session or open_session(network)
        self._size = avatar.size_px
        self.takes_contours = self._check_signature()
        side = network.crop_px
        self._at_rest = self.crops(avatar.landmarks_px)
        self._kept: list[_Kept | None] = [None] * len(self._at_rest)  # of each crop
        self._reuse_px, self._stale_px = (
            share.get(network.region, 0.0) * network.crop_px for share in (_REUSE, _STALE)
        )
        self.rest = [
            (_to_network(crop.sample(avatar.portrait_rgb, side)), crop.contours(side))
            for crop in self._at_rest
        ]

    def residuals(self, rgba: U8, motion: Motion, patience: int = 0) -> list[tuple[Crop, F32]]:
        """Return what is to be added to each crop (3, S, S); reads the picture only.

        Args:
            rgba: the moved portrait.
            motion: that it shows.
            patience: frames for which what was painted last serves although it is seen to be, a little.
        """
        return [found for task in self.tasks(rgba, motion, patience) if (found := task.run()) is not None]

    def tasks(self, rgba: U8, motion: Motion, patience: int = 0) -> list[Task]:
        """As `residuals`, with the networks still to be run; the picture may be written to from now on."""
        crops = self.crops(motion.landmarks_px)
        tasks = []
        for number, (crop, share) in enumerate(zip(crops, self.shares(crops), strict=True)):
            if share > 0.0:
                feed = None if self._serves(number, crop, patience) else self._feed(number, crop, rgba)
                tasks.append(Task(self, number, crop, share, feed))
            else:
                self._kept[number] = None
        return tasks

    def painted(self, number: int, crop: Crop, feed: Feed | None) -> F32 | None:
        """Run the network on a crop; what it painted last if there is no feed, None if that is no picture."""
        if feed is not None:
            given = self.session.run(feed)
            residual: F32 = given["residual"][0] * given["mask"][0]
            # Odd weights of a stranger's pack may overflow.
            self._kept[number] = _Kept(crop, residual) if np.isfinite(residual).all() else None
        kept = self._kept[number]
        return None if kept is None else kept.residual

    def forget(self) -> None:
        """Paint anew next time, however little has moved."""
        self._kept = [None] * len(self._kept)

    def add(self, rgba: U8, residuals: Sequence[tuple[Crop, F32]]) -> None:
        """Add residuals to the moved portrait, in place."""
        for crop, residual in residuals:
            _add(rgba, crop, residual)

    def shares(self, crops: Sequence[Crop]) -> list[float]:
        """How much of each moved crop's residual is to be added, in [0, 1].

        A smooth function of the motion that is 0 while the crop is much as at rest, where the network need
        not run, and that falls again as a mouth opens very wide.
        """
        if self.network.region not in _ONSET:
            return [1.0] * len(crops)
        start, full = (reach * self.network.crop_px for reach in _ONSET[self.network.region])
        moved = (crop.departure_px(rest) for crop, rest in zip(crops, self._at_rest, strict=True))
        shares = [smoothstep((departure - start) / (full - start)) for departure in moved]
        return [share * self._kept_when_wide(crop) for share, crop in zip(shares, crops, strict=True)]

    def _kept_when_wide(self, crop: Crop) -> float:
        """Share that a wide mouth leaves to the painter; a tuned one has seen this person's."""
        network = self.network
        if network.region != "mouth" or network.content is not None:
            return 1.0
        inner = crop.outlines()[1]
        gap_px = float(np.linalg.norm(inner[_INNER_MIDDLES[0]] - inner[_INNER_MIDDLES[1]]))
        gap = gap_px / network.crop_px * network.reach
        return 1.0 - (1.0 - _LEFT_WHEN_WIDE) * smoothstep((gap - _WIDE[0]) / (_WIDE[1] - _WIDE[0]))

    def _serves(self, number: int, crop: Crop, patience: int) -> bool:
        """Whether what was painted last on a crop will do once more."""
        kept = self._kept[number]
        most_px = self._stale_px if kept is not None and kept.age < patience else self._reuse_px
        if kept is None or crop.departure_px(kept.crop) >= most_px:
            return False
        self._kept[number] = replace(kept, age=kept.age + 1)
        return True

    def _feed(self, number: int, crop: Crop, rgba: U8) -> Feed:
        side, (source, rest_contours) = self.network.crop_px, self.rest[number]
        feed = {"warped": _to_network(crop.sample(rgba, side)), "source": source}
        if self.takes_contours:
            feed["contours"] = np.concatenate([crop.contours(side), rest_contours])[None]
        return feed

    def crops(self, landmarks_px: F32) -> tuple[Crop, ...]:
        """Return the crops of a moved face (478, 3)."""
        network = self.network
        return crops_of(network.region, landmarks_px, self._size, network.crop_px, network.reach)

    def _check_signature(self) -> bool:
        takes, gives = set(self.session.input_shapes), set(self.session.output_names)
        expected = {"warped", "source"} | (set() if self.network.region == "frame" else {"contours"})
        if takes != expected or not {"residual", "mask"} <= gives:
            raise ManifestError(
                f"network {self.network.name!r} with inputs {sorted(takes)} and outputs {sorted(gives)}",
                f"inputs {sorted(expected)} and outputs mask, residual",
                "Export it with the recipe in engines/.",
            )
        return "contours" in takes


def load_painters(
    avatar: Avatar, folder: Path | None = None, runtime: Runtime | None = None
) -> tuple[list[Painter], list[str]]:
    """Load every network of the manifest, or the pack's own in its place.

    One that fails is left out and told, never silently.

    Args:
        avatar: the portrait.
        folder: with manifest.toml and weights; the installed engines package if None.
        runtime: opens the networks; the best engine for each if None.

    Returns:
        The painters, and one sentence for each network that had to be left out.

    Raises:
        EngineError: the engine that was asked for cannot run one of them.
    """
    runtime = runtime or Runtime()
    problems: list[str] = []
    painters: list[Painter] = []
    networks: Sequence[PaintingNetwork] = ()
    try:
        networks = read_manifest(folder)
    except ManifestError as problem:
        problems.append(str(problem))
    networks, refused = with_tuned(_wanted(networks, avatar), avatar.painters)
    problems += refused
    for network in networks:
        try:
            painters.append(Painter(network, avatar, runtime.open(network)))
        except ManifestError as problem:
            problems.append(f"painter {network.name!r} is off, geometry stands in: {problem}")
    for sentence in problems:
        log.warning(sentence)
    return painters, problems


def _wanted(networks: Sequence[PaintingNetwork], avatar: Avatar) -> list[PaintingNetwork]:
    """Leave out shipped networks that make the portrait worse, unless it has tuned ones: no failure."""
    tuned = {painter.region for painter in avatar.painters}
    unwanted = [n for n in networks if n.region in avatar.unpainted and n.region not in tuned]
    for network in unwanted:
        log.warning(
            "painter %r is off, the drawing alone is shown: it was nearer when the pack was made",
            network.name,
        )
    return [network for network in networks if network not in unwanted]


def _to_network(picture: U8) -> F32:
    """RGB, or of RGBA the colour alone, as (1, 3, S, S) in [0, 1]."""
    planes: F32 = cv2.dnn.blobFromImage(picture, 1 / 255)
    return planes[:, :3]


def _add(rgba: U8, crop: Crop, residual: F32) -> None:
    """Carry a (3, S, S) residual back into the picture and add it where the person is."""
    planes = residual * np.float32(255)
    box = _box_in_picture(np.abs(planes).max(0) > _LEAST_LEVEL, crop, rgba.shape)
    if box is None:
        return
    low, high = box
    region = rgba[low[1] : high[1], low[0] : high[0]]
    linear, offset = crop.crop_from_picture[:, :2], crop.crop_from_picture[:, 2]
    crop_from_region = np.column_stack([linear, linear @ low + offset]).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    levels = cv2.merge([*planes, np.zeros_like(planes[0])])  # the fourth channel leaves coverage alone
    placed = cv2.warpAffine(levels, crop_from_region, (region.shape[1], region.shape[0]), flags=flags)
    coverage = cv2.extractChannel(region, 3)
    if coverage.min() == 255:  # as a rule: mouths and eyes lie well inside the person
        cv2.add(region, placed, dst=region, dtype=cv2.CV_8U)
        return
    everywhere = cv2.merge([coverage] * 4)
    placed = cv2.multiply(placed, everywhere, scale=1 / 255, dtype=cv2.CV_32F)
    # Premultiplied colour may not exceed its coverage.
    region[...] = cv2.min(cv2.add(region, placed, dtype=cv2.CV_8U), everywhere)


def _box_in_picture(
    where: npt.NDArray[np.bool_], crop: Crop, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]] | None:
    """Low and high corner, in the picture, of what is marked in a crop; None when nothing of it is left."""
    columns, rows = np.flatnonzero(where.any(0)), np.flatnonzero(where.any(1))
    if not len(columns):
        return None
    left, right, top, bottom = columns[0] - 1, columns[-1] + 2, rows[0] - 1, rows[-1] + 2
    corners = np.array([[[left, top], [right, top], [left, bottom], [right, bottom]]], np.float32)
    corners = cv2.transform(corners, cv2.invertAffineTransform(crop.crop_from_picture))[0]
    low = np.clip(np.floor(corners.min(0)), 0, (shape[1], shape[0])).astype(np.intp)
    high = np.clip(np.ceil(corners.max(0)) + 1, 0, (shape[1], shape[0])).astype(np.intp)
    return (low, high) if (high - low).min() >= 1 else None
