"""The inside of a mouth in a portrait's own colours: layers of the mouth's model, lit as the face is.

Colours follow the whites of the eyes, or teeth that the portrait shows (teeth), and the lips (gums, tongue,
cavity), so that paintings and grey photographs keep their palette; how much lighter or darker than those was
read off true pictures of open mouths.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32
from facepuppet.face.mouth_model import WIDTH_CM, MouthLayer, MouthModel
from facepuppet.frames.cpu.render.patches import to_u8
from facepuppet.frames.cpu.render.relief import Relief

# Shares of the lips' colour in full light.
_THROAT = np.array([0.25, 0.17, 0.17], np.float32)
_CHEEK = np.array([0.50, 0.38, 0.37], np.float32)
_TONGUE = np.array([0.92, 0.88, 0.87], np.float32)
_GUM = np.array([0.92, 0.84, 0.83], np.float32)
_LOWER_ROW = 0.95  # how light lower teeth are beside upper ones
_DEEPER = np.array([0.9, 1.15, 1.15], np.float32)  # exponents of the shade: light between wet walls turns red
_PASSED_ON = {"upper": 0.75, "lower": 0.65, "tongue": 0.75}  # exponent of the light: wet walls pass it on
_LEAST_LIGHT = {"upper": 0.25, "lower": 0.25, "tongue": 0.4}
_BEND = 0.75  # of the model's rows: cheeks and lips as trackers see them bend less, and hide what bends away
_GAP_CM, _GAPS = 0.2, 0.45  # what darkens within so little, and which share of it is left
_CAVITY_CM = (-2.2, 4.2, 4.5)  # top, bottom and depth
_DETAIL = 1.3  # pixels of a layer for each of the portrait's


@dataclass(frozen=True, slots=True)
class Palette:
    """What a portrait's mouth is coloured by.

    Attributes:
        tooth_rgb, flesh_rgb: (3,) float32, in full light.
    """

    tooth_rgb: F32
    flesh_rgb: F32

    @staticmethod
    def of(white_rgb: F32, lip_rgb: F32) -> Palette:
        """Derive it from the whites of the eyes and the lips."""
        flesh = _flesh(lip_rgb)
        return Palette(_tooth_rgb(white_rgb, flesh), flesh)


@dataclass(frozen=True, slots=True)
class Light:
    """How a portrait is lit, up to a factor.

    Attributes:
        even: light from everywhere.
        aimed: (3,) float32; a surface of unit normal n gets even + aimed · n.
    """

    even: float
    aimed: F32

    def on(self, normals: F32) -> F32:
        """Light (...) on surfaces of unit normals (..., 3), against one that faces the viewer."""
        towards_viewer = max(self.even - float(self.aimed[2]), 1e-3)
        lit: F32 = np.clip((self.even + normals @ self.aimed) / towards_viewer, 0.55, 1.25).astype(np.float32)
        return lit


def paint_layers(model: MouthModel, palette: Palette, light: Light, px_per_cm: float) -> dict[str, Relief]:
    """Paint every layer, from the back to the front.

    Args:
        model: of the mouth.
        palette: of the portrait.
        light: in the model's axes.
        px_per_cm: of the portrait at rest.
    """
    detail = min(_DETAIL * px_per_cm, model.px_per_cm)
    redder = 1 + (_DEEPER - 1) * np.float32(min(saturation(palette.flesh_rgb) / 0.4, 1.0))
    painted = {"cavity": _cavity(palette.flesh_rgb, detail)}
    for name in ("tongue", "lower", "upper"):
        layer = model.layers[name]
        tooth = palette.tooth_rgb * np.float32(_LOWER_ROW if name == "lower" else 1.0)
        flesh = palette.flesh_rgb * (_TONGUE if name == "tongue" else _GUM)
        front = layer.teeth > 0.99 if layer.teeth.any() else layer.cover > 0.99
        full = float(np.percentile(layer.light[front], 95))
        # Light and cover are both premultiplied: their quotient is light alone.
        solid = np.maximum(layer.cover, 1e-3)
        depth = np.clip(layer.light / (solid * full), 0.0, 1.1) ** _PASSED_ON[name]
        # Teeth shine through, and a tongue is soft: neighbours share their light.
        soft = layer.teeth if layer.teeth.any() else layer.cover
        depth += (1 - _GAPS) * (_around(depth, soft, _GAP_CM * model.px_per_cm) - depth) * soft
        shade = np.maximum(depth, _LEAST_LIGHT[name]) * light.on(_normals(layer))
        shade = shade[..., None]
        colour = layer.teeth[..., None] * tooth * shade
        colour += (layer.cover - layer.teeth)[..., None] * flesh * shade**redder
        rgba = np.dstack([colour, 255 * layer.cover]).clip(0, 255)
        painted[name] = _relief(layer, _resized(rgba, detail / model.px_per_cm), detail)
    return painted


def _around(values: F32, weight: F32, reach_px: float) -> F32:
    """Weighted mean of the neighbourhood."""
    both, mass = (cv2.GaussianBlur(plane, (0, 0), reach_px) for plane in (values * weight, weight))
    return np.asarray(both / np.maximum(mass, 1e-3), np.float32)


def _relief(layer: MouthLayer, rgba: F32, px_per_cm: float) -> Relief:
    rgba[:, [0, -1]] = 0.0  # columns beyond go on for ever
    rgba[-1] = 0.0
    curve = _BEND * layer.curve_cm if layer.curve_cm.any() else None
    return Relief(to_u8(rgba), px_per_cm, layer.top_cm, layer.level_cm, layer.slope, curve)


def _normals(layer: MouthLayer) -> F32:
    solid = np.maximum(layer.cover, 1e-3)
    across, down = layer.across / solid, layer.down / solid
    towards = -np.sqrt(np.clip(1 - across**2 - down**2, 0, 1))
    normals: F32 = np.stack([across, down, towards], -1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-3)
    return normals


def _resized(rgba: F32, scale: float) -> F32:
    """Averaged, so that tiny teeth do not sparkle; the upper left corner stays exactly where it is."""
    height, width = rgba.shape[:2]
    size = (round(width * scale), round(height * scale))
    if scale >= 1.0:
        return rgba.astype(np.float32)
    # A picture of a whole number of pixels: what is cut off at the bottom is less than one.
    matrix = np.array([[1 / scale, 0, 0.5 / scale - 0.5], [0, 1 / scale, 0.5 / scale - 0.5]], np.float32)
    soft = cv2.GaussianBlur(rgba.astype(np.float32), (0, 0), 0.45 / scale)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(soft, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _cavity(flesh: F32, px_per_cm: float) -> Relief:
    """Throat and cheeks: a dark wall behind everything."""
    top, bottom, depth = _CAVITY_CM
    width, height = round(WIDTH_CM * px_per_cm), round((bottom - top) * px_per_cm)
    x = (np.arange(width, dtype=np.float32) + 0.5) / px_per_cm - WIDTH_CM / 2
    y = (np.arange(height, dtype=np.float32) + 0.5) / px_per_cm + top
    away = smoothstep(np.hypot(x[None], (y[:, None] - 1.1) * 0.8) / 2.4)[..., None]
    colour = flesh * (_THROAT * (1 - away) + _CHEEK * away)
    rgba = np.dstack([colour, np.full((height, width), 255.0, np.float32)])
    return Relief(to_u8(rgba), px_per_cm, top, depth, 0.0, None)


def _tooth_rgb(white_rgb: F32, flesh: F32) -> F32:
    """Ivory: lighter than the whites of the eyes, and warmer as far as the picture has colours at all."""
    white, colourful = float(white_rgb.mean()), saturation(flesh)
    light = min(max(1.34 * white, 1.5 * float(flesh.mean()), 70.0), 238.0)  # whites may lie in shade
    tint = white_rgb / max(white, 1.0) - 1
    # Small or tired eyes hardly have whites: teeth are never as red as lips.
    limit = 0.75 * colourful
    tint *= min(1.0, limit / max(float(np.ptp(tint)) - limit * float(tint.max()), 1e-3))
    warm = np.float32(min(colourful / 0.4, 1.0)) * np.array([0.05, -0.01, -0.09], np.float32)
    colour: F32 = np.float32(light) * (1 + np.float32(0.6) * tint) * (1 + warm)
    return colour


def saturation(rgb: F32) -> float:
    """How colourful (3,) a colour is, in [0, 1]."""
    return float(np.ptp(rgb)) / max(float(rgb.max()), 1.0)


def _flesh(lip_rgb: F32) -> F32:
    """The colour of wet skin inside, in full light: that of the lips, unless those are very dark or pale."""
    light = float(lip_rgb.mean())
    return lip_rgb * np.float32(np.clip(light, 60, 190) / max(light, 1.0))
