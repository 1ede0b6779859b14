"""Is it the same person? A recogniser that shares nothing with the tracker (development only)."""

from __future__ import annotations

import dlib
import face_recognition_models
import numpy as np

from facepuppet.core import F32, F64, U8


class Identity:
    """dlib's 128 numbers of a face (ResNet, 99.38 % on LFW), as unit vectors.

    Cosines of strangers are about 0.8 to 0.9 with this network, of one person above 0.92: compare ratios.
    """

    def __init__(self) -> None:
        self._shape = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())
        self._network = dlib.face_recognition_model_v1(
            face_recognition_models.face_recognition_model_location()
        )

    def of(self, rgb: U8, landmarks_px: F32) -> F64:
        """Embed the face of an (H, W, 3) uint8 RGB picture with (478, 2+) landmarks: (128,), unit length."""
        picture = np.ascontiguousarray(rgb)
        low, high = landmarks_px[:, :2].min(0), landmarks_px[:, :2].max(0)
        box = dlib.rectangle(*(round(float(v)) for v in (*low, *high)))
        numbers = np.array(self._network.compute_face_descriptor(picture, self._shape(picture, box)))
        return np.asarray(numbers / np.linalg.norm(numbers))
