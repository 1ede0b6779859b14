"""Flow and warp on the GPU: `render.body`, `render.mesh` and `render.warp`."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from facepuppet.core.types import F32, Motion
from facepuppet.face.topology import FACE_OVAL
from facepuppet.frames.cpu.render.body import INVERSION_STEPS, SMOOTH_CELLS, SMOOTH_TAPS
from facepuppet.frames.cpu.render.unfolding import unfolding
from facepuppet.frames.cpu.render.warp import Warp
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import Parameters

_LANES = 32  # threads that share the cells of one triangle
_TRIANGLE = np.dtype([("corner", "<f4", (3, 2)), ("slope", "<f4", (3, 3)), ("rank", "<u4")])


class WarpStage:
    """Moves the person of a portrait.

    Args:
        device: where.
        warp: the same on the CPU, whose preparation is used.
        size_px: width and height of the portrait.
        parameters: of the frame, on the GPU.

    Attributes:
        cpu: the same on the CPU.
        moved: (H, W, 4) uint8 premultiplied RGBA on the GPU, of the last frame.
        triangles: of the moved mesh, as the kernels' `Triangle`.
        n_triangles: how many.
        front: which triangle is seen in each cell of the face's grid.
        texture_from_face: (cells, 2) float32 map from that grid into the enlarged texture.
        texture_from_cell: (cells, 2) float32 the same from the body's grid, where no face is.
        texture: the portrait's enlarged texture.
    """

    def __init__(self, device: Device, warp: Warp, size_px: tuple[int, int], parameters: Array) -> None:
        self._device, self.cpu, self._size, self._parameters = device, warp, size_px, parameters
        self.moved = device.empty((size_px[1], size_px[0], 4), np.uint8)
        self.texture = device.upload(warp.texture)
        self.n_triangles = len(warp.mesh.triangles)
        self._prepare_body()
        self._prepare_mesh()

    def renew(self) -> None:
        """Take over the CPU's texture of now, which is as large as the one before; between frames."""
        self._device.fill(self.texture, self.cpu.texture)

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage needs to know of a frame."""
        head, torso = motion.head, motion.torso
        parameters["head_rotation"] = head.scale * head.rotation
        parameters["head_shift_px"] = head.shift_px
        cos, sin = torso.scale * np.cos(torso.roll_rad), torso.scale * np.sin(torso.roll_rad)
        parameters["torso_linear"] = ((cos, -sin), (sin, cos))
        parameters["torso_shift_px"] = torso.shift_px
        parameters["lid_unfolding"] = [unfolding(1.0 - opening) for opening in motion.eye_opening.tolist()]
        grid = self.cpu.mesh.grid(motion.landmarks_px)
        parameters["face_box_px"] = (*grid.origin_px, *grid.size_px) if grid else 0
        parameters["face_cells"] = grid.cells if grid else 0
        parameters["oval_weight"] = self.cpu.mesh.oval.of(motion.landmarks_px)

    def enqueue(self) -> None:
        """Fill `moved`."""
        self._enqueue_body()
        self._enqueue_mesh()
        texture_height, texture_width = self.cpu.texture.shape[:2]
        self._device.launch(
            "warp",
            self._size,
            self._parameters,
            self.texture,
            texture_width,
            texture_height,
            self.texture_from_cell,
            *self.cpu.body.grid,
            self.texture_from_face,
            *self._size,
            self.moved,
        )

    def _prepare_body(self) -> None:
        body, upload = self.cpu.body, self._device.upload
        self._stillness = upload(_f32(body.stillness))
        self._depth, self._head_weight = upload(_f32(body.depth_px)), upload(_f32(body.head_weight))
        self._oval, self._oval_weights = upload(_f32(body.oval_px)), upload(_f32(body.oval_weights))
        self._oval_index = upload(np.asarray(FACE_OVAL, np.int32))
        self._taps = upload(cv2.getGaussianKernel(SMOOTH_TAPS, SMOOTH_CELLS, cv2.CV_32F))
        width, height = body.grid
        self._displacement, self._smooth, self.texture_from_cell = (
            self._device.empty((height, width, 2), np.float32) for _ in range(3)
        )

    def _enqueue_body(self) -> None:
        body, launch = self.cpu.body, self._device.launch
        cell, texture = body.cell_px.tolist(), (float(self.cpu.scale), *self.cpu.offset_px.tolist())
        launch(
            "body_displace",
            body.grid,
            self._parameters,
            self._depth,
            self._head_weight,
            self._oval,
            self._oval_weights,
            self._oval_index,
            len(body.oval_px),
            *body.pivot_px.tolist(),
            *body.shoulders_mid_px.tolist(),
            *cell,
            *body.grid,
            self._displacement,
        )
        launch(
            "body_smooth",
            body.grid,
            self._displacement,
            self._taps,
            SMOOTH_TAPS,
            self._stillness,
            *body.grid,
            self._smooth,
        )
        launch(
            "body_invert",
            body.grid,
            self._smooth,
            INVERSION_STEPS,
            *cell,
            *texture,
            *body.grid,
            self.texture_from_cell,
        )

    def _prepare_mesh(self) -> None:
        mesh, upload = self.cpu.mesh, self._device.upload
        n = self.n_triangles
        hidden, lid = mesh.source[..., :2].copy(), np.full((n, 3), -1, np.int32)
        for which, one in enumerate(mesh.lids):
            hidden[one.triangle, one.corner] = one.hidden
            lid[one.triangle, one.corner] = which
        self._vertices, self._rest = upload(np.asarray(mesh.triangles, np.int32)), upload(_f32(mesh.source))
        self._hidden, self._lid = upload(_f32(hidden)), upload(lid)
        oval = np.full((n, 3), -1, np.int32)
        oval[mesh.oval.triangle, mesh.oval.corner] = mesh.oval.at
        self._oval_at = upload(oval)
        self.triangles = self._device.empty((n * _TRIANGLE.itemsize,), np.uint8)
        self.front = self._device.empty((mesh.max_grid, mesh.max_grid), np.uint64)
        self.texture_from_face = self._device.empty((mesh.max_grid, mesh.max_grid, 2), np.float32)

    def _enqueue_mesh(self) -> None:
        mesh, launch = self.cpu.mesh, self._device.launch
        n, cells = self.n_triangles, (mesh.max_grid, mesh.max_grid)
        launch(
            "mesh_setup",
            (n, 1),
            self._parameters,
            self._vertices,
            self._rest,
            self._hidden,
            self._lid,
            self._oval_at,
            n,
            mesh.n_skin,
            float(self.cpu.scale),
            *self.cpu.offset_px.tolist(),
            self.triangles,
        )
        launch("mesh_clear", cells, self.front, mesh.max_grid)
        launch("mesh_raster", (_LANES, n), self._parameters, self.triangles, n, _LANES, self.front)
        launch(
            "face_blend",
            cells,
            self._parameters,
            self.triangles,
            self.front,
            self.texture_from_cell,
            *self.cpu.body.grid,
            *self._size,
            self.texture_from_face,
        )


def _f32(array: npt.NDArray[Any]) -> F32:
    return np.ascontiguousarray(array, np.float32)
