"""The whole portrait's backward flow, and the one resampling that applies it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, U8, Motion
from facepuppet.frames.cpu.render.body import BodyField
from facepuppet.frames.cpu.render.mesh import FaceMesh, FacePatch
from facepuppet.portrait.avatar import Avatar

# Bilinear sampling blurs by an amount that changes with the sub-pixel shift, which is seen as breathing
# sharpness. Sampling from a texture enlarged once, with a sharp kernel, avoids that at no cost per frame.
_TEXTURE_SCALE = 2
_MAX_TEXTURE_PX = 2048
_SIDE_SHARE = 0.12  # of the picture's width, kept ready at either side
_CROWN_SHARE = 0.08  # height of the rounded crown over cut-off hair, as a share of its width


@dataclass(frozen=True, slots=True)
class Flow:
    """The backward flow of one moved picture.

    Attributes:
        texture_from_moved: (H, W, 2) float32 map into the enlarged texture.
        face: the moved face mesh; None when it left the picture.
    """

    texture_from_moved: F32
    face: FacePatch | None


class Warp:
    """Moves the person of a portrait: face by mesh, everything else by the body's smooth field.

    Attributes:
        scale: pixels of the enlarged texture to one of the portrait.
    """

    def __init__(self, avatar: Avatar) -> None:
        self._size = avatar.size_px
        self.mesh = FaceMesh(avatar.landmarks_px, avatar.size_px)
        self.body = BodyField(avatar)
        fits = max(self._size) * _TEXTURE_SCALE <= _MAX_TEXTURE_PX
        self.scale = _TEXTURE_SCALE if fits else 1
        width_px = self._size[0] * self.scale
        margin_px = (int(_SIDE_SHARE * width_px), int(_CROWN_SHARE * width_px) + 2)
        self.texture = premultiplied_texture(avatar, self.scale, margin_px)
        self.offset_px = np.array(margin_px, np.float32) - 0.5

    def render(self, motion: Motion) -> U8:
        """Return the moved person, (H, W, 4) uint8 premultiplied RGBA, writable."""
        return self.sample(self.flow(motion))

    def sample(self, flow: Flow) -> U8:
        """Return the moved person of a flow, (H, W, 4) uint8 premultiplied RGBA, writable."""
        moved: U8 = cv2.remap(
            self.texture, flow.texture_from_moved, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return moved

    def flow(self, motion: Motion) -> Flow:
        """Return where each pixel of the moved picture comes from."""
        body = self.in_texture(self.body.portrait_from_moved(motion))
        flow: F32 = cv2.resize(body, self._size, interpolation=cv2.INTER_LINEAR)
        patch = self.mesh.patch(motion.landmarks_px, motion.eye_opening)
        if patch is None:
            return Flow(flow, None)
        (x, y), (width, height) = patch.origin_px, patch.size_px
        face = self._blend(patch, body)
        flow[y : y + height, x : x + width] = cv2.resize(face, patch.size_px, interpolation=cv2.INTER_LINEAR)
        return Flow(flow, patch)

    def in_texture(self, portrait_px: F32) -> F32:
        """Carry (..., 2) points of the portrait frame into the enlarged texture."""
        mapped: F32 = (portrait_px + np.float32(0.5)) * np.float32(self.scale) + self.offset_px
        return mapped

    def _blend(self, patch: FacePatch, body: F32) -> F32:
        """Face inside, body outside, on the patch's grid; they meet at the face oval."""
        height, width = patch.portrait_from_patch.shape[:2]
        # Pixel centres of the patch in body cells: an axis-aligned affine map.
        cells = np.array([body.shape[1], body.shape[0]]) / self._size
        step = np.array(patch.size_px) / (width, height) * cells
        start = (np.array(patch.origin_px) * cells) + 0.5 * step - 0.5
        matrix = np.array([[step[0], 0, start[0]], [0, step[1], start[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        outside = cv2.warpAffine(body, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        # As `in_texture`, in one pass; NumPy's broadcasting over two channels takes five times as long.
        scale, (x, y) = self.scale, 0.5 * self.scale + self.offset_px
        texture_from_portrait = np.array([[scale, 0, 0, x], [0, scale, 0, y]], np.float32)
        blended: F32 = cv2.transform(patch.portrait_from_patch, texture_from_portrait)
        blended -= outside
        blended *= cv2.merge([cv2.extractChannel(patch.portrait_from_patch, 2)] * 2)
        blended += outside
        return blended


def premultiplied_texture(avatar: Avatar, scale: int, margin_px: tuple[int, int]) -> U8:
    """The person as a premultiplied RGBA texture.

    What the picture cuts off moves in from its edges: colours go on as their mirror image, the
    outline straight on at the sides (shoulders) and below, and rounded off at the top (hair).

    Args:
        avatar: the portrait.
        scale: enlargement, by a Lanczos kernel.
        margin_px: columns (of the texture) added at each side, and rows above; as many rows as columns
            are added below, where the picture has them to mirror.

    Returns:
        (top + H·scale + below, side + W·scale + side, 4) uint8.
    """
    rgb, alpha = avatar.foreground_rgb, avatar.person_alpha
    if scale > 1:
        width, height = avatar.size_px
        size = (width * scale, height * scale)
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_LANCZOS4)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR)
    side, top = margin_px
    below = min(side, rgb.shape[0] - 1)
    rgb = cv2.copyMakeBorder(rgb, top, below, side, side, cv2.BORDER_REFLECT_101)
    alpha = np.vstack([_round_off(alpha[0], top), alpha])
    alpha = cv2.copyMakeBorder(alpha, 0, below, side, side, cv2.BORDER_REPLICATE)
    # OpenCV multiplies levels in a tenth of NumPy's time, with the same result: no product of two is a tie.
    colour = cv2.multiply(rgb, cv2.merge([alpha] * 3), scale=1 / 255)
    texture: U8 = cv2.merge([*cv2.split(colour), alpha])
    return texture


def _round_off(top_row: U8, crown_px: int) -> U8:
    """Coverage (crown_px, W) above the picture: a flat half ellipse over each stretch of cut-off hair."""
    crown = np.zeros((crown_px, len(top_row)), np.uint8)
    solid = np.flatnonzero(np.diff(np.concatenate([[0], top_row > 127, [0]]).astype(np.int8)))
    for start, end in solid.reshape(-1, 2).tolist():
        height = min(int(_CROWN_SHARE * (end - start)), crown_px - 2)
        axes = ((end - start) // 2, max(height, 1))
        cv2.ellipse(crown, ((start + end) // 2, crown_px), axes, 0, 180, 360, 255, -1, cv2.LINE_AA)
    rounded: U8 = cv2.GaussianBlur(crown, (0, 0), 1.5, borderType=cv2.BORDER_REPLICATE)
    return rounded
