"""The head of one portrait by LivePortrait: a motion in, a picture of the crop around the head out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.geometry import smoothstep
from facepuppet.core.types import F64, U8, Motion
from facepuppet.face.gaze import eye_openings
from facepuppet.face.lips import mouth_gap, mouth_width
from facepuppet.face.topology import EYES
from facepuppet.frames.cpu.render.renderer import Renderer
from facepuppet.frames.generated.expression_probes import expression_probes
from facepuppet.frames.generated.face_crop import FaceCrop, crop_of
from facepuppet.frames.generated.head_keypoints import driven, moved
from facepuppet.frames.generated.map_cache import MapCache
from facepuppet.frames.generated.motion_map import MotionMap, Poses, fit_map
from facepuppet.frames.generated.paste import FaceMask, face_mask
from facepuppet.frames.generated.portrait_networks import PortraitNetworks
from facepuppet.inference.imported_networks import N_KEYPOINTS
from facepuppet.portrait.avatar import Avatar

_SAME = 1e-3  # ratios that differ by less need no network


@dataclass(frozen=True, slots=True)
class HeadPicture:
    """A picture of the head.

    Attributes:
        rgb: (512, 512, 3) uint8, background and shoulders included.
        crop: where it lies in the moved portrait.
    """

    rgb: U8
    crop: FaceCrop


class GeneratedHead:
    """Shows motions of one portrait's head. What the networks know of its looks is computed here, once.

    Args:
        avatar: the portrait.
        renderer: of the same portrait; shows the networks what it can do.
        networks: what makes the pictures.
        cache: of what was learnt of portraits before.

    Attributes:
        crop: what the networks see of the portrait.
        runs_on: what runs the networks, for people.

    Raises:
        EngineError: an engine failed, or a network answers what is no number.
        PortraitUnfitError: the motion network does not see this head turn.
    """

    def __init__(
        self, avatar: Avatar, renderer: Renderer, networks: PortraitNetworks, cache: MapCache | None = None
    ) -> None:
        self._networks, self.runs_on = networks, networks.description
        self.crop = crop_of(avatar.landmarks_px)
        seen = self.crop.cut(avatar.portrait_rgb)
        self._feature, self._source = networks.features(seen), networks.look(seen)
        self._points = self._source.points
        probes = expression_probes(avatar)
        rest = next(probes)
        self._poses = Poses(rest, avatar.head_pivot_px.astype(np.float64), avatar.inter_ocular_px)
        still = self._poses.still(rest).astype(np.float32)
        self._own_lids = eye_openings(still).astype(np.float64)
        self._own_lips = mouth_gap(still) / mouth_width(still)
        self._pivot_px, self._unit_px = avatar.head_pivot_px[:2], avatar.inter_ocular_px
        self._size_px = avatar.size_px
        self._left_share = self._image_left(avatar)
        self._lids_at_rest = [networks.lids(self._points, self._own_lids, own) for own in self._own_lids]
        self._lips_at_rest = networks.lips(self._points, self._own_lips, self._own_lips)
        self._stitched_at_rest = networks.stitching(self._points, self._points)
        self._rest = networks.look(self.crop.cut(shown_by(renderer, avatar, rest)))
        cache = cache or MapCache(networks.digest)
        self._map = cache.get(avatar) or self._fitted(renderer, avatar, rest, probes, cache)

    def picture(self, motion: Motion) -> HeadPicture:
        """Return the head in a motion.

        Raises:
            EngineError: an engine failed, or a network answered what is no number.
        """
        wanted = self.keypoints(motion)
        change = self._networks.stitching(self._points, wanted) - self._stitched_at_rest
        # Stitching moves a head to its shoulders; here it stays where the built-in maker has neck and hair.
        back = -change[:, :2].mean(0)
        rgb = self._networks.picture(self._feature, self._points, wanted + change)
        return HeadPicture(rgb, self.crop.moved(motion, self._pivot_px, back))

    def mask(self, motion: Motion) -> FaceMask | None:
        """Return where the head's picture is seen in a motion; None if nowhere."""
        return face_mask(motion, self._unit_px, self._size_px)

    def keypoints(self, motion: Motion) -> F64:
        """Return the (21, 3) keypoints of a motion, without the head's shift and size, before stitching."""
        angles, translation, expression = self._map.changes(self._poses.of(motion))
        driver = moved(self._rest, angles, translation, expression + self._opened(motion))
        return driven(self._source, self._rest, driver)

    def _opened(self, motion: Motion) -> F64:
        """What lids and lips add to the expression, (21, 3), by the ratios that they open to."""
        change = np.zeros((N_KEYPOINTS, 3))
        openings = self._own_lids * motion.eye_opening
        for i, (own, wanted) in enumerate(zip(self._own_lids, openings.tolist(), strict=True)):
            if abs(wanted - own) > _SAME:
                both = self._networks.lids(self._points, self._own_lids, wanted) - self._lids_at_rest[i]
                change += (self._left_share if i == 0 else 1.0 - self._left_share) * both
        still = self._poses.still(motion).astype(np.float32)
        lips = mouth_gap(still) / mouth_width(still)
        if abs(lips - self._own_lips) > _SAME:
            change += self._networks.lips(self._points, self._own_lips, lips) - self._lips_at_rest
        return change / self._source.scale

    def _image_left(self, avatar: Avatar) -> F64:
        """(21, 1) how far each keypoint is of the image-left eye: the lids' head opens both eyes alike."""
        crop_from_portrait = cv2.invertAffineTransform(self.crop.portrait_from_crop)
        irises = avatar.landmarks_px[[eye.iris_centre for eye in EYES], :2].astype(np.float64)
        left, right = (irises @ crop_from_portrait[:, :2].T + crop_from_portrait[:, 2])[:, 0]
        across = (self._points[:, :1] - left) / (right - left)
        return np.asarray(1.0 - smoothstep(across), np.float64)

    def _fitted(
        self, renderer: Renderer, avatar: Avatar, rest: Motion, probes: Iterator[Motion], cache: MapCache
    ) -> MotionMap:
        """Let the motion network look at every probe, and learn from it."""
        seen, poses, opened = [self._rest], [self._poses.of(rest)], [np.zeros((N_KEYPOINTS, 3))]
        for motion in probes:
            seen.append(self._networks.look(self.crop.cut(shown_by(renderer, avatar, motion))))
            poses.append(self._poses.of(motion))
            opened.append(self._opened(motion))
        found = fit_map(poses, seen, opened)
        cache.put(avatar, found)
        return found


def shown_by(renderer: Renderer, avatar: Avatar, motion: Motion) -> U8:
    """Return the built-in maker's picture of a motion before the portrait's own background, (H, W, 3)."""
    rgba = renderer.render(motion).rgba
    clear = cv2.cvtColor(cv2.bitwise_not(rgba[..., 3]), cv2.COLOR_GRAY2RGB)
    behind = cv2.multiply(avatar.background_rgb, clear, scale=1 / 255)
    return np.asarray(cv2.add(rgba[..., :3], behind), np.uint8)
