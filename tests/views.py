"""Further pictures of the test portrait, rendered by our own hand with known motions and known paint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from avatars import hopper
from PIL import Image

from facepuppet.core.geometry import rotation_from_euler, vector_from_rotation
from facepuppet.core.types import N_BLENDSHAPES, U8, Motion
from facepuppet.face.arkit import ARKIT_INDEX
from facepuppet.face.canonical import canonical_landmarks
from facepuppet.face.deformation import compose_landmarks
from facepuppet.frames.cpu.render import Renderer
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.views import View, view_box
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.target import Target

NO_ENGINES = (
    Path(__file__).parent / "no_such_folder"
)  # geometry alone: what is tested here does not depend on painters
Paint = Callable[[U8, Motion], None]


def motion(*, yaw: float = 0.0, jaw: float = 0.0, eyes: float = 1.0, avatar: Avatar | None = None) -> Motion:
    """A motion of the test portrait: turned by yaw, jaw open by a share, lids open by a share."""
    weights = np.zeros(N_BLENDSHAPES, np.float32)
    weights[ARKIT_INDEX["jawOpen"]] = jaw
    offsets = compose_landmarks(canonical_landmarks(), weights) - canonical_landmarks()
    turn = vector_from_rotation(rotation_from_euler(yaw, 0.0, 0.0)).astype(np.float32)
    opening = np.full(2, eyes, np.float32)
    deltas = replace(Deltas.rest(), offsets=offsets, turn=turn, eye_opening=opening)
    return Target(avatar or hopper()).motion(deltas, 7, 42)


@cache
def _renderer(source_sha256: str) -> Renderer:
    assert source_sha256 == hopper().source_sha256
    return Renderer(hopper(), NO_ENGINES)


def picture_of(moved: Motion, paint: Paint | None = None) -> U8:
    """The moved test portrait over its background, (600, 512, 3)."""
    rgba = _renderer(hopper().source_sha256).render(moved).rgba
    clear = 1.0 - rgba[..., 3:].astype(np.float32) / 255
    rgb = np.rint(rgba[..., :3] + clear * hopper().background_rgb).astype(np.uint8)
    if paint is not None:
        paint(rgb, moved)
    return rgb


def view_of(moved: Motion, paint: Paint | None = None) -> View:
    """The same as a view."""
    x, y, width, height = view_box(moved.landmarks_px)
    return View(moved.landmarks_px, picture_of(moved, paint)[y : y + height, x : x + width].copy())


def saved(folder: Path, name: str, rgb: U8) -> Path:
    """Write a picture and return its path."""
    path = folder / name
    Image.fromarray(rgb).save(path)
    return path
