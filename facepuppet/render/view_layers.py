"""What the views add to the picture: skin of the face from other poses, mouths, shut lids.

Mouth and lids are drawn from the view through the face mesh at the picture's resolution. The rest of
the face is larger, so each view is laid out once as the portrait's texture is, and costs one look-up
a frame through the flow that the portrait itself takes.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.avatar.model import Avatar
from facepuppet.avatar.views import View
from facepuppet.geometry import smoothstep
from facepuppet.render.mesh import draw_numbers, sample_affine
from facepuppet.render.patches import blend_into, region_around, to_u8
from facepuppet.render.view_choice import Choice, Shares, ViewChooser
from facepuppet.render.warp import Flow, Warp
from facepuppet.topology import (
    EYES,
    FACE_OVAL,
    LIPS,
    N_MESH,
    eye_interior_triangles,
    face_triangles,
    mouth_interior_triangles,
)
from facepuppet.types import F32, U8, Motion

# Softness in inter-ocular distances: how far mouth, lids and rim of the face reach into the skin around.
_MOUTH_SOFT, _LID_SOFT, _RIM_SOFT = 0.25, 0.1, 0.12
_GRAZING, _GRAZING_SOFT = 0.15, 0.25  # cosine to the viewer from which a view shows its skin, and all of it
_LEAST_MASK = 1e-3


class ViewLayers:
    """Draws what the portrait's views show better than the portrait does."""

    def __init__(self, avatar: Avatar, warp: Warp) -> None:
        self._chooser = ViewChooser(avatar)
        rest = avatar.landmarks_px[:N_MESH]
        unit = avatar.inter_ocular_px
        mouth = _near(rest, LIPS, _MOUTH_SOFT * unit)
        lids = [
            _near(rest, np.concatenate([eye.ring, eye.upper_fold, eye.lower_fold]), _LID_SOFT * unit)
            for eye in EYES
        ]
        rim = 1.0 - _near(rest, FACE_OVAL, _RIM_SOFT * unit)
        face = rim * (1.0 - mouth) * (1.0 - np.maximum(*lids))
        self._face = FaceLayer(avatar, warp, face)
        self._mouth = PartLayer(avatar.views, mouth, mouth_interior_triangles())
        self._lids = tuple(
            PartLayer(avatar.views, weight, interior)
            for weight, interior in zip(lids, eye_interior_triangles(), strict=True)
        )

    def choose(self, motion: Motion) -> Choice:
        """Return who serves which part of the moved face."""
        return self._chooser.choose(motion)

    def draw_face(self, rgba: U8, flow: Flow, choice: Choice) -> None:
        """Draw the skin away from mouth and eyes into the warped picture, in place."""
        self._face.draw(rgba, flow, choice.face)

    def draw_parts(self, rgba: U8, motion: Motion, choice: Choice) -> None:
        """Draw mouth and lids, in place; the eyeballs are still to be drawn between the lids."""
        self._mouth.draw(rgba, motion, choice.mouth, choice.interior)
        for layer, shares in zip(self._lids, choice.lids, strict=True):
            layer.draw(rgba, motion, shares, None)


class FaceLayer:
    """The views as textures in the portrait's own layout, premultiplied by where they are of use."""

    def __init__(self, avatar: Avatar, warp: Warp, weight: F32) -> None:
        rest = avatar.landmarks_px[:N_MESH]
        low = np.floor(rest[:, :2].min(0))
        self._texture_from_layout = warp.in_texture(low.astype(np.float32))
        triangles = face_triangles()
        layout = (rest[:, :2] - low) * warp.scale
        size = np.ceil(layout.max(0)).astype(int) + 1
        vertices = layout[triangles].astype(np.float32)
        numbers = draw_numbers(
            vertices, np.argsort(-rest[triangles, 2].mean(1)), (int(size[0]), int(size[1]))
        )
        self._textures = [
            _premultiplied(view, vertices, _source(view, weight, triangles), numbers) for view in avatar.views
        ]

    def draw(self, rgba: U8, flow: Flow, shares: Shares) -> None:
        """Blend the views' skin into the warped picture, in place."""
        if not shares or flow.face_region is None:
            return
        x, y, width, height = flow.face_region
        layout = flow.texture_from_moved[y : y + height, x : x + width] - self._texture_from_layout
        total = np.zeros((height, width, 4), np.uint8)
        for view, share in shares:
            skin = cv2.remap(self._textures[view], layout, None, cv2.INTER_LINEAR)
            total = cv2.scaleAdd(skin, share, total)
        coverage = np.ascontiguousarray(total[..., 3])
        region = rgba[y : y + height, x : x + width]
        below = cv2.multiply(
            np.ascontiguousarray(region[..., :3]), cv2.merge([255 - coverage] * 3), scale=1 / 255
        )
        region[..., :3] = cv2.add(below, np.ascontiguousarray(total[..., :3]))


class PartLayer:
    """One part of the face, sampled from the views through the mesh.

    Args:
        views: where from.
        weight: (468,) float32 of each landmark, in [0, 1].
        interior: (n, 3) triangles that fill the part's opening.
    """

    def __init__(self, views: tuple[View, ...], weight: F32, interior: npt.NDArray[np.int32]) -> None:
        triangles = np.concatenate([face_triangles(), interior])
        self._triangles = triangles[weight[triangles].max(1) > 0.0]
        self._inside = np.zeros(len(self._triangles), bool)
        self._inside[-len(interior) :] = True
        self._corners = np.unique(self._triangles)
        self._views = views
        self._sources = [_source(view, weight, self._triangles) for view in views]
        for source in self._sources:
            source[self._inside, :, 2] = 1.0

    def draw(self, rgba: U8, motion: Motion, shares: Shares, interior: tuple[float, ...] | None) -> None:
        """Blend the views' part into the picture, in place.

        Args:
            rgba: (H, W, 4) uint8, written to.
            motion: where the part goes.
            shares: of the views.
            interior: of each view, how much of what it shows in the opening is drawn; None is all.
        """
        size = (rgba.shape[1], rgba.shape[0])
        region = region_around(motion.landmarks_px[self._corners, :2], 1.0, size) if shares else None
        if region is None:
            return
        x, y, width, height = region
        vertices = (motion.landmarks_px[self._triangles, :2] - (x, y)).astype(np.float32)
        depth = motion.landmarks_px[self._triangles, 2].mean(1)
        depth[self._inside] += 1e6  # skin is drawn over what lies behind it
        numbers = draw_numbers(vertices, np.argsort(-depth, kind="stable"), (width, height))
        taken = sum(share for _, share in shares)
        for view, share in shares:
            source = self._sources[view]
            if interior is not None and interior[view] < 1.0:
                source = source.copy()
                source[self._inside, :, 2] = interior[view]
            sampled = sample_affine(vertices, source, numbers)
            colour = cv2.remap(
                self._views[view].rgb,
                sampled[..., :2],
                None,
                cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            )
            taken -= share
            over = share / max(1.0 - taken, 1e-6)  # what is drawn later will cover `taken` of it
            coverage = cv2.convertScaleAbs(np.ascontiguousarray(sampled[..., 2]), alpha=255.0 * over)
            blend_into(rgba[y : y + height, x : x + width], colour, coverage)


def _near(rest: F32, indices: npt.NDArray[np.int32], soft_px: float) -> F32:
    """1 at some landmarks, falling to 0 at soft_px from them: (468,)."""
    distance = np.linalg.norm(rest[:, None] - rest[None, indices], axis=-1).min(1)
    weight: F32 = np.clip(1.0 - distance / soft_px, 0.0, 1.0).astype(np.float32)
    return weight


def _source(view: View, weight: F32, triangles: npt.NDArray[np.int32]) -> F32:
    """Where each triangle's corners are in a view's picture, and how far it is of use: (T, 3, 3)."""
    place = view.landmarks_px[:N_MESH, :2] - view.origin_px
    use = weight * smoothstep((_facing(view.landmarks_px) - _GRAZING) / _GRAZING_SOFT)
    source: F32 = np.column_stack([place, use]).astype(np.float32)[triangles]
    return source


def _facing(landmarks_px: F32) -> F32:
    """Cosine between the skin at each landmark and the line of sight, negative when turned away: (468,)."""
    triangles = face_triangles()
    a, b, c = (landmarks_px[triangles[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    sums = np.zeros((N_MESH, 3), np.float32)
    np.add.at(sums, triangles.ravel(), np.repeat(normals, 3, axis=0))
    cosine: F32 = -sums[:, 2] / np.maximum(np.linalg.norm(sums, axis=1), 1e-6)
    return cosine


def _premultiplied(view: View, vertices: F32, source: F32, numbers: npt.NDArray[np.int32]) -> U8:
    sampled = sample_affine(vertices, source, numbers)
    picture = cv2.remap(
        view.rgb, sampled[..., :2], None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    use = np.where(sampled[..., 2] > _LEAST_MASK, sampled[..., 2], 0.0)[..., None]
    return np.ascontiguousarray(to_u8(np.concatenate([picture * use, 255.0 * use], axis=-1)))
