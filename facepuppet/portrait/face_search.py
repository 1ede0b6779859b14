"""Finding faces in a picture at any scale, from one that fills it to one in a full-length portrait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.canonical import mirrored_back
from facepuppet.portrait.face_view import FaceView
from facepuppet.vision.still import Box, FaceBoxes, FaceMesher

_SEARCH_SIDE_PX = 1024
_TILINGS = (2, 3)  # tiles along each side, tried in turn when the whole picture shows no face
_MESH_CROP_SCALES = (1.7, 2.0, 2.4)  # crop side over detected box side
_MESH_CROP_SIDES_PX = (192, 640)  # smaller crops are enlarged, larger ones reduced


def find_faces(rgb: U8, *, closely: bool = True) -> list[FaceView]:
    """Find every face in an (H, W, 3) RGB picture, widest first, in its pixels.

    Args:
        rgb: the picture.
        closely: where the whole picture shows no face, look at its parts, which takes seconds.
    """
    with FaceMesher() as mesher:
        for boxes in _searches(rgb) if closely else islice(_searches(rgb), 1):
            if meshes := [mesh for box in boxes for mesh in _readings(mesher, rgb, box)]:
                return _merged([FaceView.of(mesh) for mesh in meshes])
    return []


def mirrored_reading(rgb: U8, face: FaceView) -> F32 | None:
    """Read a face anew by way of the mirrored picture; (478, 3) in its own pixels, None when not seen."""
    points = face.landmarks_px[:, :2]
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    box = Box(rgb.shape[1] - float(low[0] + size[0]), float(low[1]), float(size[0]), float(size[1]))
    with FaceMesher() as mesher:
        readings = _readings(mesher, np.ascontiguousarray(rgb[:, ::-1]), box)
    if not readings:
        return None
    return mirrored_back(np.asarray(np.median(readings, axis=0), dtype=np.float32), rgb.shape[1])


def _readings(mesher: FaceMesher, rgb: U8, box: Box) -> list[F32]:
    """Read the face inside box through crops of several sizes; such readings differ by about a pixel."""
    meshes = [_read_mesh(mesher, rgb, box, scale) for scale in _MESH_CROP_SCALES]
    return [mesh for mesh in meshes if mesh is not None]


def _read_mesh(mesher: FaceMesher, rgb: U8, box: Box, crop_scale: float) -> F32 | None:
    """Read the (478, 3) mesh of the face inside box, through a crop at the network's liking."""
    side = max(2, round(max(box.width_px, box.height_px) * crop_scale))
    centre_x, centre_y = box.centre_px
    x0, y0 = round(centre_x - side / 2), round(centre_y - side / 2)
    crop_side = int(np.clip(side, *_MESH_CROP_SIDES_PX))
    scale = side / crop_side
    interpolation = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    crop = cv2.resize(_padded_crop(rgb, x0, y0, side), (crop_side, crop_side), interpolation=interpolation)
    mesh = mesher.landmarks_px(crop.astype(np.uint8))
    if mesh is None:
        return None
    return np.asarray(mesh * np.float32(scale) + np.array([x0, y0, 0], np.float32), dtype=np.float32)


def _searches(rgb: U8) -> Iterator[list[Box]]:
    """Yield boxes by ever closer looks: as it is and with a wide margin, then in overlapping tiles."""
    detector, small, scale = FaceBoxes(), _reduced(rgb), _scale(rgb)
    margin = max(small.shape[:2]) // 2
    wide = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    inside_wide = [
        _moved(box, -margin / scale, -margin / scale)
        for box in _detect(detector, wide.astype(np.uint8), scale)
    ]
    yield _detect(detector, small, scale) + inside_wide
    for count in _TILINGS:
        yield [box for tile in _tiles(detector, rgb, count) for box in tile]


def _tiles(detector: FaceBoxes, rgb: U8, count: int) -> Iterator[list[Box]]:
    """Detect in tiles that overlap by half."""
    height, width = rgb.shape[:2]
    tile_height, tile_width = height // count, width // count
    if min(tile_height, tile_width) < _MESH_CROP_SIDES_PX[0]:
        return
    for y in range(0, height - tile_height + 1, max(1, tile_height // 2)):
        for x in range(0, width - tile_width + 1, max(1, tile_width // 2)):
            tile = np.ascontiguousarray(rgb[y : y + tile_height, x : x + tile_width])
            yield [_moved(box, x, y) for box in _detect(detector, _reduced(tile), _scale(tile))]


def _detect(detector: FaceBoxes, rgb: U8, scale: float) -> list[Box]:
    """Detect near and far faces; boxes are in pixels of the picture that was reduced by scale."""
    boxes = [box for far in (False, True) for box in detector.find(rgb, far=far)]
    return [
        Box(box.x_px / scale, box.y_px / scale, box.width_px / scale, box.height_px / scale) for box in boxes
    ]


def _moved(box: Box, right_px: float, down_px: float) -> Box:
    return replace(box, x_px=box.x_px + right_px, y_px=box.y_px + down_px)


def _scale(rgb: U8) -> float:
    return min(1.0, _SEARCH_SIDE_PX / float(max(rgb.shape[:2])))


def _reduced(rgb: U8) -> U8:
    scale = _scale(rgb)
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _padded_crop(rgb: U8, x0: int, y0: int, side: int) -> U8:
    height, width = rgb.shape[:2]
    inside = rgb[max(0, y0) : min(height, y0 + side), max(0, x0) : min(width, x0 + side)]
    top, left = max(0, -y0), max(0, -x0)
    bottom, right = side - top - inside.shape[0], side - left - inside.shape[1]
    padded = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT)
    return np.asarray(padded, dtype=np.uint8)


def _merged(readings: list[FaceView]) -> list[FaceView]:
    """Return one face, the median, for each group of readings of the same face, widest first."""
    groups: list[list[FaceView]] = []
    for reading in sorted(readings, key=lambda face: -face.width_px):
        for group in groups:
            if not reading.is_apart_from(group[0]):
                group.append(reading)
                break
        else:
            groups.append([reading])
    medians = [np.median([face.landmarks_px for face in group], axis=0) for group in groups]
    faces = [FaceView.of(median.astype(np.float32)) for median in medians]
    return sorted(faces, key=lambda face: -face.width_px)
