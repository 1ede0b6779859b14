"""Are two faces one person's, and how does their light differ?"""

from __future__ import annotations

import cv2
import numpy as np

from calibrate.views.layout import mean_layout
from facepuppet.core import F32, U8

# Correlation below which two faces are taken for different people. Of 897 pairs of frames of one person
# (19 people, extreme poses and grimaces included, light alike) 1 % lie below it, of 17,824 pairs of two
# people 71 %; below SURE_LIKENESS lie 5 % and 90 %.
LEAST_LIKENESS, SURE_LIKENESS = 0.57, 0.675
_FINE, _COARSE = 2.0, 12.0  # pixels of the layout between which features are compared
_USABLE = (20, 235)  # darker and lighter pixels say nothing of the light
GAIN_RANGE = (0.5, 2.0)


def likeness(a: U8, b: U8) -> float:
    """Correlation in [−1, 1] of two laid-out faces' features, of a size between pores and shading."""
    return float(_features(a) @ _features(b))


def light_gain(view: U8, portrait: U8) -> F32:
    """Factors (3,) that bring a laid-out view's colours to the portrait's: medians over the skin."""
    skin = mean_layout().compared
    from_view, wanted = view[skin].astype(np.float32), portrait[skin].astype(np.float32)
    usable = ((from_view > _USABLE[0]) & (from_view < _USABLE[1]) & (wanted > _USABLE[0])).all(1)
    if usable.sum() < 50:
        return np.ones(3, np.float32)
    ratio = np.median(wanted[usable] / from_view[usable], axis=0)
    return np.asarray(np.clip(ratio, *GAIN_RANGE), np.float32)


def _features(laid_out: U8) -> F32:
    grey = cv2.cvtColor(laid_out, cv2.COLOR_RGB2GRAY).astype(np.float32)
    band = cv2.GaussianBlur(grey, (0, 0), _FINE) - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    values = band[mean_layout().compared]
    values = values - values.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)
