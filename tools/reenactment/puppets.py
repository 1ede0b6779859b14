"""Where a portrait goes in each frame, and what it then looks like."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engines.data.motions import motion_to
from facepuppet.core import F32, U8, EngineError, Motion, head_from_image
from facepuppet.drivers import MIN_EYE_OPENING, Rest, Tracking, neutral_from, rest_pose_from
from facepuppet.face import eye_openings, fit_head
from facepuppet.frames import Renderer, lay_over
from facepuppet.inference import FORMAT, Runtime
from facepuppet.portrait import Avatar
from facepuppet.retarget import Retargeter
from reenactment.motion_series import NEUTRAL_PERCENTILE
from reenactment.takes import Take

MIN_SHOULDER_CONFIDENCE = 0.5


def true_motions(avatar: Avatar, take: Take) -> list[Motion | None]:
    """The person's own tracked motion for every frame, without the retargeter; None where no face was seen.

    Nothing is limited or damped, so what differs from the truth is the rendering's doing. Landmarks are as
    measured, raw; shoulders are smoothed, because raw ones tremble by more than people move.

    Args:
        avatar: made from the take's most neutral frame.
        take: whose image frame is the avatar's portrait frame.
    """
    landmarks = take.landmarks_px
    relaxed = relaxed_opening(landmarks)
    # The portrait was measured more carefully than a frame of a clip: go by differences.
    moved = avatar.landmarks_px + landmarks - landmarks[take.source]
    rest = _shoulders(take.smoothed[take.source])
    motions: list[Motion | None] = []
    for n, points in enumerate(moved):
        now = _shoulders(take.smoothed[n])
        shoulders = None if rest is None or now is None else avatar.shoulders_px + now - rest
        unseen = bool(np.isnan(points).any())
        motions.append(None if unseen else motion_to(avatar, points, relaxed, shoulders, n))
    return motions


def relaxed_opening(landmarks_px: F32) -> F32:
    """Aperture over width (2,) of a person's relaxed open eyes, from landmarks (N, 478, 3) of a clip."""
    seen = landmarks_px[np.isfinite(landmarks_px[:, 0, 0])]
    openings = [eye_openings(head_from_image(points, fit_head(points))) for points in seen]
    relaxed = np.percentile(openings, NEUTRAL_PERCENTILE, axis=0)
    return np.asarray(np.maximum(relaxed, MIN_EYE_OPENING), dtype=np.float32)


def _shoulders(tracking: Tracking) -> F32 | None:
    torso = tracking.torso
    return torso.shoulders_px if torso is not None and torso.confidence >= MIN_SHOULDER_CONFIDENCE else None


def retargeted(avatar: Avatar, take: Take) -> list[Motion | None]:
    """What the product would do: smoothed trackings through the retargeter, rest taken from the source."""
    calm = [take.smoothed[take.source]]
    neutral = neutral_from(calm)
    rest, retargeter = Rest(neutral, rest_pose_from(calm, neutral)), Retargeter(avatar)
    return [retargeter.update(rest.express(tracking)) for tracking in take.smoothed]


def perform(
    avatar: Avatar, motions: list[Motion | None], folder: Path, engine: str | Runtime = "auto"
) -> list[U8]:
    """Render motions over the portrait's own background: (H, W, 3) uint8 RGB each.

    A frame without a motion shows the portrait. A renderer of its own plays each performance, so that no
    state of another remains.

    Args:
        avatar: the portrait.
        motions: one for each frame.
        folder: with manifest.toml and the painters.
        engine: what runs them; the best that works by default.

    Raises:
        EngineError: an engine was asked for, and something else stood in for it or for a painter.
    """
    renderer = Renderer(avatar, folder, engine)
    shown = [
        avatar.portrait_rgb if motion is None else composite(avatar, renderer.render(motion).rgba)
        for motion in motions
    ]
    if engine != "auto" and renderer.fallbacks:
        raise EngineError(renderer.fallbacks[0], "the engine that was asked for", "Run `facepuppet doctor`.")
    return shown


def composite(avatar: Avatar, rgba: U8) -> U8:
    """Lay the moved person over the background plate."""
    picture = avatar.background_rgb.copy()
    lay_over(rgba, picture)
    return picture


@contextmanager
def no_painters() -> Iterator[Path]:
    """A folder whose manifest lists no network: the warp and the drawn mouth and eyes alone."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "manifest.toml").write_text(f"format = {FORMAT}\n", encoding="utf-8")
        yield Path(folder)
