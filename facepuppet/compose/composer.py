"""Lay the puppet over its background, frame by frame."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.avatar.model import Avatar
from facepuppet.compose.background import Backdrop, canvas_background
from facepuppet.compose.framing import Framing, identity_placement, place
from facepuppet.compose.label import Corner, Label
from facepuppet.compose.shoulders import border_depth, continue_shoulders, puppet_weight
from facepuppet.types import F32, U8, Composed, Rendered


class Composer:
    """Turns the puppet in its portrait frame into a full outgoing picture.

    Everything that does not move is computed here, once; a frame costs one resize and one blend
    of the puppet's own rectangle.

    Args:
        avatar: the portrait.
        canvas_px: width and height of the outgoing picture, or None for the portrait's own
            geometry, pixel on pixel.
        framing: size and height of the face; ignored in the portrait's own geometry.
        mirror: flip left and right (not the label).
        backdrop: what stands behind the puppet.
        label: corner of the visible "synthetic" label, or Corner.OFF.

    Attributes:
        canvas_px: width and height of every picture this composes.
    """

    def __init__(
        self,
        avatar: Avatar,
        canvas_px: tuple[int, int] | None = (1280, 720),
        *,
        framing: Framing | None = None,
        mirror: bool = False,
        backdrop: Backdrop | None = None,
        label: Corner = Corner.BOTTOM_RIGHT,
    ) -> None:
        self.canvas_px = canvas_px or avatar.size_px
        if canvas_px is None:
            self._placement = identity_placement(avatar)
        else:
            self._placement = place(avatar, canvas_px, framing or Framing())
        canvas = canvas_background(avatar, self._placement, self.canvas_px, backdrop or Backdrop())
        self._fade: _BorderFade | None = None
        depth = border_depth(avatar, self._placement, self.canvas_px)
        if depth is not None:
            canvas = continue_shoulders(canvas, avatar, self._placement, depth)
            self._fade = _BorderFade(puppet_weight(depth))
        self._mirror = mirror
        self._background: U8 = np.ascontiguousarray(canvas[:, ::-1]) if mirror else canvas
        self._label = Label(self.canvas_px, label) if label is not Corner.OFF else None

    def compose(self, rendered: Rendered) -> Composed:
        """Return the outgoing picture (H, W, 3) for a puppet of the avatar's own size."""
        rgb = self._background.copy()
        shown = self._placement.show(rendered.rgba)
        self._lay(self._fade.apply(shown) if self._fade is not None else shown, rgb)
        if self._label is not None:
            self._label.stamp(rgb)
        return Composed(rgb, rendered.frame_id, rendered.captured_ns)

    def _lay(self, rgba: U8, rgb: U8) -> None:
        """Blend the premultiplied puppet over the canvas in place: rgb = puppet + (1 − alpha) · rgb."""
        width, height = self.canvas_px
        x, y, _, _ = self._placement.target_px
        rgba = rgba[max(-y, 0) : height - y, max(-x, 0) : width - x]
        left, top = max(x, 0), max(y, 0)
        if self._mirror:
            rgba = np.asarray(cv2.flip(rgba, 1), dtype=np.uint8)
            left = width - left - rgba.shape[1]
        area = rgb[top : top + rgba.shape[0], left : left + rgba.shape[1]]
        clear = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(rgba, 3)), cv2.COLOR_GRAY2RGB)
        behind = cv2.multiply(area, clear, scale=1 / 255)
        cv2.add(behind, cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), dst=behind)
        area[:] = behind


class _BorderFade:
    """Fades a premultiplied picture along its left and right borders, touching only those."""

    def __init__(self, weights: F32) -> None:
        faded = np.flatnonzero(weights < 1.0)
        middle = len(weights) // 2
        self._bands = [
            (slice(int(part[0]), int(part[-1]) + 1), np.rint(255 * weights[part]).astype(np.uint8))
            for part in (faded[faded < middle], faded[faded >= middle])
            if part.size
        ]

    def apply(self, rgba: U8) -> U8:
        """Return the faded picture (H, W, 4); the given one is not written to."""
        rgba = rgba.copy()
        for columns, weight in self._bands:
            area = rgba[:, columns]
            by = np.broadcast_to(weight[None, :, None], area.shape)
            area[:] = cv2.multiply(area, np.ascontiguousarray(by), scale=1 / 255)
        return rgba
