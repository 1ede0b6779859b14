"""The landmarks of a face whose place is known."""

from __future__ import annotations

from facepuppet.core.types import F32, U8
from facepuppet.face.topology import N_MESH
from facepuppet.inference.runtime import Runtime
from facepuppet.vision.boxes import FaceBox
from facepuppet.vision.refinement import refine
from facepuppet.vision.sessions import open_network
from facepuppet.vision.window import Window

WINDOW = 1.5  # side of what the landmark network sees over the size of the face
CROP_PX = (192, 192)


class FaceMesh:
    """Landmarks of the face in a given box; about 1.5 ms a face on one core. Each box is looked at afresh.

    Args:
        runtime: what runs the network; one thread of the CPU if None.

    Attributes:
        presence: log odds that there was a face where it looked last; None before the first look.

    Raises:
        ManifestError: the network's file is missing or damaged.
    """

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._session = open_network("face-landmarks", runtime)
        self.presence: float | None = None

    def find(self, rgb: U8, box: FaceBox) -> F32 | None:
        """Return the landmarks of the face in a box, or None when no face is there.

        Args:
            rgb: (H, W, 3) uint8 RGB picture.
            box: where the face is, to within about a third of its size, as the last frame left it.

        Returns:
            (478, 3) float32 in image pixels; z is in pixels too, negative towards the viewer, with its
            zero near the middle of the head.
        """
        side_px = WINDOW * box.size_px
        window = Window(box.x_px, box.y_px, side_px, side_px, box.roll_rad)
        given = self._session.run({"picture": window.cut(rgb, CROP_PX, extend=True)[None]})
        self.presence = presence = float(given["presence"].item())
        if presence <= 0:
            return None
        points = refine(
            given["mesh"].reshape(N_MESH, 3),
            given["lips"].reshape(-1, 2),
            (given["left_eye"].reshape(-1, 2), given["right_eye"].reshape(-1, 2)),
            (given["left_iris"].reshape(-1, 2), given["right_iris"].reshape(-1, 2)),
        )
        return window.to_picture(points, CROP_PX)

    def close(self) -> None:
        """Nothing is held beyond the object itself."""
