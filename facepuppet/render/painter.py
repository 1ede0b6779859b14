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
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from facepuppet.avatar.model import Avatar
from facepuppet.errors import ManifestError
from facepuppet.render.crops import Crop, crops_of
from facepuppet.render.inference import Engines, Session, open_session
from facepuppet.render.manifest import Network, read_manifest
from facepuppet.render.tuned import with_tuned
from facepuppet.types import F32, U8, Motion

log = logging.getLogger(__name__)


class Painter:
    """One network, ready to paint on one portrait.

    Args:
        network: its manifest entry.
        avatar: the portrait, whose crops at rest are prepared once.
        session: what runs it; opened on the best engine if None.

    Raises:
        ManifestError: the file does not match the manifest or is not such a network.
    """

    def __init__(self, network: Network, avatar: Avatar, session: Session | None = None) -> None:
        self.network = network
        self.session = session or open_session(network)
        self._size = avatar.size_px
        self._takes_contours = self._check_signature()
        side = network.crop_px
        self._rest = [
            (_to_network(crop.sample(avatar.portrait_rgb, side)), crop.contours(side))
            for crop in self._crops(avatar.landmarks_px)
        ]

    def paint(self, rgba: U8, motion: Motion) -> None:
        """Add the network's residual to the moved portrait, in place."""
        for crop, feed in self.feeds(rgba, motion):
            given = self.session.run(feed)
            residual = given["residual"][0] * given["mask"][0]
            if np.isfinite(residual).all():  # odd weights of a stranger's pack may overflow
                _add(rgba, crop, residual)

    def feeds(self, rgba: U8, motion: Motion) -> Iterator[tuple[Crop, dict[str, F32]]]:
        """Cut each crop, and what the network is to be told of it, from the moved portrait."""
        side = self.network.crop_px
        for crop, (source, rest_contours) in zip(self._crops(motion.landmarks_px), self._rest, strict=True):
            feed = {"warped": _to_network(crop.sample(rgba, side)[..., :3]), "source": source}
            if self._takes_contours:
                feed["contours"] = np.concatenate([crop.contours(side), rest_contours])[None]
            yield crop, feed

    def _crops(self, landmarks_px: F32) -> tuple[Crop, ...]:
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
    avatar: Avatar, folder: Path | None = None, engines: Engines | None = None
) -> tuple[list[Painter], list[str]]:
    """Load every network of the manifest, or the pack's own in its place.

    One that fails is left out and told, never silently.

    Args:
        avatar: the portrait.
        folder: with manifest.toml and weights; the installed engines package if None.
        engines: opens the networks; the best engine for each if None.

    Returns:
        The painters, and one sentence for each network that had to be left out.

    Raises:
        EngineError: the engine that was asked for cannot run one of them.
    """
    engines = engines or Engines()
    problems: list[str] = []
    painters: list[Painter] = []
    networks: Sequence[Network] = ()
    try:
        networks = read_manifest(folder)
    except ManifestError as problem:
        problems.append(str(problem))
    networks, refused = with_tuned(networks, avatar.painters)
    problems += refused
    for network in networks:
        try:
            painters.append(Painter(network, avatar, engines.open(network)))
        except ManifestError as problem:  # noqa: PERF203  (a handful of networks, once)
            problems.append(f"painter {network.name!r} is off, geometry stands in: {problem}")
    for sentence in problems:
        log.warning(sentence)
    return painters, problems


def _to_network(rgb: U8) -> F32:
    planes: F32 = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], dtype=np.float32) / 255.0
    return planes


def _add(rgba: U8, crop: Crop, residual: F32) -> None:
    """Carry a (3, S, S) residual back into the picture and add it where the person is."""
    side = residual.shape[-1]
    linear, offset = crop.crop_from_picture[:, :2], crop.crop_from_picture[:, 2]
    corners = (np.array([[0, 0], [side, 0], [0, side], [side, side]]) - offset) @ np.linalg.inv(linear).T
    height, width = rgba.shape[:2]
    low = np.clip(np.floor(corners.min(0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + 1, 0, (width, height)).astype(int)
    if (high - low).min() < 1:
        return
    region = rgba[low[1] : high[1], low[0] : high[0]]
    crop_from_region = np.column_stack([linear, linear @ low + offset]).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    placed = cv2.warpAffine(
        np.ascontiguousarray(residual.transpose(1, 2, 0)),
        crop_from_region,
        (region.shape[1], region.shape[0]),
        flags=flags,
    )
    # Premultiplied colour may not exceed its coverage.
    coverage = region[..., 3:].astype(np.float32)
    painted = region[..., :3] + placed * coverage
    region[..., :3] = np.rint(np.clip(painted, 0, coverage)).astype(np.uint8)
