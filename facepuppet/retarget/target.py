"""The portrait's side: its neutral in its own head frame, and the way back to pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facepuppet.core.geometry import head_from_image, rotation_from_vector
from facepuppet.core.types import F32, Floats, HeadMotion, Motion, TorsoMotion
from facepuppet.face.head_pose import fit_head
from facepuppet.face.irises import move_irises
from facepuppet.face.lips import mouth_gap, mouth_width
from facepuppet.face.topology import (
    EYES,
    LIPS,
    LOWER_LIP_INNER,
    RIGID,
    UPPER_LIP_INNER,
)
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.gains import Gains
from facepuppet.retarget.lids import draw_fold, place_lids
from facepuppet.retarget.limits import limit_gaze, limit_lids, limit_mouth, limit_turn, safe_range_of

MOUTH_REACH = 0.45  # inter-ocular distances around the lips that scale with the mouth
BROW_REACH = 0.15  # inter-ocular distances around the brows that their gain takes along
MOUTH_RATIO_RANGE = (0.7, 1.4)
# Bone does not move: what trackers report there is head pose leaking into shape, and would change the
# portrait's identity.
SKULL_DAMPING = 0.7
SKULL_REACH = 0.08  # inter-ocular distances around the rigid points
_ALL = Gains()


class Target:
    """Applies the driver's deltas to one portrait."""

    def __init__(self, avatar: Avatar) -> None:
        self._safe = safe_range_of(avatar)
        self._portrait_from_head = fit_head(avatar.landmarks_px)
        self._neutral = head_from_image(avatar.landmarks_px, self._portrait_from_head).astype(np.float32)
        self._rest_px = avatar.landmarks_px
        self._pivot_px = avatar.head_pivot_px
        self._unit_px = np.float32(self._portrait_from_head.scale)
        from_mouth = np.linalg.norm(self._neutral - self._neutral[LIPS].mean(0), axis=1)
        self._mouth_share = np.exp(-((from_mouth / MOUTH_REACH) ** 2)).astype(np.float32)
        brows = np.concatenate([eye.brow for eye in EYES])
        from_brows = np.linalg.norm(self._neutral[:, None] - self._neutral[None, brows], axis=-1).min(1)
        self._brow_share = np.exp(-((from_brows / BROW_REACH) ** 2)) * (1.0 - self._mouth_share)
        skull = np.linalg.norm(self._neutral[:, None] - self._neutral[None, RIGID], axis=-1).min(1)
        self._skull_share = np.exp(-((skull / SKULL_REACH) ** 2)) * (1.0 - self._mouth_share)
        lip_line = self._neutral[UPPER_LIP_INNER[1:-1]] + self._neutral[LOWER_LIP_INNER[1:-1]]
        self._columns = lip_line[:, 0] / 2
        height = np.interp(self._neutral[:, 0], self._columns, lip_line[:, 1] / 2)
        self._lip_side = np.sign(self._neutral[:, 1] - height).astype(np.float32)

    def motion(self, deltas: Deltas, frame_id: int = 0, captured_ns: int = 0, gains: Gains = _ALL) -> Motion:
        """Return where the portrait goes.

        Args:
            deltas: from rest.
            frame_id: of the driver's frame.
            captured_ns: of the same.
            gains: how much of the deltas is taken over.
        """
        if gains != _ALL:
            deltas = self._scaled(deltas, gains)
        opening = limit_lids(deltas.eye_opening, self._safe)
        head = self._shape(deltas, opening)
        rotation = limit_turn(rotation_from_vector(deltas.turn), self._safe).astype(np.float32)
        scale = float(np.exp(deltas.log_scale))
        shift_px = ((deltas.shift + deltas.lean) * self._unit_px).astype(np.float32)
        offset_px = self._portrait_from_head.apply(head) - self._pivot_px
        landmarks = (scale * offset_px @ rotation.T + self._pivot_px).astype(np.float32)
        landmarks[:, :2] += shift_px
        # A shutting lid drags the tracked iris down with it.
        gaze = limit_gaze(deltas.gaze, self._safe)
        move_irises(landmarks, self._rest_px, gaze, np.clip(opening / 0.5, 0.0, 1.0))
        torso_scale = float(np.exp(deltas.torso_log_scale))
        return Motion(
            landmarks_px=landmarks,
            head=HeadMotion(rotation, shift_px, scale),
            torso=TorsoMotion(deltas.lean * self._unit_px, deltas.torso_roll, torso_scale),
            eye_opening=opening,
            mouth_opening=mouth_gap(head),
            frame_id=frame_id,
            captured_ns=captured_ns,
        )

    def _scaled(self, deltas: Deltas, gains: Gains) -> Deltas:
        """Take over more or less of each region; mouth and brows blend into the skin between them."""
        region = 1.0 + self._mouth_share * (gains.mouth - 1.0) + self._brow_share * (gains.brows - 1.0)
        return replace(
            deltas,
            offsets=(deltas.offsets * region[:, None]).astype(np.float32),
            eye_opening=np.maximum(1.0 + gains.lids * (deltas.eye_opening - 1.0), 0.0).astype(np.float32),
            gaze=deltas.gaze * np.float32(gains.gaze),
            turn=deltas.turn * np.float32(gains.head),
            log_scale=deltas.log_scale * gains.head,
            shift=deltas.shift * np.float32(gains.head),
            lean=deltas.lean * np.float32(gains.torso),
            torso_roll=deltas.torso_roll * gains.torso,
            torso_log_scale=deltas.torso_log_scale * gains.torso,
        )

    def _shape(self, deltas: Deltas, opening: F32) -> F32:
        """The portrait's (478, 3) head-frame landmarks with the expression on."""
        offsets = deltas.offsets
        gain: Floats = np.ones((1, 1))
        if deltas.mouth_width is not None:
            ratio = mouth_width(self._neutral) / deltas.mouth_width
            gain = 1.0 + self._mouth_share[:, None] * (
                min(max(ratio, MOUTH_RATIO_RANGE[0]), MOUTH_RATIO_RANGE[1]) - 1.0
            )
        gain = gain * (1.0 - SKULL_DAMPING * self._skull_share[:, None])
        moved = (offsets * gain).astype(np.float32)
        head = self._neutral + moved * self._mouth_brake(moved)
        for eye, share in zip(EYES, opening.tolist(), strict=True):
            place_lids(head, self._neutral, eye, share)
            draw_fold(head, self._neutral, eye, share)
        self._keep_lips_apart(head)
        return head

    def _mouth_brake(self, offsets: F32) -> F32:
        """Shares (478, 1) of the offsets that keep the mouth within its safe opening."""
        rest, wanted = mouth_gap(self._neutral), mouth_gap(self._neutral + offsets)
        allowed = max(limit_mouth(wanted, self._safe), rest)
        share = (allowed - rest) / (wanted - rest) if wanted > allowed else 1.0
        brake: F32 = 1.0 - self._mouth_share[:, None] * np.float32(1.0 - share)
        return brake

    def _keep_lips_apart(self, head: F32) -> None:
        """Lips press together but never pass through each other, nor swallow each other's red.

        A driver who shuts a mouth that was open at rest would push the lips of a portrait whose mouth is
        already shut through each other: what is too much is given back to the lips and the skin around.
        """
        upper, lower = UPPER_LIP_INNER[1:-1], LOWER_LIP_INNER[1:-1]
        overlap = np.maximum(head[upper, 1] - head[lower, 1], 0.0)
        if not overlap.any():
            return
        give = np.interp(self._neutral[:, 0], self._columns, overlap).astype(np.float32)
        head[:, 1] += 0.5 * self._lip_side * self._mouth_share * give
        rest = np.maximum(head[upper, 1] - head[lower, 1], 0.0) / 2
        head[upper, 1] -= rest
        head[lower, 1] += rest
