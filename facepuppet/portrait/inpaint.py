"""The background without the person."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.portrait.morphology import disc
from facepuppet.portrait.texture import Mask, copy_texture

_MARGIN = 0.012  # the hole reaches beyond the person by this share of the longer side
_STRAY_REACH = 0.12  # how far from the person stray hairs are looked for, likewise
_CLEAR_OF_HAIR = 0.04  # from here on the background shows its own liveliness, likewise
_STRAY_FACTOR = 3.0  # a stray hair differs from its surroundings by so many standard deviations
_MIN_STRAY = 9.0  # and by so many levels of 255
_RIM = 0.015  # width of the rim that lends nothing to the hole, likewise
_FILM_ROUNDS = 8  # of smoothing at each size
_TEXTURE_SIGMA = 1 / 32  # what is finer than this, over the longer side, is texture


def fill_background(rgb: U8, person_alpha: U8) -> U8:
    """Return (H, W, 3) uint8 RGB: the picture with the person removed and the hole filled.

    Broad colours flow in from the surroundings; fine texture (canvas, brushwork, grain) is copied
    from around the hole, so that no smooth ghost of the person stays.
    """
    picture = rgb.astype(np.float32)
    known = _background(picture, person_alpha)
    if not known.any():
        return np.full_like(rgb, 128)
    lending = known & _off_border(known.shape)
    if not lending.any():
        lending = known
    broad = _blur_known(picture, lending, max(1.5, _TEXTURE_SIGMA * max(known.shape)))
    base = _membrane(broad, lending)
    texture = copy_texture(picture - broad, lending, base)
    filled = np.where(known[..., None], picture, base + texture)
    return np.asarray(np.clip(np.rint(filled), 0, 255), dtype=np.uint8)


def _background(picture: F32, person_alpha: U8) -> Mask:
    """Where nothing of the person shows: a margin away, and without hairs that stray further."""
    side = max(person_alpha.shape)
    away_px = cv2.distanceTransform((person_alpha <= 4).astype(np.uint8), cv2.DIST_L2, 5)
    known = np.asarray(away_px > max(2.0, _MARGIN * side))
    if not known.any():
        return known
    deviation = np.abs(picture - _blur_known(picture, known, 0.02 * side)).max(axis=-1)
    clear = known & (away_px > _CLEAR_OF_HAIR * side)
    usual = np.sqrt(_blur_known((deviation**2)[..., None], clear, 0.08 * side)[..., 0])
    near = away_px < _STRAY_REACH * side
    stray = known & near & (deviation > np.maximum(_MIN_STRAY, _STRAY_FACTOR * usual))
    spread = cv2.dilate(stray.astype(np.uint8), disc(max(2, round(0.004 * side))))
    return np.asarray(known & (spread == 0))


def _off_border(shape: tuple[int, ...]) -> Mask:
    """Leave out the picture's rim: scans and screenshots often have a frame there, which is no background."""
    rim = max(2, round(_RIM * max(shape)))
    inner = np.zeros(shape, bool)
    inner[rim:-rim, rim:-rim] = True
    return inner


def _blur_known(picture: F32, known: Mask, sigma: float) -> F32:
    """Blur (about Gaussian) that looks at known pixels only."""
    size = (2 * round(2.45 * sigma) + 1,) * 2
    weight = known.astype(np.float32)
    # Its running sums leave tiny negative rests where nothing is known.
    total = np.maximum(cv2.stackBlur(picture * weight[..., None], size), 0).reshape(picture.shape)
    seen = np.maximum(cv2.stackBlur(weight, size), 1e-3)
    return np.asarray(total / seen[..., None], dtype=np.float32)


def _membrane(picture: F32, known: Mask) -> F32:
    """Span a hole like a soap film (Laplace's equation), from the coarsest size to the finest."""
    height, width = known.shape
    if known.all() or min(height, width) <= 2:
        return np.where(known[..., None], picture, picture[known].mean(axis=0)).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    weight = known.astype(np.float32)
    share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA).astype(np.float32)
    total = cv2.resize(picture * weight[..., None], half, interpolation=cv2.INTER_AREA).astype(np.float32)
    coarse = _membrane(total / np.maximum(share, 1e-6)[..., None], np.asarray(share > 0))
    film = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    for _ in range(_FILM_ROUNDS):
        film = cv2.blur(np.where(known[..., None], picture, film), (3, 3)).astype(np.float32)
    return np.where(known[..., None], picture, film).astype(np.float32)
