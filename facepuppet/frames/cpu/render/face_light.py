"""How a portrait's face is lit, read off its skin."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.face.surface import vertex_normals
from facepuppet.face.topology import EYES, LIPS, N_MESH
from facepuppet.frames.cpu.render.dentition import Light
from facepuppet.portrait.avatar import Avatar

_SMOOTH_IOD = 0.05  # reach of a mean of the picture, in inter-ocular distances
_MOST_AIMED = 0.5  # of the even light: paint and make-up are no light


def face_light(avatar: Avatar) -> Light:
    """Fit the skin's luminance by even + aimed · normal, in the portrait frame's axes."""
    points = avatar.landmarks_px[:N_MESH]
    grey = cv2.cvtColor(avatar.portrait_rgb, cv2.COLOR_RGB2GRAY)
    grey = cv2.blur(grey, (2 * round(_SMOOTH_IOD * avatar.inter_ocular_px) + 1,) * 2).astype(np.float32)
    width, height = avatar.size_px
    column, row = (np.rint(points[:, i]).astype(int) for i in (0, 1))
    normals = vertex_normals(points)
    usable = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (normals[:, 2] < -0.25)
    features = np.concatenate([LIPS, *(np.concatenate([eye.ring, eye.brow]) for eye in EYES)])
    usable[features[features < N_MESH]] = False
    if usable.sum() < 30:
        return Light(1.0, np.zeros(3, np.float32))
    level = grey[row[usable], column[usable]]
    lit = np.column_stack([np.ones(len(level)), normals[usable]])
    # Hair, beards and shadows of the nose are no skin in plain light: weigh them down, thrice.
    weight = np.ones(len(level))
    for _ in range(4):
        found = np.linalg.lstsq(lit * weight[:, None], level * weight, rcond=None)[0]
        gap = np.abs(level - lit @ found)
        weight = 1 / np.maximum(gap / max(float(np.median(gap)), 1e-3), 1.0)
    # Depth of a face and its front light are hard to tell apart: what is aimed at it from the front is even.
    even = max(float(found[0] - found[3]), 1.0)
    aimed = np.array([found[1], found[2], 0.0]) / even
    aimed *= min(1.0, _MOST_AIMED / max(float(np.linalg.norm(aimed)), 1e-6))
    return Light(1.0, aimed.astype(np.float32))
