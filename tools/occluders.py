"""Things that come before a face: drawn, and laid over pictures of people, for checks of what that does.

Everything is measured in inter-ocular distances of the face that is hidden, x right and y down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from facepuppet.core import F32, F64, U8

SPRITE_PX = 160  # of one inter-ocular distance
_SIDE = 4 * SPRITE_PX  # of a sprite; its middle is what lies on the aim
_FINE = 4  # fractional bits of coordinates that OpenCV draws

Draw = Callable[["Sheet", F64, np.random.Generator], None]


class Sheet:
    """An empty sprite that shapes are drawn on.

    Attributes:
        rgb: (S, S, 3) float32, 0 to 255.
        alpha: (S, S) float32, 0 to 1.
    """

    def __init__(self) -> None:
        self.rgb = np.zeros((_SIDE, _SIDE, 3), np.float32)
        self.alpha = np.zeros((_SIDE, _SIDE), np.float32)

    def lay(self, shape: F32, colour: F32) -> None:
        """Lay a colour, (3,) or (S, S, 3), over what is there, where the shape (S, S) is 1."""
        cover = shape[..., None]
        self.rgb += cover * (np.asarray(colour, np.float32) - self.rgb)
        self.alpha = np.maximum(self.alpha, shape)

    def limb(self, start: tuple[float, float], end: tuple[float, float], width: float, colour: F64) -> None:
        """Draw a rounded limb, lit from above, with a dark rim."""
        shape = _capsule(start, end, width)
        depth = cv2.distanceTransform((shape > 0.5).astype(np.uint8), cv2.DIST_L2, 3) / (
            SPRITE_PX * width / 2
        )
        round_ = np.sqrt(np.clip(depth * (2.0 - depth), 0.0, 1.0))
        self.lay(shape, (0.62 + 0.43 * round_)[..., None] * colour)

    def grain(self, amount: float, rng: np.random.Generator) -> None:
        """Add the mottling of a surface."""
        noise = cv2.GaussianBlur(rng.standard_normal((_SIDE, _SIDE)).astype(np.float32), (0, 0), 3.0)
        self.rgb *= 1.0 + amount * (noise / noise.std())[..., None]

    def rgba(self) -> U8:
        """Return it as (S, S, 4) uint8."""
        return np.dstack([np.clip(self.rgb, 0, 255), 255 * self.alpha]).round().astype(np.uint8)


def _capsule(start: tuple[float, float], end: tuple[float, float], width: float) -> F32:
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    a, b = (_fine(point) for point in (start, end))
    cv2.line(mask, a, b, 255, max(1, round(width * SPRITE_PX)), cv2.LINE_AA, _FINE)
    return mask.astype(np.float32) / 255.0


def _polygon(points: list[tuple[float, float]]) -> F32:
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(mask, [np.array([_fine(point) for point in points])], 255, cv2.LINE_AA, _FINE)
    return mask.astype(np.float32) / 255.0


def _disc(centre: tuple[float, float], radius: float) -> F32:
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.circle(mask, _fine(centre), round(radius * SPRITE_PX * 2**_FINE), 255, -1, cv2.LINE_AA, _FINE)
    return mask.astype(np.float32) / 255.0


def _fine(point: tuple[float, float]) -> tuple[int, int]:
    x, y = (round((_SIDE / 2 + SPRITE_PX * part) * 2**_FINE) for part in point)
    return x, y


def _hand(sheet: Sheet, skin: F64, rng: np.random.Generator) -> None:
    """Fingers together or spread, up to the forearm; as light as the face, or a little darker."""
    tone = skin * rng.uniform(0.8, 1.05)
    sheet.limb((0.25, 1.9), (0.05, 0.75), 0.75, tone * 0.97)
    sheet.limb((0.0, 0.55), (0.05, 0.35), 0.95, tone)
    spread = rng.uniform(0.0, 0.35)
    for finger, reach in enumerate((0.62, 0.78, 0.74, 0.55)):
        across = -0.36 + 0.24 * finger
        sheet.limb(
            (across, 0.25), (across * (1.0 + spread), 0.25 - reach), 0.225, tone * rng.uniform(0.94, 1.04)
        )
    sheet.limb((0.3, 0.55), (0.72, 0.1), 0.25, tone)
    sheet.grain(0.03, rng)


def _mug(sheet: Sheet, skin: F64, rng: np.random.Generator) -> None:
    hue = np.uint8([[[rng.integers(180), rng.integers(20, 200), rng.integers(60, 240)]]])
    colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float64)
    sheet.lay(
        np.maximum(_disc((0.62, 0.25), 0.36) - _disc((0.62, 0.25), 0.22), 0.0),
        (colour * 0.8).astype(np.float32),
    )
    across = (np.arange(_SIDE) - _SIDE / 2) / (0.6 * SPRITE_PX)
    light = 0.55 + 0.5 * np.exp(-(((across + 0.35) / 0.45) ** 2))
    body = _polygon([(-0.58, -0.42), (0.58, -0.42), (0.52, 0.95), (-0.52, 0.95)])
    sheet.lay(body, (light[None, :, None] * colour).astype(np.float32) * np.ones((_SIDE, 1, 1), np.float32))
    sheet.grain(0.01, rng)
    for finger in range(3):
        y = 0.05 + 0.24 * finger
        sheet.limb((0.75, y), (0.4, y), 0.22, skin * 0.95)


def _microphone(sheet: Sheet, skin: F64, rng: np.random.Generator) -> None:
    grey = rng.uniform(25, 90)
    sheet.limb((0.1, 0.3), (0.35, 1.9), 0.24, np.full(3, 40.0))
    head = _disc((0.0, 0.05), rng.uniform(0.3, 0.42))
    grid = 0.5 + 0.5 * np.sin(np.arange(_SIDE) * 2 * np.pi / (0.06 * SPRITE_PX))
    rows, columns = np.mgrid[:_SIDE, :_SIDE] / SPRITE_PX - _SIDE / 2 / SPRITE_PX
    light = 0.7 + 1.2 * np.exp(-((rows + 0.12) ** 2 + (columns + 0.1) ** 2) / 0.02)
    sheet.lay(head, (grey * (0.6 + 0.8 * np.outer(grid, grid)) * light)[..., None] * np.ones(3, np.float32))


def _hair(sheet: Sheet, skin: F64, rng: np.random.Generator) -> None:
    """A lock that falls from the forehead across an eye and past the mouth's corner."""
    tone = np.array([70.0, 50.0, 35.0]) * rng.uniform(0.4, 2.0)
    t = np.linspace(0.0, 1.0, 24)
    for _ in range(45):
        x0, x1, bend = rng.normal(0.0, 0.08, 3)
        x = 0.25 * np.sin(2.2 * t + bend) + x0 * (1 - t) + x1 * t - 0.1
        y = -1.9 + 3.2 * t
        colour = tone * rng.uniform(0.6, 1.5)
        for i in range(len(t) - 1):
            shape_a, shape_b = _fine((float(x[i]), float(y[i]))), _fine((float(x[i + 1]), float(y[i + 1])))
            cv2.line(sheet.rgb, shape_a, shape_b, colour.tolist(), 2, cv2.LINE_AA, _FINE)
            cv2.line(sheet.alpha, shape_a, shape_b, 1.0, 2, cv2.LINE_8, _FINE)
    sheet.alpha = cv2.GaussianBlur(sheet.alpha, (0, 0), 1.0)


def _paper(sheet: Sheet, skin: F64, rng: np.random.Generator) -> None:
    white = rng.uniform(190, 245)
    sheet.lay(_polygon([(-1.1, -0.35), (1.0, -0.45), (1.1, 1.3), (-1.0, 1.4)]), np.full(3, white, np.float32))
    for line in range(10):
        y = -0.2 + 0.15 * line
        sheet.lay(
            0.6 * _capsule((-0.85, y), (rng.uniform(0.2, 0.8), y - 0.06), 0.035), np.full(3, 70, np.float32)
        )


OCCLUDERS: Mapping[str, Draw] = MappingProxyType(
    {"hand": _hand, "mug": _mug, "microphone": _microphone, "hair": _hair, "paper": _paper}
)


def draw_occluder(name: str, skin_rgb: F64, seed: int) -> U8:
    """Draw one of OCCLUDERS.

    Args:
        name: which.
        skin_rgb: (3,) colour of the person's skin, for hands.
        seed: of its shape and colour.

    Returns:
        (S, S, 4) uint8 RGBA, SPRITE_PX to an inter-ocular distance; its middle lies on the aim.
    """
    sheet = Sheet()
    OCCLUDERS[name](sheet, np.asarray(skin_rgb, np.float64), np.random.default_rng(seed))
    return sheet.rgba()


@dataclass(frozen=True, slots=True)
class Visit:
    """How something comes before a face, stays and goes.

    Attributes:
        begin_s: when it starts to move in.
        move_s: how long it takes to come, and to go.
        stay_s: how long it is there.
        from_: where it comes from, from where it stays, in inter-ocular distances.
        tilt_rad: how it is turned, clockwise.
    """

    begin_s: float
    move_s: float
    stay_s: float
    from_: tuple[float, float] = (0.3, 3.0)
    tilt_rad: float = 0.0

    @property
    def end_s(self) -> float:
        """When it is gone."""
        return self.begin_s + 2 * self.move_s + self.stay_s

    def offset(self, t_s: float) -> tuple[float, float] | None:
        """Return where it is from where it stays; None while it is not there."""
        if not self.begin_s < t_s < self.end_s:
            return None
        way = min((t_s - self.begin_s) / self.move_s, (self.end_s - t_s) / self.move_s, 1.0)
        left = 1.0 - way * way * (3.0 - 2.0 * way)
        sway = 0.03 * np.sin(2 * np.pi * 0.7 * t_s), 0.03 * np.cos(2 * np.pi * 0.9 * t_s)
        return self.from_[0] * left + sway[0], self.from_[1] * left + sway[1]


def overlay(
    rgb: U8, sprite: U8, at_px: tuple[float, float], unit_px: float, tilt_rad: float
) -> tuple[U8, F32]:
    """Lay a sprite over a picture.

    Args:
        rgb: (H, W, 3) uint8.
        sprite: of `draw_occluder`.
        at_px: where its middle comes to lie.
        unit_px: inter-ocular distance of the face.
        tilt_rad: turn, clockwise.

    Returns:
        The picture with it, and (H, W) float32 how much of each pixel it hides.
    """
    scale = unit_px / SPRITE_PX
    cos, sin = scale * np.cos(tilt_rad), scale * np.sin(tilt_rad)
    x, y = at_px
    middle = _SIDE / 2
    matrix = np.array([[cos, -sin, x - (cos - sin) * middle], [sin, cos, y - (sin + cos) * middle]])
    small = cv2.GaussianBlur(sprite, (0, 0), max(0.35 / scale, 0.3))  # as a lens would, before it is sampled
    height, width = rgb.shape[:2]
    laid = cv2.warpAffine(small, matrix, (width, height), flags=cv2.INTER_LINEAR)
    cover = laid[..., 3].astype(np.float32) / 255.0
    mixed = rgb + cover[..., None] * (laid[..., :3].astype(np.float32) - rgb)
    return np.clip(mixed, 0, 255).round().astype(np.uint8), cover
