"""Mouth and lids, sampled from the views through the face mesh at the picture's resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import I32, face_triangles
from facepuppet.frames.cpu.render.mesh import FacePatch, all_triangles
from facepuppet.frames.cpu.render.patches import lay_layer
from facepuppet.frames.cpu.render.raster import affine_table, sample_affine
from facepuppet.frames.cpu.render.view_choice import Shares
from facepuppet.frames.cpu.render.view_visibility import place_and_visibility
from facepuppet.portrait.views import View

_ENLARGED = 2
_STEP = 2  # parts are sampled in every other cell of the face's grid


class PartLayer:
    """One part of the face, sampled from the views through the mesh.

    Args:
        views: where from.
        textures: their pictures, enlarged _ENLARGED times.
        weight: (468,) float32 of each landmark, in [0, 1].
        interior: (n, 3) triangles that fill the part's opening.

    Attributes:
        textures: the same.
        chosen: (C,) numbers of the triangles that belong to the part.
        sources: of each view, (C, 3, 3) x, y (px of its texture) and use of their corners.
        inside: (C,) which of them fill the opening.
    """

    def __init__(self, views: Sequence[View], textures: Sequence[U8], weight: F32, interior: I32) -> None:
        triangles = all_triangles()
        fills = (triangles[:, None] == interior[None]).all(-1).any(1)
        skin = np.arange(len(triangles)) < len(face_triangles())
        self._count = len(triangles)
        self.chosen = np.flatnonzero(fills | (skin & (weight[triangles].max(1) > 0.0)))
        self.textures = textures
        self.sources = [place_and_visibility(view, weight)[triangles[self.chosen]] for view in views]
        self.inside = fills[self.chosen]
        for source in self.sources:
            source[self.inside, :, 2] = 1.0
            source[..., :2] = (source[..., :2] + 0.5) * _ENLARGED - 0.5

    def draw(self, rgba: U8, face: FacePatch, shares: Shares, interior: Sequence[float] = ()) -> None:
        """Blend the views' part into the picture, in place.

        Args:
            rgba: (H, W, 4) uint8, written to.
            face: the moved mesh.
            shares: of the views.
            interior: of each view, how much of what it shows in the opening is drawn; all by default.
        """
        vertices = face.vertices[self.chosen]
        window = _cells_around(vertices, face.numbers.shape)
        if not shares or window is None:
            return
        sources = []
        for view, _ in shares:
            source = self.sources[view]
            if interior and interior[view] < 1.0:
                source = source.copy()
                source[self.inside, :, 2] = interior[view]
            sources.append(source)
        table = affine_table(vertices, np.concatenate(sources, axis=-1), self.chosen, self._count)
        (x0, y0), (x1, y1) = window
        start = (x0 + (_STEP - 1) / 2, y0 + (_STEP - 1) / 2)
        coarse = sample_affine(table, face.numbers[y0:y1:_STEP, x0:x1:_STEP], start, _STEP)
        region, sampled = _in_picture(coarse, face, window)
        for k, (view, share) in enumerate(in_turn(shares)):
            lay_layer(rgba[region], _cut_out(self.textures[view], sampled[k], share))


def in_turn(shares: Shares) -> Shares:
    """Shares to draw one over the other with, for what is drawn later covers what was drawn before."""
    taken, found = sum(share for _, share in shares), []
    for view, share in shares:
        taken -= share
        found.append((view, share / max(1.0 - taken, 1e-6)))
    return tuple(found)


def _cells_around(vertices: F32, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Cells (from, to) of a grid that some triangles cover; None when they are too few."""
    x, y, width, height = cv2.boundingRect(vertices.reshape(-1, 1, 2))
    low = np.maximum((x, y), 0)
    high = np.minimum((x + width, y + height), (shape[1], shape[0]))
    high -= (high - low) % _STEP  # a last step that sticks out would stretch all of them
    if (high - low).min() < 2 * _STEP:
        return None
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    return (x0, y0), (x1, y1)


def _in_picture(
    coarse: F32, face: FacePatch, window: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[tuple[slice, slice], list[F32]]:
    """Enlarge attributes (h, w, 3n) of coarse cells to pixels: where they are, and n of (H, W, 3)."""
    cells_per_px = np.array(face.numbers.shape[::-1]) / face.size_px
    low = np.ceil(np.array(window[0]) / cells_per_px).astype(int)
    high = np.minimum(np.floor(np.array(window[1]) / cells_per_px).astype(int), face.size_px)
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    planes = [np.ascontiguousarray(coarse[..., k : k + 3]) for k in range(0, coarse.shape[2], 3)]
    if (cells_per_px == 1.0).all():
        enlarged = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in planes]
    else:  # several times slower, for faces larger than their grid
        # Centres of pixels in cells, then in coarse cells, the first of whose centres is (_STEP - 1) / 2 in.
        start = (low + 0.5) * cells_per_px - 0.5 - np.array(window[0]) - (_STEP - 1) / 2
        matrix = np.column_stack([np.diag(cells_per_px / _STEP), start / _STEP])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        enlarged = [
            cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            for plane in planes
        ]
    x, y = (low + face.origin_px).tolist()
    return np.s_[y : y + size[1], x : x + size[0]], enlarged


def _cut_out(texture: U8, sampled: F32, share: float) -> U8:
    """Pixels (H, W, 4) of a view's texture, premultiplied by a share of where they are of use."""
    x, y, use = cv2.split(sampled)
    colour = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    coverage = cv2.convertScaleAbs(use, alpha=255.0 * share)
    opaque = cv2.cvtColor(colour, cv2.COLOR_RGB2RGBA)
    cut: U8 = cv2.multiply(opaque, cv2.merge([coverage] * 4), scale=1 / 255)
    return cut


def enlarged(rgb: U8) -> U8:
    """A picture from which bilinear look-ups are as sharp as sharp kernels', at a sixth of their time."""
    height, width = rgb.shape[:2]
    size = (width * _ENLARGED, height * _ENLARGED)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LANCZOS4), dtype=np.uint8)
