"""What the show needs to know about a portrait."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import OUTER_CORNERS
from facepuppet.portrait.safe_range import SafeRange
from facepuppet.portrait.views import View
from facepuppet.portrait.working_picture import Whole


@dataclass(frozen=True, slots=True)
class TunedPainter:
    """A painter's network tuned to one portrait, as a pack brings it: not checked yet.

    Attributes:
        region: "mouth", "eye" or "frame"; whatever a stranger's pack says.
        model: ONNX file; `facepuppet.frames.cpu.render.tuned` tells which are taken.
    """

    region: str
    model: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Avatar:
    """An analysed portrait, ready to be rendered.

    The working picture has at most 1024² pixels; all coordinates are its pixels (the portrait frame).

    Attributes:
        name: short human name (file stem).
        portrait_rgb: (H, W, 3) uint8 working picture.
        landmarks_px: (478, 3) float32, x right, y down, z away from the viewer, all in pixels.
        shoulders_px: (2, 2) float32, image-left first; outside the picture when cropped away.
        person_alpha: (H, W) uint8 coverage of the person (head, hair, torso), 255 is the person.
        foreground_rgb: (H, W, 3) uint8, the person's own colour, without the background shining through
            soft edges; equal to the portrait wherever person_alpha is 255.
        background_rgb: (H, W, 3) uint8, the picture with the person removed and the hole filled.
        source_sha256: hex digest of the portrait file this was made from.
        safe_range: how far it bears to be moved; None when nobody measured it.
        views: more pictures of the same person, at most 8; they change how the portrait is rendered.
        painters: networks tuned to it, which take the places of the shipped ones.
        whole: the picture that the working picture is cropped from; None where it is that picture.
        unpainted: regions whose shipped painter makes this portrait worse than the drawing beneath.
    """

    name: str
    portrait_rgb: U8
    landmarks_px: F32
    shoulders_px: F32
    person_alpha: U8
    foreground_rgb: U8
    background_rgb: U8
    source_sha256: str
    safe_range: SafeRange | None = None
    views: tuple[View, ...] = ()
    painters: tuple[TunedPainter, ...] = ()
    whole: Whole | None = None
    unpainted: tuple[str, ...] = ()

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the working picture."""
        height, width = self.portrait_rgb.shape[:2]
        return width, height

    @property
    def head_pivot_px(self) -> F32:
        """Point (3,) px about which the head turns: midway between the outer eye corners."""
        pivot: F32 = self.landmarks_px[OUTER_CORNERS].mean(0)
        return pivot

    @property
    def inter_ocular_px(self) -> float:
        """Distance of the outer eye corners, the unit of facial proportions."""
        return float(np.linalg.norm(np.subtract(*self.landmarks_px[OUTER_CORNERS, :2])))
