"""What the views of a portrait add to its picture: sides of the face, mouths, shut lids.

Mouth and lids are drawn from the views through the face mesh at the picture's resolution. The rest of
the face is larger, so each view is laid out once as the portrait's texture is, and costs one look-up
a frame through the flow that the portrait itself takes.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from facepuppet.core.types import F32, U8, Motion
from facepuppet.face.topology import (
    EYES,
    FACE_OVAL,
    I32,
    LIPS,
    N_MESH,
    eye_interior_triangles,
    mouth_interior_triangles,
)
from facepuppet.frames.cpu.render.view_choice import Choice, ViewChooser
from facepuppet.frames.cpu.render.view_face import FaceLayer
from facepuppet.frames.cpu.render.view_parts import PartLayer, enlarged
from facepuppet.frames.cpu.render.warp import Flow, Warp
from facepuppet.portrait.avatar import Avatar

# Softness in inter-ocular distances: how far mouth, lids and rim of the face reach into the skin around.
_MOUTH_SOFT, _LID_SOFT, _RIM_SOFT = 0.18, 0.1, 0.12


class ViewLayers:
    """Draws what the portrait's views show better than the portrait does.

    Attributes:
        face, mouth, lids: the layers, image-left lids first.
    """

    def __init__(self, avatar: Avatar, warp: Warp) -> None:
        self._chooser = ViewChooser(avatar)
        rest = avatar.landmarks_px[:N_MESH]
        unit = avatar.inter_ocular_px
        mouth = _near(rest, LIPS, _MOUTH_SOFT * unit)
        lids = [
            _near(rest, np.concatenate([eye.ring, eye.upper_fold, eye.lower_fold]), _LID_SOFT * unit)
            for eye in EYES
        ]
        rim = 1.0 - _near(rest, FACE_OVAL, _RIM_SOFT * unit)
        face = rim * (1.0 - mouth) * (1.0 - np.maximum(*lids))
        self.face = FaceLayer(avatar, warp, np.asarray(face, dtype=np.float32))
        textures = [enlarged(view.rgb) for view in avatar.views]
        self.mouth = PartLayer(avatar.views, textures, mouth, mouth_interior_triangles())
        self.lids = tuple(
            PartLayer(avatar.views, textures, weight, interior)
            for weight, interior in zip(lids, eye_interior_triangles(), strict=True)
        )

    def choose(self, motion: Motion, left_out: Collection[int] = ()) -> Choice:
        """Return who serves which part of the moved face; views left out serve none."""
        return self._chooser.choose(motion, left_out)

    def draw_face(self, rgba: U8, flow: Flow, choice: Choice) -> None:
        """Draw the skin away from mouth and eyes into the warped picture, in place."""
        self.face.draw(rgba, flow, choice.face)

    def draw_parts(self, rgba: U8, flow: Flow, choice: Choice) -> None:
        """Draw mouth and lids, in place; the eyeballs are still to be drawn between the lids."""
        if flow.face is None:
            return
        self.mouth.draw(rgba, flow.face, choice.mouth, choice.interior)
        for layer, shares in zip(self.lids, choice.lids, strict=True):
            layer.draw(rgba, flow.face, shares)


def _near(rest: F32, indices: I32, soft_px: float) -> F32:
    """1 at some landmarks, falling to 0 at soft_px from them: (468,)."""
    distance = np.linalg.norm(rest[:, None] - rest[None, indices], axis=-1).min(1)
    weight: F32 = np.clip(1.0 - distance / soft_px, 0.0, 1.0).astype(np.float32)
    return weight
