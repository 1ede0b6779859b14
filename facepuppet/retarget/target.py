"""The portrait's side: its neutral in its own head frame, and the way back to pixels."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from facepuppet.core.geometry import head_from_image, rotation_from_vector
from facepuppet.core.types import F32, HeadMotion, Motion, TorsoMotion
from facepuppet.face.arkit import ARKIT_NAMES
from facepuppet.face.head_pose import fit_head
from facepuppet.face.irises import Irises
from facepuppet.face.lips import mouth_gap, mouth_width
from facepuppet.face.topology import (
    EYES,
    LIPS,
    LOWER_LIP_INNER,
    RIGID,
    UPPER_LIP_INNER,
)
from facepuppet.portrait.avatar import Avatar
from facepuppet.retarget.cut_borders import CutBorders
from facepuppet.retarget.deltas import Deltas
from facepuppet.retarget.gains import Gains
from facepuppet.retarget.lids import Lids
from facepuppet.retarget.limits import limit_gaze, limit_lids, limit_mouth, limit_turn, safe_range_of

MOUTH_REACH = 0.45  # inter-ocular distances around the lips that scale with the mouth
BROW_REACH = 0.15  # inter-ocular distances around the brows that their gain takes along
MOUTH_RATIO_RANGE = (0.7, 1.4)
# Bone does not move: what trackers report there is head pose leaking into shape, and would change the
# portrait's identity.
SKULL_DAMPING = 0.7
SKULL_REACH = 0.08  # inter-ocular distances around the rigid points
_UPPER_LIP, _LOWER_LIP = UPPER_LIP_INNER[1:-1], LOWER_LIP_INNER[1:-1]
_ALL = Gains()
_BROW_SHAPES = np.array([name.startswith("brow") for name in ARKIT_NAMES])
_EYE_SHAPES = np.array([name.startswith("eye") for name in ARKIT_NAMES])


class Target:
    """Applies the driver's deltas to one portrait."""

    def __init__(self, avatar: Avatar) -> None:
        self._safe, self._borders = safe_range_of(avatar), CutBorders(avatar)
        portrait_from_head = fit_head(avatar.landmarks_px)
        neutral = head_from_image(avatar.landmarks_px, portrait_from_head).astype(np.float32)
        self._neutral, self._unit_px = neutral, portrait_from_head.scale
        self._pivot_px = avatar.head_pivot_px
        # (3, 4): about the pivot, which is what the head turns and grows about.
        self._portrait_from_head = portrait_from_head.matrix
        self._portrait_from_head[:, 3] -= self._pivot_px
        self._lids, self._irises = Lids(neutral), Irises(avatar.landmarks_px)
        self._mouth_width, self._mouth_gap = mouth_width(neutral), mouth_gap(neutral)
        self._mouth_share = _nearness(neutral - neutral[LIPS].mean(0), MOUTH_REACH)
        beside_mouth = 1.0 - self._mouth_share
        brows = np.concatenate([eye.brow for eye in EYES])
        self._brow_share = beside_mouth * _nearness(neutral[:, None] - neutral[None, brows], BROW_REACH)
        skull_share = beside_mouth * _nearness(neutral[:, None] - neutral[None, RIGID], SKULL_REACH)
        # Gains (478, 3) of the offsets, and what is added for a mouth that is twice the driver's.
        self._bone_gain = np.repeat(1.0 - SKULL_DAMPING * skull_share, 3, axis=1)
        self._mouth_gain = self._bone_gain * self._mouth_share
        self._parting = _parting(neutral) * self._mouth_share
        # By how much the tracker has a shut mouth's lips overlap: the portrait at rest keeps that.
        self._own_overlap = np.maximum(neutral[_UPPER_LIP, 1] - neutral[_LOWER_LIP, 1], 0.0)

    def motion(self, deltas: Deltas, frame_id: int = 0, captured_ns: int = 0, gains: Gains = _ALL) -> Motion:
        """Return where the portrait goes.

        Args:
            deltas: from rest.
            frame_id: of the driver's frame.
            captured_ns: of the same.
            gains: how much of the deltas is taken over.
        """
        if gains is not _ALL and gains != _ALL:
            deltas = self._scaled(deltas, gains)
        opening = limit_lids(deltas.eye_opening, self._safe)
        head = self._shape(deltas, opening)
        lean_px = deltas.lean * np.float32(self._unit_px)
        motion, lean_px = self._borders.keep_out(self._head_motion(deltas), lean_px)
        landmarks = self._placed(head, motion)
        # A shutting lid drags the tracked iris down with it.
        steady = [min(max(share / 0.5, 0.0), 1.0) for share in opening.tolist()]
        self._irises.move(landmarks, limit_gaze(deltas.gaze, self._safe), steady)
        return Motion(
            landmarks_px=landmarks,
            head=motion,
            torso=TorsoMotion(lean_px, deltas.torso_roll, math.exp(deltas.torso_log_scale)),
            eye_opening=opening,
            mouth_opening=mouth_gap(head),
            frame_id=frame_id,
            captured_ns=captured_ns,
            weights=deltas.weights,
        )

    def _head_motion(self, deltas: Deltas) -> HeadMotion:
        return HeadMotion(
            limit_turn(rotation_from_vector(deltas.turn), self._safe).astype(np.float32),
            (deltas.shift + deltas.lean) * np.float32(self._unit_px),
            math.exp(deltas.log_scale),
        )

    def _placed(self, head: F32, motion: HeadMotion) -> F32:
        """Bring (478, 3) head-frame landmarks to the portrait, and there to where the head goes."""
        moved_from_head = motion.scale * motion.rotation @ self._portrait_from_head
        moved_from_head[:, 3] += self._pivot_px
        moved_from_head[:2, 3] += motion.shift_px
        # Single precision is that of the landmarks, and a float32 matrix the one OpenCV uses for them.
        return np.asarray(cv2.transform(head[:, None], moved_from_head), np.float32)[:, 0]

    def _scaled(self, deltas: Deltas, gains: Gains) -> Deltas:
        """Take over more or less of each region; mouth and brows blend into the skin between them."""
        mouth, brows = np.float32(gains.mouth - 1.0), np.float32(gains.brows - 1.0)
        region = 1.0 + mouth * self._mouth_share + brows * self._brow_share
        return replace(
            deltas,
            offsets=deltas.offsets * region,
            eye_opening=np.maximum(1.0 + gains.lids * (deltas.eye_opening - 1.0), 0.0).astype(np.float32),
            gaze=deltas.gaze * np.float32(gains.gaze),
            turn=deltas.turn * np.float32(gains.head),
            log_scale=deltas.log_scale * gains.head,
            shift=deltas.shift * np.float32(gains.head),
            lean=deltas.lean * np.float32(gains.torso),
            torso_roll=deltas.torso_roll * gains.torso,
            torso_log_scale=deltas.torso_log_scale * gains.torso,
            weights=None if deltas.weights is None else _scaled_weights(deltas.weights, gains),
        )

    def _shape(self, deltas: Deltas, opening: F32) -> F32:
        """The portrait's (478, 3) head-frame landmarks with the expression on."""
        gain = self._bone_gain
        if deltas.mouth_width is not None:
            ratio = self._mouth_width / deltas.mouth_width
            stretch = min(max(ratio, MOUTH_RATIO_RANGE[0]), MOUTH_RATIO_RANGE[1]) - 1.0
            gain = gain + np.float32(stretch) * self._mouth_gain
        moved = deltas.offsets * gain
        head = self._neutral + moved
        self._brake_mouth(head, moved)
        self._lids.place(head, opening)
        self._lids.draw_folds(head, opening)
        self._keep_lips_apart(head)
        return head

    def _brake_mouth(self, head: F32, moved: F32) -> None:
        """Take back of the offsets what would open the mouth beyond its safe opening, in place."""
        rest, wanted = self._mouth_gap, mouth_gap(head)
        allowed = max(limit_mouth(wanted, self._safe), rest)
        if wanted > allowed:
            head -= np.float32((wanted - allowed) / (wanted - rest)) * self._mouth_share * moved

    def _keep_lips_apart(self, head: F32) -> None:
        """Lips press together but never pass through each other, nor swallow each other's red.

        A driver who shuts a mouth that was open at rest would push the lips of a portrait whose mouth is
        already shut through each other: what is too much is given back to the lips and the skin around.
        """
        y = head[:, 1]
        overlap = y.take(_UPPER_LIP) - y.take(_LOWER_LIP) - self._own_overlap
        if overlap.max() <= 0.0:
            return
        y += self._parting @ np.maximum(overlap, 0.0)
        rest = np.maximum(y.take(_UPPER_LIP) - y.take(_LOWER_LIP) - self._own_overlap, 0.0) / 2
        y[_UPPER_LIP] -= rest
        y[_LOWER_LIP] += rest


def _scaled_weights(weights: F32, gains: Gains) -> F32:
    """ARKit's weights with the brows' and the mouth's gains; what belongs to the eyes moves lids alone."""
    by_region = np.where(_BROW_SHAPES, gains.brows, np.where(_EYE_SHAPES, gains.lids, gains.mouth))
    return np.asarray(weights * by_region, np.float32)


def _nearness(offsets: F32, reach: float) -> F32:
    """1 where (478, 3) or the nearest of (478, K, 3) offsets is none, to 0 far beyond reach: (478, 1)."""
    distance = np.linalg.norm(offsets, axis=-1).reshape(len(offsets), -1).min(axis=1, keepdims=True)
    return np.asarray(np.exp(-((distance / reach) ** 2)), np.float32)


def _parting(neutral: F32) -> F32:
    """(478, 9) by how much each point goes down for an overlap of 1 at each column of the lips' edges.

    What lies below the line between the lips goes down and what lies above goes up, each by half of the
    overlap between the columns beside it.
    """
    lip_line = (neutral[_UPPER_LIP] + neutral[_LOWER_LIP]) / 2
    columns, height = lip_line[:, 0], np.interp(neutral[:, 0], lip_line[:, 0], lip_line[:, 1])
    between = [np.interp(neutral[:, 0], columns, one) for one in np.eye(len(columns))]
    side = np.sign(neutral[:, 1] - height)
    return np.asarray(0.5 * side[:, None] * np.stack(between, axis=1), np.float32)
