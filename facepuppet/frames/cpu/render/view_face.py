"""Skin of the face away from eyes and mouth, as the views show it from other sides."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import N_MESH, face_triangles
from facepuppet.frames.cpu.render.patches import lay_layer, to_u8
from facepuppet.frames.cpu.render.raster import affine_table, draw_numbers, sample_affine
from facepuppet.frames.cpu.render.view_choice import Shares
from facepuppet.frames.cpu.render.view_visibility import place_and_visibility
from facepuppet.frames.cpu.render.warp import Flow, Warp
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.views import View

_LEAST_USE = 1e-3


class FaceLayer:
    """The views as textures in the portrait's own layout, premultiplied by where they are of use.

    Attributes:
        textures: of each view, (h, w, 4) uint8, all of one size.
        texture_from_layout: (x, y) of their first pixel in the portrait's enlarged texture.
    """

    def __init__(self, avatar: Avatar, warp: Warp, weight: F32) -> None:
        rest = avatar.landmarks_px[:N_MESH]
        low = np.floor(rest[:, :2].min(0)).astype(np.float32)
        self.texture_from_layout: tuple[float, float] = tuple(warp.in_texture(low).tolist())
        triangles = face_triangles()
        layout = (rest[:, :2] - low) * warp.scale
        width, height = (np.ceil(layout.max(0)).astype(int) + 1).tolist()
        vertices = layout[triangles].astype(np.float32)
        numbers = draw_numbers(vertices, np.argsort(-rest[triangles, 2].mean(1)), (width, height))
        self.textures = [
            _premultiplied(
                view,
                sample_affine(affine_table(vertices, place_and_visibility(view, weight)[triangles]), numbers),
            )
            for view in avatar.views
        ]

    def draw(self, rgba: U8, flow: Flow, shares: Shares) -> None:
        """Blend the views' skin into the warped picture, in place."""
        if not shares or flow.face is None:
            return
        (x, y), (width, height) = flow.face.origin_px, flow.face.size_px
        window = np.s_[y : y + height, x : x + width]
        layout = cv2.subtract(flow.texture_from_moved[window], (*self.texture_from_layout, 0, 0))
        total = np.zeros((height, width, 4), np.uint8)
        for view, share in shares:
            skin = cv2.remap(self.textures[view], layout, None, cv2.INTER_LINEAR)
            total = cv2.scaleAdd(skin, share, total)
        lay_layer(rgba[window], total)


def _premultiplied(view: View, sampled: F32) -> U8:
    """A view's picture (h, w, 4) sampled by (h, w, 3) place and use, premultiplied by the use."""
    place = np.ascontiguousarray(sampled[..., :2])
    picture = cv2.remap(view.rgb, place, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    use = np.where(sampled[..., 2:] > _LEAST_USE, sampled[..., 2:], 0.0)
    return np.ascontiguousarray(to_u8(np.concatenate([picture * use, 255.0 * use], axis=-1)))
