"""The whole portrait's backward flow, and the one resampling that applies it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, U8, Motion
from facepuppet.frames.cpu.render.body import BodyField
from facepuppet.frames.cpu.render.coarse_flow import enlarged
from facepuppet.frames.cpu.render.cutout import Surroundings, cut_out
from facepuppet.frames.cpu.render.extent import Extent, Window
from facepuppet.frames.cpu.render.mesh import FaceMesh, FacePatch
from facepuppet.frames.cpu.render.moving_texture import moving_texture, needed_margins
from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.beyond import person_beyond

# Bilinear sampling blurs by an amount that changes with the sub-pixel shift, which is seen as breathing
# sharpness. Sampling from a texture enlarged once, with a sharp kernel, avoids that at no cost per frame.
_TEXTURE_SCALE = 2
_MAX_TEXTURE_PX = 2048


@dataclass(frozen=True, slots=True)
class Flow:
    """The backward flow of one moved picture.

    Attributes:
        texture_from_moved: (H, W, 2) float32 map into the enlarged texture.
        face: the moved face mesh; None when it left the picture.
        windows: rows and columns of the picture outside of which nothing of the person is seen.
        body: (h, w, 2) float32, the same map without the face, on the body field's cells.
    """

    texture_from_moved: F32
    face: FacePatch | None
    windows: Sequence[Window]
    body: F32


class Warp:
    """Moves the person of a portrait: face by mesh, everything else by the body's smooth field.

    Attributes:
        scale: pixels of the enlarged texture to one of the portrait.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._avatar, self._size = avatar, avatar.size_px
        self.body = BodyField(avatar)
        fits = max(self._size) * _TEXTURE_SCALE <= _MAX_TEXTURE_PX
        self.scale = _TEXTURE_SCALE if fits else 1
        self._margins = margins = needed_margins(avatar)
        self._beyond = person_beyond(avatar, margins)
        self.offset_px = np.array([margins.left, margins.top], np.float32) * self.scale - np.float32(0.5)
        offset = self.in_texture(np.zeros(2, np.float32))
        linear, origin = np.hsplit(self.body.portrait_from_cells, [2])
        self._texture_from_cells = np.hstack([self.scale * linear, self.in_texture(origin.T).T])
        self.mesh = FaceMesh(avatar.landmarks_px, avatar.size_px, scale=self.scale, offset_px=offset)
        self._before = Surroundings()
        self._kept: dict[Surroundings, tuple[U8, Extent]] = {}  # made when they are first needed

    @property
    def texture(self) -> U8:
        """(h, w, 4) uint8 premultiplied RGBA of what moves, enlarged."""
        return self._prepared()[0]

    def stand_before(self, surroundings: Surroundings) -> bool:
        """Cut the person out for what they stand before from now on; tells whether that is new."""
        if surroundings == self._before:
            return False
        # Those of before stay: a scene that shows a stage comes and goes.
        self._kept = {one: kept for one, kept in self._kept.items() if one in (self._before, surroundings)}
        self._before = surroundings
        return True

    def render(self, motion: Motion) -> U8:
        """Return the moved person, (H, W, 4) uint8 premultiplied RGBA, writable."""
        return self.sample(self.flow(motion))

    def sample(self, flow: Flow) -> U8:
        """Return the moved person of a flow, (H, W, 4) uint8 premultiplied RGBA, writable."""
        moved, texture = np.zeros((self._size[1], self._size[0], 4), np.uint8), self.texture
        for window in flow.windows:
            cv2.remap(
                texture,
                flow.texture_from_moved[window],
                None,
                cv2.INTER_LINEAR,
                dst=moved[window],
                borderMode=cv2.BORDER_REPLICATE,
            )
        return moved

    def flow(self, motion: Motion) -> Flow:
        """Return where each pixel of the moved picture comes from."""
        cells = self.body.cells_from_moved(motion)
        # OpenCV, as NumPy's broadcasting over two channels takes five times as long.
        body = cv2.transform(cells, self._texture_from_cells)
        flow = enlarged(body, self._size)
        patch = self.mesh.patch(motion.landmarks_px, motion.eye_opening)
        windows = self._prepared()[1].windows(cells, patch, self._size)
        if patch is None:
            return Flow(flow, None, windows, body)
        (x, y), (width, height) = patch.origin_px, patch.size_px
        self._blend(patch, flow[y : y + height, x : x + width])
        return Flow(flow, patch, windows, body)

    def in_texture(self, portrait_px: F32) -> F32:
        """Carry (..., 2) points of the portrait frame into the enlarged texture."""
        mapped: F32 = (portrait_px + np.float32(0.5)) * np.float32(self.scale) + self.offset_px
        return mapped

    def _prepared(self) -> tuple[U8, Extent]:
        """Return the texture, and where it shows anything."""
        if self._before not in self._kept:
            cutout = cut_out(self._avatar, self._before)
            texture = moving_texture(
                cutout, self._avatar.background_rgb, self._beyond, self._margins, self.scale
            )
            self._kept[self._before] = texture, Extent(cutout.alpha, self.body.grid)
        return self._kept[self._before]

    def _blend(self, patch: FacePatch, flow: F32) -> None:
        """Lay the face over the body's flow in its box, in place; they meet at the face oval."""
        size = patch.weight.shape[1::-1]
        outside = flow if size == patch.size_px else cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR)
        blended = cv2.subtract(patch.source_from_patch, outside)
        cv2.multiply(blended, patch.weight, dst=blended)
        if outside is flow:
            cv2.add(blended, outside, dst=flow)
        else:
            cv2.add(blended, outside, dst=blended)
            cv2.resize(blended, patch.size_px, dst=flow, interpolation=cv2.INTER_LINEAR)
