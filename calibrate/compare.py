"""How two packs differ, in words, numbers and a picture."""

from __future__ import annotations

import difflib
from typing import Any

import cv2
import numpy as np

from calibrate.facts import pack_facts, pack_lines
from facepuppet.core import U8
from facepuppet.portrait import Avatar, Pack

_LAYERS = ("portrait_rgb", "foreground_rgb", "background_rgb", "person_alpha")
_NOTICED = 8  # grey levels; smaller differences are not counted as changed pixels
_AMPLIFIED = 4
_HEIGHT_PX = 480


def differences(a: Pack, b: Pack) -> dict[str, Any]:
    """Return what differs, by dotted name: [in a, in b] for facts, numbers for layers and landmarks.

    Layers tell the share of pixels that changed and the mean change in grey levels; landmarks and
    shoulders the mean and the largest distance in pixels. They are compared when sizes are equal.
    """
    facts_a, facts_b = _flat(pack_facts(a)), _flat(pack_facts(b))
    found: dict[str, Any] = {
        name: [facts_a.get(name), facts_b.get(name)]
        for name in [*facts_a, *(name for name in facts_b if name not in facts_a)]
        if facts_a.get(name) != facts_b.get(name)
    }
    if a.avatar.size_px == b.avatar.size_px:
        found |= _pixels(a.avatar, b.avatar)
    return found


def difference_lines(a: Pack, b: Pack) -> list[str]:
    """Return the differences in words: "- " is how it is in a, "+ " in b; empty when there are none."""
    compared = difflib.unified_diff(pack_lines(a), pack_lines(b), n=0, lineterm="")
    lines = [f"{line[0]} {line[1:].strip()}" for line in compared if line[:2] not in ("--", "++", "@@")]
    found = differences(a, b)
    if not lines:  # too small for words
        lines = [f"{name}: {_told(v[0])} → {_told(v[1])}" for name, v in found.items() if isinstance(v, list)]
    return lines + [f"{name}: {_measured(v)}" for name, v in found.items() if isinstance(v, dict)]


def side_by_side(a: Pack, b: Pack) -> U8:
    """Return (480, W, 3) RGB: a, b and, when sizes are equal, their difference amplified four times."""
    panels = [a.avatar.portrait_rgb, b.avatar.portrait_rgb]
    if a.avatar.size_px == b.avatar.size_px:
        gap = np.abs(panels[0].astype(np.int16) - panels[1]) * _AMPLIFIED
        panels.append(np.minimum(gap, 255).astype(np.uint8))
    return np.hstack([_of_height(panel) for panel in panels])


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested facts by dotted name; lists of facts by number, pairs and points whole."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = {str(item.get("label", i)): item for i, item in enumerate(value, 1)}
    if not isinstance(value, dict):
        return {} if value == [] else {name: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{name}.{key}" if name else str(key))
    return flat


def _pixels(a: Avatar, b: Avatar) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for layer in _LAYERS:
        gap = np.abs(getattr(a, layer).astype(np.int16) - getattr(b, layer))
        if gap.any():
            worst = gap if gap.ndim == 2 else gap.max(-1)
            found[layer] = {"changed": float((worst > _NOTICED).mean()), "mean": float(gap.mean())}
    for points in ("landmarks_px", "shoulders_px"):
        offset = (getattr(a, points) - getattr(b, points))[:, :2]
        distance = np.linalg.norm(offset, axis=1)
        if distance.any():
            found[points] = {"mean_px": float(distance.mean()), "most_px": float(distance.max())}
    return found


def _measured(value: dict[str, float]) -> str:
    if "changed" in value:
        return f"{value['changed']:.1%} of the pixels, {value['mean']:.1f} levels on average"
    return f"{value['mean_px']:.2f} px on average, {value['most_px']:.2f} at most"


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (list, tuple)):
        return " ".join(_told(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _of_height(rgb: U8) -> U8:
    size = (max(1, round(rgb.shape[1] * _HEIGHT_PX / rgb.shape[0])), _HEIGHT_PX)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
