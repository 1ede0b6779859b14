"""Moves a portrait through the real renderer and measures the pictures."""

from __future__ import annotations

import dataclasses

import numpy as np

from calibrate.reduce import reduced
from calibrate.sweep import measures
from facepuppet.core import F32, U8, Motion, euler_from_rotation
from facepuppet.face import fit_head
from facepuppet.frames import Renderer, Warp
from facepuppet.portrait import Avatar, SafeRange
from facepuppet.retarget import Deltas, Target
from facepuppet.vision import FaceMesh, face_box

SIDE_PX = 512  # of the copy that is swept: what tears at this size tears at any
_FAR = (4.0, 4.0)  # soft limits this far from any value hardly bend it
_UNLIMITED = SafeRange(_FAR, _FAR, _FAR, _FAR, _FAR, mouth_opening=4.0, eye_opening=4.0)
_FROM_VIEW = 6  # grey levels by which a pixel differs when it was drawn from another picture


class Observer:
    """Renders motions of one avatar, and compares each picture with the portrait at rest.

    Args:
        avatar: the portrait; its own safe range does not matter.
        mesh: the tracker that looks at the pictures.

    Attributes:
        sees_rest: whether the tracker finds the face at rest; if not (drawings, statues), nothing that
            needs the tracker is measured.
    """

    def __init__(self, avatar: Avatar, mesh: FaceMesh) -> None:
        self._avatar = dataclasses.replace(reduced(avatar, SIDE_PX), safe_range=_UNLIMITED)
        self._mesh = mesh
        self._target = Target(self._avatar)
        self._renderer = Renderer(self._avatar, engine="cpu")
        self._warp = Warp(self._avatar)
        rest, rgb, alpha = self._render(Deltas.rest())
        self._rest = rest
        seen = self._look(rgb, rest.landmarks_px)
        self.sees_rest = seen is not None
        self._bias_px: F32 = np.zeros_like(rest.landmarks_px) if seen is None else seen - rest.landmarks_px
        self._gap_bias = 0.0 if seen is None else measures.gap(seen) - measures.gap(rest.landmarks_px)
        self._detail = max(measures.detail(rgb, rest.landmarks_px), 1e-3)
        self._iris = max(measures.visible_iris(rest.landmarks_px), 1e-6)
        self._body = self._tears(rest, rgb, alpha)["body"]
        self._aperture = measures.aperture(rest.landmarks_px)
        self._own_rotation = fit_head(rest.landmarks_px).rotation
        views = [fit_head(view.landmarks_px).rotation for view in self._avatar.views]
        self._view_yaws = [euler_from_rotation(rotation)[0] for rotation in views]

    def observe(self, deltas: Deltas, field: str) -> tuple[U8, Motion, dict[str, float]]:
        """Render a motion.

        Args:
            deltas: the motion, as the retargeter would ask for it.
            field: the attribute of SafeRange that is swept; tells what is worth measuring.

        Returns:
            The (H, W, 3) uint8 picture before the portrait's background, the motion, and the measures.
        """
        motion, rgb, alpha = self._render(deltas)
        if field in ("gaze_x", "gaze_y"):
            return rgb, motion, self._gaze(motion)
        seen = self._look(rgb, motion.landmarks_px) if self.sees_rest else None
        found = self._strayed(motion, seen)
        if field == "eye_opening":
            found["aperture"] = self._wide(motion)
        elif field == "mouth_opening":
            found |= self._mouth(motion, seen)
        else:
            found |= self._tears(motion, rgb, alpha)
            found["body"] = max(found["body"] - self._body, 0.0)
            lost = 1.0 - measures.detail(rgb, motion.landmarks_px) / self._detail
            found["blurred"] = max(lost, 0.0)
        if field == "yaw_rad":
            found["profile"] = self._profile(motion)
        return rgb, motion, found

    def _render(self, deltas: Deltas) -> tuple[Motion, U8, U8]:
        motion = self._target.motion(deltas)
        rgba = self._renderer.render(motion).rgba
        shows = 255 - rgba[..., 3:].astype(np.uint16)
        rgb = rgba[..., :3] + (self._avatar.background_rgb * shows // 255).astype(np.uint8)
        return motion, np.ascontiguousarray(rgb), rgba[..., 3]

    def _look(self, rgb: U8, near_px: F32) -> F32 | None:
        """Track twice: first where the face should be, then where it was found."""
        found = self._mesh.find(rgb, face_box(near_px))
        return None if found is None else self._mesh.find(rgb, face_box(found))

    def _gaze(self, motion: Motion) -> dict[str, float]:
        hidden = 1.0 - measures.visible_iris(motion.landmarks_px) / self._iris
        return {"iris_hidden": max(hidden, 0.0)}

    def _profile(self, motion: Motion) -> float:
        """How far the face looks to the side it is turned to, less how far its other pictures do.

        Neither tears nor a tracker notice a cheek that becomes a stranger's as its far side comes up.
        """
        turned = euler_from_rotation(motion.head.rotation)[0]
        yaw = euler_from_rotation(motion.head.rotation @ self._own_rotation)[0]
        side = 1.0 if turned > 0 else -1.0
        shown = max((side * view_yaw for view_yaw in self._view_yaws), default=0.0)
        return max(side * yaw - max(shown, 0.0), 0.0)

    def _strayed(self, motion: Motion, seen: F32 | None) -> dict[str, float]:
        if not self.sees_rest:
            return {}
        if seen is None:  # a face that is none any more
            return {"strayed": 1.0}
        unit_px = self._avatar.inter_ocular_px
        return {"strayed": measures.strayed(seen, motion.landmarks_px, self._bias_px, unit_px)}

    def _mouth(self, motion: Motion, seen: F32 | None) -> dict[str, float]:
        if seen is None:
            return {}
        own = measures.gap(self._rest.landmarks_px)
        asked = motion.mouth_opening - own
        got = measures.gap(seen) - self._gap_bias - own
        return {"mouth_short": max(1.0 - got / max(asked, 1e-3), 0.0)}

    def _wide(self, motion: Motion) -> float:
        """The aperture; eyes that are drawn wide open at rest may open as much again as a quarter."""
        allowed = max(measures.TOLERATED["aperture"], 1.25 * self._aperture)
        return measures.aperture(motion.landmarks_px) * measures.TOLERATED["aperture"] / allowed

    def _tears(self, motion: Motion, rgb: U8, alpha: U8) -> dict[str, float]:
        """What the warp tears; pixels that another picture of the person supplies are whole."""
        flow = self._warp.flow(motion)
        source = flow.texture_from_moved / np.float32(self._warp.scale)
        if self._avatar.views:
            own = self._warp.sample(flow)[..., :3].astype(np.int16)
            other = np.abs(rgb.astype(np.int16) - own).max(-1) > _FROM_VIEW
            alpha = np.where(other, 0, alpha).astype(np.uint8)
        return measures.tears(source, alpha, motion.landmarks_px)
