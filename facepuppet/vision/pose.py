"""The body: where the shoulders are, and on still pictures where the person is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from facepuppet.core.types import F32, U8
from facepuppet.inference.runtime import Runtime
from facepuppet.vision.detections import anchor_centres, decode, probability
from facepuppet.vision.heatmaps import refined
from facepuppet.vision.sessions import open_network
from facepuppet.vision.window import Window, letterboxed

_DETECTION_PX = (224, 224)
_CROP_PX = (256, 256)
_GRIDS = [(8, 2), (16, 2), (32, 6)]
_MIN_SCORE = 0.5  # of a body, in [0, 1]
_N_LANDMARKS = 39
_SHOULDERS = (12, 11)  # the person's right and left: image-left first
_HIPS, _REACH = 33, 34  # the middle of the hips, and a point as far from it as the body reaches
# A window moves only with the body: taken anew from each picture it trembles, and the shoulders with it, by
# up to 20 px between two looks at one still picture 512 px wide.
_HELD = 0.1  # of the window's side, and radians
_MOST_LOOKS = 3  # at a body just found: what the detector says of it is rough
_WINDOW = 1.25  # side of what the landmark network sees over the body's reach to both sides


@dataclass(frozen=True, slots=True)
class Body:
    """What the pose network sees.

    Attributes:
        shoulders_px: (2, 2) float32 in image pixels, image-left first.
        confidence: visibility of the less visible shoulder, in [0, 1].
        window: what the network was shown.
        next_window: the same around the body that it found.
    """

    shoulders_px: F32
    confidence: float
    window: Window
    next_window: Window


class PoseModel:
    """Finds the body of one person in a stream of pictures; about 5 ms each on one core, 10 the first.

    Args:
        runtime: what runs the networks; one thread of the CPU if None.

    Raises:
        ManifestError: a network's file is missing or damaged.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._detector = open_network("pose-detection", runtime)
        self._landmarks = open_network("pose-landmarks", runtime)
        self._centres_px = anchor_centres(_DETECTION_PX[0], _GRIDS)
        self._window: Window | None = None  # where the body was in the last picture, None while lost

    def find(self, rgb: U8) -> tuple[F32, float] | None:
        """Find the shoulders in an (H, W, 3) uint8 RGB picture.

        A body just found is looked at again where its landmarks are, until the window stays: the first frame
        of a still body then says what all later ones say.

        Returns:
            (2, 2) float32 in image pixels, image-left first, and the visibility in [0, 1] of the less
            visible one; None when no body is seen.
        """
        looks = 1 if self._window is not None else _MOST_LOOKS
        body = self.view(rgb)
        while body is not None and looks > 1 and body.window is not self._window:
            body, looks = self.view(rgb), looks - 1
        return None if body is None else (body.shoulders_px, body.confidence)

    def view(self, rgb: U8) -> Body | None:
        """As `find`, with where the network looked."""
        window = self._window or self._detect(rgb)
        body = None if window is None else self._look(rgb, window)
        if body is None:
            self._window = None
        elif self._window is None or body.next_window.strays_from(body.window, _HELD):
            self._window = body.next_window
        return body

    def close(self) -> None:
        """Nothing is held beyond the object itself."""

    def _detect(self, rgb: U8) -> Window | None:
        window = letterboxed(rgb)
        given = self._detector.run({"picture": window.cut(rgb, _DETECTION_PX, extend=False)[None]})
        found = decode(given["boxes"][0], given["scores"].reshape(-1), self._centres_px, _MIN_SCORE)
        if not found:
            return None
        hips, reach = window.to_picture(found[0].keypoints_px[:2], _DETECTION_PX)
        return _around(hips, reach)

    def _look(self, rgb: U8, window: Window) -> Body | None:
        given = self._landmarks.run({"picture": window.cut(rgb, _CROP_PX, extend=True)[None]})
        if given["presence"].item() <= 0.5:
            return None
        values = given["landmarks"].reshape(_N_LANDMARKS, -1)
        wanted = [*_SHOULDERS, _HIPS, _REACH]
        places = refined(values[wanted, :2] / np.float32(_CROP_PX[0]), given["heatmaps"][0, wanted])
        right, left, hips, reach = window.to_picture(places * np.float32(_CROP_PX[0]), _CROP_PX)
        visible = probability(values[list(_SHOULDERS), 3])
        return Body(np.stack([right, left]), float(visible.min()), window, _around(hips, reach))


class BodyMask:
    """Where the person is whose body was found."""

    def __init__(self) -> None:
        self._session = open_network("pose-mask")

    def find(self, rgb: U8, window: Window) -> F32:
        """Return the (H, W) float32 probability of the person, 0 outside of the window."""
        given = self._session.run({"picture": window.cut(rgb, _CROP_PX, extend=True)[None]})
        crop = probability(given["mask"][0, 0])
        height, width = rgb.shape[:2]
        mask: F32 = cv2.warpAffine(
            crop, window.picture_from_crop(_CROP_PX), (width, height), flags=cv2.INTER_LINEAR
        )
        return mask


def _around(hips_px: F32, reach_px: F32) -> Window:
    """The window of a body: around its hips, turned until the second point is straight above them."""
    x, y = (reach_px - hips_px).tolist()
    side_px = 2 * math.hypot(x, y) * _WINDOW
    return Window(float(hips_px[0]), float(hips_px[1]), side_px, side_px, math.atan2(x, -y))
