"""Which of MediaPipe's networks are converted, and what of each is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One conversion.

    Attributes:
        name: of the ONNX file and of its entry in the manifest.
        file: path of the TFLite file below the `mediapipe` package.
        span: what the levels 0 and 255 of the picture become.
        outputs: public name of each output kept, by the name of TFLite's tensor.
        title: what the network tells, in words.
    """

    name: str
    file: str
    span: tuple[float, float]
    outputs: dict[str, str]
    title: str


SOURCES = (
    Source(
        "face-landmarks",
        "modules/face_landmark/face_landmark_with_attention.tflite",
        (0.0, 1.0),
        {
            "output_mesh_identity": "mesh",
            "output_lips": "lips",
            "output_left_eye": "left_eye",
            "output_right_eye": "right_eye",
            "output_left_iris": "left_iris",
            "output_right_iris": "right_iris",
            "conv_faceflag": "presence",
        },
        "478 landmarks of the face in a crop, lips, eyes and irises by networks of their own",
    ),
    Source(
        "face-detection-near",
        "modules/face_detection/face_detection_short_range.tflite",
        (-1.0, 1.0),
        {"regressors": "boxes", "classificators": "scores"},
        "faces within two metres",
    ),
    Source(
        "face-detection-far",
        "modules/face_detection/face_detection_full_range_sparse.tflite",
        (-1.0, 1.0),
        {"Identity": "boxes", "Identity_1": "scores"},
        "faces within five metres",
    ),
    Source(
        "pose-detection",
        "modules/pose_detection/pose_detection.tflite",
        (-1.0, 1.0),
        {"Identity": "boxes", "Identity_1": "scores"},
        "people, each with the middle of the hips and a point that gives size and tilt",
    ),
    Source(
        "pose-landmarks",
        "modules/pose_landmark/pose_landmark_full.tflite",
        (0.0, 1.0),
        {"Identity": "landmarks", "Identity_1": "presence", "Identity_3": "heatmaps"},
        "39 landmarks of the body in a crop",
    ),
    Source(
        "pose-mask",
        "modules/pose_landmark/pose_landmark_full.tflite",
        (0.0, 1.0),
        {"Identity_2": "mask"},
        "the person in the same crop",
    ),
    Source(
        "selfie-segmentation",
        "modules/selfie_segmentation/selfie_segmentation.tflite",
        (0.0, 1.0),
        {"activation_10": "mask"},
        "the person in a picture squeezed to a square",
    ),
)
