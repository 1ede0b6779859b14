"""Where a portrait goes in each frame, and what it then looks like."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from facepuppet.avatar.model import Avatar
from facepuppet.compose.blend import lay_over
from facepuppet.geometry import head_from_image
from facepuppet.profile import mouth_gap, neutral_from, seat_from
from facepuppet.render import Renderer
from facepuppet.render.manifest import FORMAT
from facepuppet.retarget import Retargeter
from facepuppet.retarget.driver import measure
from facepuppet.topology import EYES
from facepuppet.track.gaze import eye_openings
from facepuppet.track.head_pose import fit_head
from facepuppet.types import F32, U8, HeadMotion, Motion, Presence, Torso, TorsoMotion, Tracking
from reenactment.takes import Take

MEETING_HEIGHT = 0.2  # where lids meet, from the lower lid, as a share of the aperture


class TrueMotion:
    """The person's own tracked motion, for a portrait that is one of the frames.

    Landmarks are the tracked ones; nothing is limited, damped or smoothed, so what differs from the truth
    is the rendering's doing. Lids are drawn on to meeting where the tracker's rest of an aperture says
    that they are shut; the torso goes where the product would take it, because raw shoulders tremble by
    more than people move.

    Args:
        avatar: made from the frame of `rest`.
        rest: tracking of that frame, in the same coordinates.
    """

    def __init__(self, avatar: Avatar, rest: Tracking) -> None:
        assert rest.face is not None
        self._avatar = avatar
        self._rest_px = rest.face.landmarks_px
        self._neutral = neutral_from([rest])
        self._seat = seat_from([rest], self._neutral)
        self._rest_opening = np.maximum(eye_openings(self._neutral.landmarks_head), 1e-3)

    def at(self, tracking: Tracking, torso: Torso | None) -> Motion:
        """Return the motion for a tracking that holds a face, with shoulders of their own."""
        assert tracking.face is not None
        tracking = replace(tracking, torso=torso)
        landmarks = self._avatar.landmarks_px + tracking.face.landmarks_px - self._rest_px
        image_from_head = fit_head(tracking.face.landmarks_px, self._neutral.landmarks_head)
        deltas = measure(tracking, self._neutral, self._seat, image_from_head)
        head = head_from_image(tracking.face.landmarks_px, image_from_head).astype(np.float32)
        self._shut(landmarks, deltas.eye_opening, eye_openings(head) / self._rest_opening)
        moved_from_rest = image_from_head @ self._seat.image_from_head.inverse()
        pivot = self._avatar.head_pivot_px
        unit_px = np.float32(self._seat.image_from_head.scale)
        return Motion(
            landmarks_px=landmarks,
            head=HeadMotion(
                moved_from_rest.rotation.astype(np.float32),
                (moved_from_rest.apply(pivot) - pivot)[:2].astype(np.float32),
                moved_from_rest.scale,
            ),
            torso=TorsoMotion(
                (deltas.lean * unit_px).astype(np.float32),
                deltas.torso_roll,
                float(np.exp(deltas.torso_log_scale)),
            ),
            eye_opening=deltas.eye_opening,
            mouth_opening=mouth_gap(head),
            presence=Presence.PRESENT,
            frame_id=tracking.frame_id,
            captured_ns=tracking.captured_ns,
        )

    @staticmethod
    def _shut(landmarks: F32, wanted: F32, tracked: F32) -> None:
        """Bring the lids together by the share that the tracker leaves open, in place.

        Wide eyes stay as tracked: the product's limit on them is none of the truth's.
        """
        shares = np.where(tracked < 1.0, np.clip(wanted / np.maximum(tracked, 1e-3), 0.0, 1.0), 1.0)
        for eye, share in zip(EYES, shares.tolist(), strict=True):
            upper, lower = eye.upper_lid[1:-1], eye.lower_lid[1:-1]
            meeting = landmarks[lower] + MEETING_HEIGHT * (landmarks[upper] - landmarks[lower])
            for lid in (upper, lower):
                landmarks[lid] = meeting + share * (landmarks[lid] - meeting)


def true_motions(avatar: Avatar, take: Take) -> list[Motion | None]:
    """A portrait's motion for every frame, without the retargeter; None where no face was seen."""
    truth = TrueMotion(avatar, replace(take.tracked[take.source], torso=take.smoothed[take.source].torso))
    return [
        None if tracking.face is None else truth.at(tracking, smoothed.torso)
        for tracking, smoothed in zip(take.tracked, take.smoothed, strict=True)
    ]


def retargeted(avatar: Avatar, take: Take) -> list[Motion | None]:
    """What the product would do: smoothed trackings through the retargeter, rest taken from the source."""
    calm = [take.smoothed[take.source]]
    neutral = neutral_from(calm)
    retargeter = Retargeter(avatar, neutral, seat=seat_from(calm, neutral))
    return [retargeter.update(tracking) for tracking in take.smoothed]


def perform(avatar: Avatar, motions: list[Motion | None], engines: Path) -> list[U8]:
    """Render motions over the portrait's own background: (H, W, 3) uint8 RGB each.

    A frame without a motion shows the portrait. A renderer of its own plays each performance, so that no
    state of another remains.
    """
    renderer = Renderer(avatar, engines)
    return [
        avatar.portrait_rgb if motion is None else composite(avatar, renderer.render(motion).rgba)
        for motion in motions
    ]


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
