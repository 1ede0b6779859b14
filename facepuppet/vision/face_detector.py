"""All faces of a picture."""

from __future__ import annotations

from facepuppet.core.types import U8
from facepuppet.inference.runtime import Runtime
from facepuppet.vision.boxes import FaceBox, eye_roll
from facepuppet.vision.detections import Detection, anchor_centres, decode
from facepuppet.vision.sessions import open_network
from facepuppet.vision.window import letterboxed


class RangedDetector:
    """Finds faces of one range of sizes.

    Args:
        far: faces within five metres of the camera, or within two.
        min_confidence: what to take for a face, in [0, 1]; the range's own in MediaPipe's graphs if None.
        runtime: what runs the network; one thread of the CPU if None.

    Raises:
        ManifestError: the network's file is missing or damaged.
    """

    def __init__(
        self, *, far: bool, min_confidence: float | None = None, runtime: Runtime | None = None
    ) -> None:
        self._session = open_network("face-detection-far" if far else "face-detection-near", runtime)
        side = 192 if far else 128
        self._crop_px = (side, side)
        self._centres_px = anchor_centres(side, [(4, 1)] if far else [(8, 2), (16, 6)])
        self._min_confidence = (0.6 if far else 0.5) if min_confidence is None else min_confidence

    def find(self, rgb: U8) -> list[Detection]:
        """Return the faces of an (H, W, 3) uint8 RGB picture, surest first, in its pixels.

        The first two keypoints are the eyes, image-left first.
        """
        window = letterboxed(rgb)
        given = self._session.run({"picture": window.cut(rgb, self._crop_px, extend=False)[None]})
        scores = given["scores"].reshape(-1)
        found = decode(given["boxes"][0], scores, self._centres_px, self._min_confidence)
        return [
            detection.moved(lambda points: window.to_picture(points, self._crop_px)) for detection in found
        ]


class FaceDetector:
    """Boxes of all faces within about five metres of the camera; about 2 ms a picture on one core.

    There is a network for far faces and one for near ones; the near one is asked when the other sees nobody.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        # Both are opened now: a damaged file must not show in mid-call.
        self._far, self._near = (RangedDetector(far=far, runtime=runtime) for far in (True, False))

    def find(self, rgb: U8) -> list[FaceBox]:
        """Return a box for each face of an (H, W, 3) uint8 RGB picture, surest first, in image pixels."""
        return [detected_box(detection) for detection in self._far.find(rgb) or self._near.find(rgb)]

    def close(self) -> None:
        """Nothing is held beyond the object itself."""


def detected_box(detection: Detection) -> FaceBox:
    """The box of a detected face, tilted as its eyes are."""
    x, y = ((detection.low_px + detection.high_px) / 2).tolist()
    size_px = float((detection.high_px - detection.low_px).max())
    return FaceBox(x, y, size_px, eye_roll(*detection.keypoints_px[:2]))
