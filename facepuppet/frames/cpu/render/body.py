"""Motion of everything the face mesh does not cover: hair, ears, neck and torso.

One smooth forward displacement over the portrait, computed on a coarse grid:

- the head (hair, ears, jaw line) turns as one three-dimensional body whose depth grows from
  the face oval towards the back of the skull;
- the torso follows the shoulders as a similarity;
- the neck blends the two by height between chin and shoulders;
- the face oval's expression (a dropping jaw) fades out around the face.

The forward displacement is inverted by fixed-point iteration (Chen et al. 2008, "A simple
fixed-point approach to invert a deformation field"), which converges because the field is
smooth (its gradient stays well under 1 for the head turns that the retargeter permits).
"""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F32, HeadMotion, Motion
from facepuppet.face.topology import CHIN, FACE_OVAL, OUTER_CORNERS
from facepuppet.portrait.avatar import Avatar

_STILL = 0.15  # of the longer side: over so much motion ends towards a still part of the picture
_GRID = 96  # cells along the portrait's longer side
INVERSION_STEPS = 6
SMOOTH_CELLS = 1.0
SMOOTH_TAPS = 9


class BodyField:
    """The coarse backward flow outside the face mesh.

    Args:
        avatar: the portrait; its landmarks and shoulders define head, neck and torso.

    Attributes:
        grid: columns and rows of cells.
        cell_px: (2,) size of a cell in the portrait frame.
        portrait_from_cells: (2, 3) affine map.
        depth_px: (cells,) depth of the head at each cell.
        head_weight: (cells, 1) 1 on the head, 0 on the torso.
        oval_px: (36, 3) the resting face oval.
        oval_weights: (cells, 36) how each cell follows the oval's expression.
        pivot_px: (3,) what the head turns about.
        shoulders_mid_px: (2,) what the torso turns about.
        stillness: (cells, 1) 1 where nothing moves.
    """

    def __init__(self, avatar: Avatar) -> None:
        width, height = avatar.size_px
        scale = min(1.0, _GRID / max(width, height))
        self.grid = (max(8, round(width * scale)), max(8, round(height * scale)))
        self.cell_px = np.array([width / self.grid[0], height / self.grid[1]], np.float32)
        gx, gy = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in self.grid))
        self.portrait_from_cells = np.column_stack([np.diag(self.cell_px), 0.5 * self.cell_px - 0.5])
        self._cells = np.stack([gx, gy], -1)
        self._points = ((self._cells + 0.5) * self.cell_px - 0.5).reshape(-1, 2)
        landmarks = avatar.landmarks_px
        self._iod = avatar.inter_ocular_px
        self.oval_px = landmarks[FACE_OVAL]
        self.pivot_px = avatar.head_pivot_px
        self.shoulders_mid_px = avatar.shoulders_px.mean(0)
        outside = self._distance_outside_face()
        to_oval = np.linalg.norm(self._points[:, None] - self.oval_px[None, :, :2], axis=-1) / self._iod
        beyond_nearest = to_oval - to_oval.min(1, keepdims=True)
        self.depth_px = self._head_depth(outside, beyond_nearest)
        self.head_weight = self._weigh_head(landmarks)[:, None]
        self.oval_weights = self._weigh_oval(outside, beyond_nearest)
        self.stillness = self._rest_at_inner_sides(avatar)
        self._basis: F32 = self._smooth_basis() * (1.0 - self.stillness)

    def portrait_from_moved(self, motion: Motion) -> F32:
        """Return the (h, w, 2) coarse map: for each cell of the moved picture, the source point in px."""
        return np.asarray(cv2.transform(self.cells_from_moved(motion), self.portrait_from_cells), np.float32)

    def cells_from_moved(self, motion: Motion) -> F32:
        """Return the same map with source points in cells, whose centres are whole numbers."""
        return self._invert(self._displacement(motion))

    def _displacement(self, motion: Motion) -> F32:
        """Smoothed forward displacement (h, w, 2), in cells: a weighted sum of the basis."""
        head, torso = motion.head, motion.torso
        linear = head.scale * head.rotation[:2]
        head_shift = self.pivot_px[:2] + head.shift_px - linear @ self.pivot_px
        cos, sin = torso.scale * np.cos(torso.roll_rad), torso.scale * np.sin(torso.roll_rad)
        turned = np.array([[cos, -sin], [sin, cos]], np.float32)
        torso_shift = self.shoulders_mid_px + torso.shift_px - turned @ self.shoulders_mid_px
        rigid_oval = apply_head(head, self.oval_px[:, :2], self.oval_px[:, 2], self.pivot_px)
        expression = motion.landmarks_px[FACE_OVAL, :2] - rigid_oval
        weights = np.vstack([linear.T, head_shift, turned.T, torso_shift, -np.eye(2), expression])
        displacement: F32 = self._basis @ (weights / self.cell_px).astype(np.float32)
        return displacement.reshape(self.grid[1], self.grid[0], 2)

    def _smooth_basis(self) -> F32:
        """What the displacement is a sum of, at each cell: (cells, 44).

        It is linear in the motion's few numbers, and so is smoothing: both are done once, here. Columns:
        position, depth and 1 on the head; position and 1 on the torso; position, which is taken off; and the
        oval's weights on the head.
        """
        w, one = self.head_weight, np.ones_like(self.head_weight)
        on_head = w * np.column_stack([self._points, self.depth_px, one])
        on_torso = (1.0 - w) * np.column_stack([self._points, one])
        columns = np.column_stack([on_head, on_torso, self._points, w * self.oval_weights]).astype(np.float32)
        # The depth of the far cheek jumps to the hair's: unsmoothed, the field would fold there.
        taps, (width, height) = (SMOOTH_TAPS, SMOOTH_TAPS), self.grid
        smooth = [cv2.GaussianBlur(c.reshape(height, width), taps, SMOOTH_CELLS).ravel() for c in columns.T]
        return np.ascontiguousarray(np.stack(smooth, axis=1))

    def _rest_at_inner_sides(self, avatar: Avatar) -> F32:
        """1 at sides beyond which the picture goes on and stands still, 0 farther inside: (cells, 1)."""
        still = np.zeros(len(self._points), np.float32)
        if avatar.whole is not None:
            ends = np.array(avatar.size_px, np.float32) - 0.5
            distances = (*(self._points + 0.5).T, *(ends - self._points).T)
            reach = _STILL * max(avatar.size_px)
            for inner, distance in zip(avatar.whole.inner_sides, distances, strict=True):
                if inner:
                    np.maximum(still, smoothstep(1.0 - (distance - self.cell_px.max()) / reach), out=still)
        return still[:, None]

    def _invert(self, displacement: F32) -> F32:
        """Solve source + displacement(source) = moved for source, on the grid, in cells."""
        source = cv2.subtract(self._cells, displacement)  # the first step, taken from where nothing has moved
        for _ in range(INVERSION_STEPS - 1):
            step = cv2.remap(displacement, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            source = cv2.subtract(self._cells, step, dst=source)
        inverted: F32 = source
        return inverted

    def _distance_outside_face(self) -> F32:
        """Distance of each grid point to the face oval in inter-ocular units, 0 inside."""
        ring = np.ascontiguousarray(self.oval_px[:, :2])
        distance = [-cv2.pointPolygonTest(ring, (float(x), float(y)), True) for x, y in self._points]
        return np.asarray(np.maximum(np.array(distance, np.float32), 0.0) / self._iod, dtype=np.float32)

    def _head_depth(self, outside: F32, beyond_nearest: F32) -> F32:
        """Depth (px) of the head at each grid point: the oval's own, then back towards the skull's middle."""
        weights = np.exp(-(beyond_nearest**2) / (2 * 0.35**2))
        rim = (weights @ self.oval_px[:, 2]) / weights.sum(1)
        # Hair rises over a skull whose silhouette lies about 0.35 inter-ocular distances behind the oval.
        behind = 0.35 * self._iod * (1.0 - np.exp(-outside / 0.45))
        depth: F32 = (rim + behind).astype(np.float32)
        return depth

    def _weigh_head(self, landmarks: F32) -> F32:
        """1 on the head, 0 on the torso, a smooth step down the neck (and down long hair)."""
        chin = landmarks[CHIN, :2]
        eyes = landmarks[OUTER_CORNERS, :2].mean(0)
        down = (chin - eyes) / np.linalg.norm(chin - eyes)
        height = (self._points - chin) @ down / self._iod
        neck = float((self.shoulders_mid_px - chin) @ down / self._iod)
        neck = float(np.clip(neck, 0.45, 1.6))
        start, end = -0.25, max(0.9 * neck, 0.5)
        weight: F32 = 1.0 - smoothstep((height - start) / (end - start))
        return weight

    def _weigh_oval(self, outside: F32, beyond_nearest: F32) -> F32:
        """(points, oval) weights that interpolate the oval's expression and fade with distance."""
        near = np.exp(-(beyond_nearest**2) / (2 * 0.12**2))
        near /= near.sum(1, keepdims=True)
        fade = np.exp(-((outside / 0.35) ** 2))
        weights: F32 = (near * fade[:, None]).astype(np.float32)
        return weights


def apply_head(head: HeadMotion, points_px: F32, depth_px: F32, pivot_px: F32) -> F32:
    """Move (N, 2) points of the given (N,) depth with the head; returns (N, 2)."""
    offset = np.column_stack([points_px - pivot_px[:2], depth_px - pivot_px[2]])
    moved: F32 = head.scale * (offset @ head.rotation.T)[:, :2] + pivot_px[:2] + head.shift_px
    return moved
