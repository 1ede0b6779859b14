"""The person's coverage of each pixel, hair included.

Networks say roughly where the person is, a graph cut on colours decides where they waver, and a
guided filter takes the edge's detail from the picture itself.
"""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import FACE_OVAL
from facepuppet.portrait.guided_filter import guided_filter
from facepuppet.portrait.morphology import disc
from facepuppet.vision.still import BodyView, PersonSegmenter

_SURE, _SURELY_NOT = 0.9, 0.08
_WAVERING = 0.8
_BODY_WEIGHT = 0.25  # of the pose network's mask beside the segmentation network's
_DOUBTFUL = 0.45  # below this vote colours may add only what is near a better one
_CUT_REACH = 0.02  # over the longer side
_CUT_SIDE_PX = 400
_CUT_ROUNDS = 3
_BORDER = 0.025  # band along the picture's edges where the networks fade, over its longer side
_EDGE_REACH = 1 / 64  # guided filter radius over the longer side
_EDGE_EPSILON = (0.02 * 255) ** 2
_STRETCH = (0.12, 0.9)  # filtered coverage that becomes 0 and 1
_LARGEST_HOLE = 0.004  # holes of less than this share of the picture are filled


def cut_out_person(rgb: U8, landmarks_px: F32, body: BodyView | None) -> U8:
    """Return the (H, W) uint8 coverage of the person in an (H, W, 3) RGB picture.

    Args:
        rgb: the working picture.
        landmarks_px: (478, 3) float32 face mesh; its oval belongs to the person for sure.
        body: the pose network's view, when it has one.
    """
    face = _face_area(rgb.shape[:2], landmarks_px)
    likely = np.maximum(_likelihood(rgb, body), face)
    person = _whole_person(_decide(rgb, likely, face), face)
    return _soft_edge(rgb, person, likely, face)


def _face_area(shape: tuple[int, ...], landmarks_px: F32) -> F32:
    area = np.zeros(shape, np.uint8)
    cv2.fillPoly(area, [np.rint(landmarks_px[FACE_OVAL, :2]).astype(np.int32)], (1,))
    return area.astype(np.float32)


def _likelihood(rgb: U8, body: BodyView | None) -> F32:
    """Return the mean (H, W) vote of the networks, the picture seen both ways round."""
    with PersonSegmenter() as segmenter:
        straight = segmenter.coverage(rgb)
        mirrored = segmenter.coverage(np.ascontiguousarray(rgb[:, ::-1]))[:, ::-1]
    vote = 0.5 * (straight + mirrored)
    if body is not None:
        vote = (1 - _BODY_WEIGHT) * vote + _BODY_WEIGHT * body.coverage
    return _extend_to_borders(vote.astype(np.float32))


def _extend_to_borders(likely: F32) -> F32:
    """Undo the networks' fading at the picture's edges, as far as to let colours decide there."""
    band = max(2, round(_BORDER * max(likely.shape)))
    inner = likely[band:-band, band:-band]
    extended = cv2.copyMakeBorder(inner, band, band, band, band, cv2.BORDER_REPLICATE)
    return np.asarray(np.maximum(likely, np.minimum(extended, _WAVERING)), dtype=np.float32)


def _decide(rgb: U8, likely: F32, face: F32) -> U8:
    """Return the (H, W) 0/1 mask; where the networks waver, colours decide by graph cut."""
    height, width = likely.shape
    scale = min(1.0, _CUT_SIDE_PX / max(height, width))
    size = (round(width * scale), round(height * scale))
    small = cv2.resize(likely, size, interpolation=cv2.INTER_AREA)
    labels = np.where(small > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[small > _SURE] = cv2.GC_FGD
    labels[small < _SURELY_NOT] = cv2.GC_BGD
    labels[cv2.resize(face, size, interpolation=cv2.INTER_AREA) > 0.5] = cv2.GC_FGD
    if (labels == cv2.GC_BGD).any() and (labels == cv2.GC_FGD).any():
        colours = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        no_box = (0, 0, 1, 1)
        cv2.setRNGSeed(0)  # this thread's; the same picture shall give the same matte
        cv2.grabCut(colours, labels, no_box, models[0], models[1], _CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.float32)
    # Skin-coloured things far from where the networks see anybody are not the person.
    away = cv2.distanceTransform((small <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    person[(small < _DOUBTFUL) & (away > _CUT_REACH * max(size))] = 0
    person = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    enlarged = cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged > 0.5, dtype=np.uint8)


def _whole_person(person: U8, face: F32) -> U8:
    """Keep the component the face belongs to, without small holes."""
    _, parts = cv2.connectedComponents(person)
    face_parts = parts[(face > 0) & (person > 0)]
    if face_parts.size:
        person = (parts == np.bincount(face_parts).argmax()).astype(np.uint8)
    _, holes, stats, _ = cv2.connectedComponentsWithStats(1 - person, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < _LARGEST_HOLE * person.size
    return np.asarray(person | small[holes], dtype=np.uint8)


def _soft_edge(rgb: U8, person: U8, likely: F32, face: F32) -> U8:
    """Return the (H, W) uint8 coverage: solid inside, hair-fine at the edge, nothing beyond its reach."""
    radius = max(4, round(max(person.shape) * _EDGE_REACH))
    near = cv2.dilate(person, disc(radius))
    soft = np.where(near > 0, 0.5 * (person + np.clip(likely, 0, 1)), 0).astype(np.float32)
    soft[(person > 0) & (likely > _SURE)] = 1
    margin = 2 * radius
    padded = [cv2.copyMakeBorder(m, *(margin,) * 4, cv2.BORDER_REPLICATE) for m in (rgb, soft)]
    filtered = guided_filter(padded[0], padded[1], radius, _EDGE_EPSILON)
    filtered = filtered[margin:-margin, margin:-margin]
    low, high = _STRETCH
    coverage = np.clip((filtered - low) / (high - low), 0, 1)
    coverage[cv2.erode(person, disc(radius)) > 0] = 1
    coverage[cv2.erode(face, disc(radius // 2)) > 0] = 1
    whole = _whole_person((coverage > 0.5).astype(np.uint8), face) > 0
    coverage[whole & (coverage <= 0.5)] = 1  # pinholes
    coverage[~whole] = np.minimum(coverage[~whole], 0.5)  # specks
    return np.asarray(coverage * 255, dtype=np.uint8)
