"""The stage that gives a performance another personality: a style, applied moment by moment."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from facepuppet.character.channel_groups import weights_of
from facepuppet.character.emotion_in_face import felt_emotion
from facepuppet.character.envelope import Envelope
from facepuppet.character.face_reader import FaceReader
from facepuppet.character.habits import BlinkRate, Habits, lids_with
from facepuppet.character.shaping import Shaping
from facepuppet.character.style import Style
from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import (
    F32,
    Blendshapes,
    Deformation,
    Expression,
    FacePose,
    HeadPose,
    LandmarkOffsets,
    TorsoPose,
)
from facepuppet.face.arkit import ARKIT_NAMES
from facepuppet.face.deformation import face_of_blendshapes
from facepuppet.face.irises import eye_widths_from_angles
from facepuppet.face.life_signs import shift_on_neck

# From one style to another. A head held 35° aside that is to turn three times as far, or no more at all, then
# goes less than 2 % of a face's height in a thirtieth of a second.
EASE_S = 2.0
_FELT_S = 0.5  # how slowly a mood is believed: lips that talk are no mood
_GAP_S = 0.5  # without a face for so long, and it begins anew
_FLASH = weights_of({"browInnerUp": 1.0, "browOuterUp": 1.0})
_SHUT_BELOW = 0.45  # from here on down, lids go on to shut, whatever their gain


class StyleStage:
    """Gives every expression the style that is set, and eases from one style to another.

    One thread updates; the style may be replaced from any. Without one, and with one that changes nothing,
    an expression comes back as the same object. Parts that a style does not speak of keep every bit.

    Args:
        style: what it begins with.
        seed: of habits; the same seed, style and expressions give the same.

    Attributes:
        style: the one that is wanted; None leaves everything as it is.
    """

    def __init__(self, style: Style | None = None, seed: int = 0) -> None:
        self.style = self._wanted = style
        self._now = self._to = self._from = Shaping.of(style)
        self._since_s: float | None = None  # when the present easing began
        self._at_s: float | None = None
        self._face, self._head = Envelope(), Envelope()
        self._habits, self._blinks = Habits(seed), BlinkRate(seed)
        self._mood = np.zeros(2)
        self._reader = FaceReader()

    def update(self, expression: Expression) -> Expression:
        """Return the expression in this style; time is expression.captured_ns and does not fall."""
        t_s = expression.captured_ns * 1e-9
        shaping = self._shaping(t_s)
        face = expression.face
        if not shaping.flags.changes or face is None:
            self._at_s = None
            return expression
        gap_s = math.inf if self._at_s is None else t_s - self._at_s
        if gap_s > _GAP_S:
            self._face.reset()
            self._head.reset()
            gap_s = 0.0
        self._at_s = t_s
        return self._styled(expression, face, shaping, t_s, gap_s)

    def _shaping(self, t_s: float) -> Shaping:
        style = self.style
        if style is not self._wanted:
            self._wanted, self._from, self._to, self._since_s = style, self._now, Shaping.of(style), t_s
        if self._since_s is not None:
            share = smoothstep((t_s - self._since_s) / EASE_S)
            self._now = self._from.toward(self._to, share)
            if share >= 1.0:
                self._since_s = None
        return self._now

    def _styled(
        self, expression: Expression, face: FacePose, shaping: Shaping, t_s: float, dt_s: float
    ) -> Expression:
        down, flash, aside = self._habits.step(t_s, shaping.__getitem__)
        opening, lids = face.eye_opening, 0.0
        deformation = face.deformation
        if shaping.flags.reads:
            deformation, lids = self._deformed(face, shaping, shaping.present * flash, dt_s)
        opening = self._lids(face.eye_opening, shaping, lids, t_s, dt_s)
        torso = _shoulders(expression.torso, shaping["gains", "shoulders"])
        head = self._headed(face.head, shaping, shaping.present * down, dt_s)
        if torso is not None and torso is not expression.torso and expression.torso is not None:
            head = _carried(head, expression.torso, torso)
        gaze = face.gaze
        if shaping["gains", "gaze"] != 1.0 or aside != (0.0, 0.0):
            gaze = np.asarray(gaze * shaping["gains", "gaze"] + _aside(aside, shaping.present), np.float32)
        return replace(expression, face=FacePose(head, gaze, opening, deformation), torso=torso)

    def _deformed(
        self, face: FacePose, shaping: Shaping, flash: float, dt_s: float
    ) -> tuple[Deformation, float]:
        """Return the face's shape, and how much farther its lids are open."""
        shape = face.deformation
        weights = shape.weights if isinstance(shape, Blendshapes) else self._reader.read(shape.offsets)
        styled = weights
        if shaping.flags.damps:
            over = weights / np.maximum(shaping.thresholds, np.float32(1e-6)) - np.float32(1.0)
            share = np.minimum(np.maximum(over, np.float32(0.0)), np.float32(1.0))
            styled = weights * share * share * (np.float32(3.0) - np.float32(2.0) * share)
        styled = self._face.toward(styled, shaping.times, dt_s) * shaping.gains
        if shaping.flags.adds:
            look = self._look(weights, face.eye_opening, shaping, dt_s)
            styled = styled + look
            lids = float(_lids_of_shapes() @ look)
        else:
            lids = 0.0
        if flash > 0.0:
            styled = styled + np.float32(flash) * _FLASH
        styled = np.minimum(np.maximum(styled, np.float32(0.0)), np.float32(1.0))
        if isinstance(shape, Blendshapes):
            return Blendshapes(styled), lids
        moved = self._reader.moved(styled - weights, weights)
        return LandmarkOffsets(shape.offsets + moved, shape.mouth_width), lids

    def _look(self, weights: F32, opening: F32, shaping: Shaping, dt_s: float) -> F32:
        """Return (52,) what the style adds for the mood that the driver's face shows."""
        felt = felt_emotion(weights, opening)
        share = 1.0 - math.exp(-dt_s / _FELT_S)
        self._mood += share * (np.array([felt.valence, felt.arousal]) - self._mood)
        valence, arousal = self._mood.tolist()
        fullness = [max(valence, 0.0), max(-valence, 0.0), max(arousal, 0.0), max(-arousal, 0.0)]
        return np.asarray(fullness, np.float32) @ shaping.looks

    def _lids(self, opening: F32, shaping: Shaping, wider: float, t_s: float, dt_s: float) -> F32:
        gain, rate = shaping["gains", "lids"], shaping["habits", "blinks"]
        # Whoever blinks is looked at even where blinks are the driver's again: a veil has to lift.
        eyes: list[float] = opening.tolist()
        shuts, left_out = self._blinks.step(t_s, dt_s, sum(eyes) / 2.0, rate)
        if gain == 1.0 and wider == 0.0 and shuts == 0.0 and left_out == 0.0:
            return opening
        return np.array([lids_with(_lid(eye, gain, wider), shuts, left_out) for eye in eyes], np.float32)

    def _headed(self, head: HeadPose, shaping: Shaping, down: float, dt_s: float) -> HeadPose:
        """Return the head's pose; where it turns otherwise, it does so on its neck."""
        turn, least = head.turn, shaping["thresholds", "head"]
        if least > 0.0:
            turn = turn * np.float32(smoothstep(float(np.linalg.norm(turn)) / least - 1.0))
        turn = self._head.toward(turn, shaping.head_times, dt_s) * shaping.head_gains
        if down != 0.0:
            turn = turn + np.array([down, 0.0, 0.0], np.float32)
        turned, before = turn.tolist(), head.turn.tolist()
        if turned == before:
            return head
        (right, down_on_neck), (right_before, down_before) = shift_on_neck(*turned), shift_on_neck(*before)
        x, y = head.shift
        return HeadPose(turn, (x + right - right_before, y + down_on_neck - down_before), head.log_scale)


def _lid(opening: float, gain: float, wider: float) -> float:
    """Return a lid aperture with its gain; a shut eye stays shut."""
    styled = max(1.0 + gain * (opening - 1.0) + wider, 0.0)
    return opening + (styled - opening) * (
        1.0 if gain > 1.0 and wider >= 0.0 else smoothstep(opening / _SHUT_BELOW)
    )


def _shoulders(torso: TorsoPose | None, gain: float) -> TorsoPose | None:
    if torso is None or gain == 1.0:
        return torso
    right, down = torso.lean
    return TorsoPose((gain * right, gain * down), gain * torso.roll_rad, gain * torso.log_scale)


def _carried(head: HeadPose, before: TorsoPose, torso: TorsoPose) -> HeadPose:
    """Return a head that stays on its shoulders."""
    x, y = head.shift
    right, down = torso.lean[0] - before.lean[0], torso.lean[1] - before.lean[1]
    return HeadPose(head.turn, (x + right, y + down), head.log_scale)


def _aside(eyes_rad: tuple[float, float], share: float) -> F32:
    if eyes_rad == (0.0, 0.0):
        return np.zeros(2, np.float32)
    return (share * eye_widths_from_angles(np.array(eyes_rad))).astype(np.float32)


@cache
def _lids_of_shapes() -> F32:
    """(52,) how much farther the lids are open with a shape at 1, as the mean face has it."""
    rest, opened = np.zeros(len(ARKIT_NAMES), np.float32), np.zeros(len(ARKIT_NAMES), np.float32)
    head = HeadPose(np.zeros(3, np.float32))
    for index, name in enumerate(ARKIT_NAMES):
        if name.startswith(("eyeWide", "eyeSquint", "eyeBlink")):
            weights = rest.copy()
            weights[index] = 1.0
            opened[index] = float(face_of_blendshapes(weights, head).eye_opening.mean()) - 1.0
    return opened
