"""Light and shade that an expression moves: folds beside the nose, raised cheeks, puffed and drawn-in ones.

A warp moves the portrait's pixels, and with them the light that fell on the face at rest. What the
expression changes in it, against the one that the portrait has at rest, is multiplied on: a ratio image of
few components (`face.flesh_model`), shaded by the light that the portrait itself shows, laid on the portrait
at rest and carried along by the same warp.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from facepuppet.core.geometry import head_from_image
from facepuppet.core.types import F32, U8, Floats, Motion
from facepuppet.face.arkit import ARKIT_NAMES
from facepuppet.face.blendshapes import BlendshapeFitter, QuickWeights, landmark_basis
from facepuppet.face.flesh_model import N_LINES, FleshModel, flesh_model
from facepuppet.face.head_pose import fit_head
from facepuppet.face.topology import N_MESH, RIGID, face_triangles
from facepuppet.face.unwrapping import unwrapped_points
from facepuppet.frames.cpu.render.complexion import Complexion, complexion_of, shading, unwrapped
from facepuppet.frames.cpu.render.mesh import FacePatch, PatchGrid
from facepuppet.frames.cpu.render.raster import affine_table, draw_numbers, sample_affine
from facepuppet.frames.cpu.render.warp import Flow, Warp
from facepuppet.portrait.avatar import Avatar

CELLS = 128  # longest side of the grid over the face at rest
LIMIT = 0.4  # of the logarithm of the ratio of the luma
NONE = 128  # the byte that stands for a ratio of 1; its steps are LIMIT / 127
GAIN_ONE = 160  # the byte that a gain of 1 is
# Against the luma's logarithm: skin that gets less light is redder (light that has been through it). Of 31
# clips, on the frames with the strongest expressions.
CHANNELS = (0.85, 1.03, 1.10)
# Root mean square of what an expression would shade the skin by, in steps: of as little as speech does, half
# is left out, for there clips of strangers say as often the opposite; of a laugh next to nothing.
_FAINT = 2.0
_STILL = 0.02  # inter-ocular distances that no landmark moves by in a face at rest
_NOBODYS = 0.1  # weight that a stranger's calm face may read as
_UNSEEN = 0.5  # the same, of what would change values by a tenth of a level
_FULL = 1.1  # which makes up for the rest


class Flesh:
    """Shades one portrait by its expression.

    Args:
        avatar: the portrait.
        warp: what moves it.
        model: how faces shade; the shipped one if None.

    Attributes:
        complexion: of the portrait.
        maps: (R, h, w) float32 components on a grid over the face at rest, in steps of the ratio's bytes.
        cells_from_texture: (2, 3) float32, from the enlarged texture to that grid.
        gains: (256, 4) uint8 RGBA gains for each byte, GAIN_ONE is 1.
    """

    def __init__(self, avatar: Avatar, warp: Warp, model: FleshModel | None = None) -> None:
        model = model or flesh_model()
        self._mixing, self._weights = model.mixing, QuickWeights()
        pose = fit_head(avatar.landmarks_px)
        self._head_from_portrait = (pose.rotation.T / pose.scale).astype(np.float32)
        self._pivot = avatar.head_pivot_px
        self._rest = avatar.landmarks_px - self._pivot
        self._own = _own_weights(head_from_image(avatar.landmarks_px, pose))
        self._own_offsets = np.tensordot(self._own, landmark_basis(), 1).astype(np.float32)
        self._own_read = self._weights.of(self._own_offsets)
        flat = unwrapped(avatar.portrait_rgb, avatar.landmarks_px, len(model.skin))
        self.complexion = complexion_of(flat, model.normals, model.skin, model.lined)
        grid = PatchGrid.around(avatar.landmarks_px, avatar.size_px, CELLS)
        shaded = _shaded(model, self.complexion)
        self.maps = np.zeros((len(shaded), 2, 2), np.float32) if grid is None else _laid(shaded, grid, avatar)
        self.cells_from_texture = _cells_from_texture(grid, warp)
        self.gains = _gains()
        self._rows = self.maps.reshape(len(self.maps), -1)
        shaded_cells = max(float((np.abs(self.maps).max(0) > 1.0).sum()), 1.0)
        self._seen = self._rows @ self._rows.T / np.float32(shaded_cells)

    def draw(self, rgba: U8, flow: Flow, motion: Motion) -> None:
        """Shade the warped picture (H, W, 4), in place; nothing at rest."""
        face = flow.face
        if face is None or self.complexion.strength == 0.0:
            return
        drive = self.drive(motion)
        if not drive.any():
            return
        ratio = (drive @ self._rows).reshape(self.maps.shape[1:])
        ratio += NONE
        steps = cv2.remap(
            cv2.convertScaleAbs(np.maximum(ratio, 1.0)),
            self._places(face),
            None,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(NONE,),
        )
        steps = cv2.resize(steps, face.size_px, interpolation=cv2.INTER_LINEAR)
        gain = np.take(self.gains.view(np.uint32)[:, 0], steps).view(np.uint8).reshape(*steps.shape, 4)
        (x, y), (width, height) = face.origin_px, face.size_px
        region = rgba[y : y + height, x : x + width]
        cv2.multiply(region, gain, dst=region, scale=1 / GAIN_ONE)

    def _places(self, face: FacePatch) -> F32:
        """Where every other of the patch's cells comes from, on the grid of the maps."""
        rows, columns = face.numbers.shape
        half = (max(columns // 2, 1), max(rows // 2, 1))
        thinned = cv2.resize(face.source_from_patch, half, interpolation=cv2.INTER_NEAREST)
        places: F32 = cv2.transform(thinned, self.cells_from_texture)
        return places

    def drive(self, motion: Motion) -> F32:
        """Return (R,) how far each component is driven; exactly 0 where nothing would be seen."""
        change = self._read(motion) if motion.weights is None else self._told(motion.weights)
        drive: F32 = change @ self._mixing
        seen = math.sqrt(max(float(drive @ self._seen @ drive), 0.0))
        return drive * np.float32(_FULL * seen / (seen + _FAINT) if seen > _UNSEEN else 0.0)

    def _read(self, motion: Motion) -> F32:
        """(52,) change of ARKit's weights, from the moved landmarks."""
        head = motion.head
        moved = motion.landmarks_px - self._pivot
        moved[:, :2] -= head.shift_px
        offsets = (moved @ (head.rotation / np.float32(head.scale)) - self._rest) @ self._head_from_portrait.T
        offsets -= offsets[RIGID].mean(0)  # how near a head is, landmarks do not tell
        if max(float(offsets[:N_MESH].max()), -float(offsets[:N_MESH].min())) < _STILL:
            return np.zeros_like(self._own)
        offsets += self._own_offsets
        return self._weights.of(np.ascontiguousarray(offsets, np.float32)) - self._own_read

    def _told(self, weights: F32) -> F32:
        """(52,) the same, of weights that a driver told."""
        return np.minimum(self._own + weights, 1.0) - self._own


def _own_weights(landmarks_head: Floats) -> F32:
    """(52,) the expression a portrait has at rest: a smile that goes takes its folds along."""
    weights = BlendshapeFitter().fit(np.asarray(landmarks_head, np.float32)) - _NOBODYS
    weights[[name.startswith("eye") for name in ARKIT_NAMES]] = 0.0
    return np.maximum(weights, 0.0)


def _shaded(model: FleshModel, complexion: Complexion) -> F32:
    """(R, S, S) the components in this light, on this skin, in steps of the ratio's bytes."""
    direction = complexion.light[1:].astype(np.float32)
    turned = (model.turns @ direction) / shading(complexion.light, model.normals)
    components = complexion.strength * (model.creases + turned)
    components[-N_LINES:] *= complexion.lines
    return np.asarray(components * (model.skin * complexion.skin * (127 / LIMIT)), np.float32)


def _laid(components: F32, grid: PatchGrid, avatar: Avatar) -> F32:
    """Lay unwrapped pictures (R, S, S) over the face at rest: (R, rows, columns) of the grid."""
    triangles = face_triangles()
    per_px = np.divide(grid.cells, grid.size_px).astype(np.float32)
    corners = (avatar.landmarks_px[:N_MESH, :2] - grid.origin_px + 0.5) * per_px - 0.5
    order = np.argsort(-avatar.landmarks_px[triangles, 2].sum(1), kind="stable")
    numbers = draw_numbers(corners[triangles].astype(np.float32), order, grid.cells)
    table = affine_table(
        corners[triangles].astype(np.float32), unwrapped_points(components.shape[-1])[triangles]
    )
    places = sample_affine(table, numbers)
    laid = [cv2.remap(one, places, None, cv2.INTER_LINEAR) * (numbers > 0) for one in components]
    return np.asarray(laid, np.float32)


def _cells_from_texture(grid: PatchGrid | None, warp: Warp) -> F32:
    if grid is None:
        return np.array([[0, 0, -9], [0, 0, -9]], np.float32)
    per_px = np.divide(grid.cells, grid.size_px)
    start = warp.in_texture(np.subtract(grid.origin_px, 0.5).astype(np.float32))
    linear = per_px / warp.scale
    return np.column_stack([np.diag(linear), -start * linear - 0.5]).astype(np.float32)


def _gains() -> U8:
    """(256, 4) RGBA; coverage keeps its own."""
    ratio = (np.arange(256)[:, None] - NONE) * (LIMIT / 127) * np.array([*CHANNELS, 0.0])
    gains: U8 = np.clip(np.rint(GAIN_ONE * np.exp(ratio)), 0, 255).astype(np.uint8)
    return gains
