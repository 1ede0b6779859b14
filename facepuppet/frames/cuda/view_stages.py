"""Further pictures of the person on the GPU: `render.view_layers`."""

from __future__ import annotations

import cv2
import numpy as np

from facepuppet.core.types import Motion
from facepuppet.frames.cpu.render.view_choice import Choice, Shares
from facepuppet.frames.cpu.render.view_layers import ViewLayers
from facepuppet.frames.cpu.render.view_parts import PartLayer, in_turn
from facepuppet.frames.cuda.device import Array, Device
from facepuppet.frames.cuda.parameters import N_VIEWS_SHARING, Parameters
from facepuppet.frames.cuda.warping import WarpStage

_SKIN, _FILLING = 1, 2  # kinds of triangle of a part


class FaceViewsStage:
    """Blends the views' skin into the warped picture; to be followed by `PartViewsStage`.

    Args:
        device: where.
        views: the same on the CPU, whose preparation is used.
        warp: of the same frame.
        parameters: of the frame, on the GPU.
    """

    def __init__(self, device: Device, views: ViewLayers, warp: WarpStage, parameters: Array) -> None:
        self._device, self._views, self._warp, self._parameters = device, views, warp, parameters
        self._textures = device.upload(np.stack(views.face.textures))

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Write what this stage and the next need to know of a frame."""
        choice = self._views.choose(motion)
        for layer, shares in enumerate(_in_layers(choice)):
            parameters["view_number"][layer] = [view for view, _ in shares] + [-1] * (
                N_VIEWS_SHARING - len(shares)
            )
            parameters["view_share"][layer, : len(shares)] = [share for _, share in shares]
        parameters["view_interior"][: len(choice.interior)] = choice.interior

    def enqueue(self) -> None:
        """Draw into the moved picture."""
        height, width = self._warp.moved.shape[:2]
        texture = self._views.face.textures[0]
        self._device.launch(
            "view_face",
            (width, height),
            self._parameters,
            self._warp.texture_from_face,
            self._textures,
            texture.shape[1],
            texture.shape[0],
            *self._views.face.texture_from_layout,
            width,
            self._warp.moved,
        )


class PartViewsStage:
    """Draws mouth and lids from the views; arguments as of `FaceViewsStage`, which tells for both."""

    def __init__(self, device: Device, views: ViewLayers, warp: WarpStage, parameters: Array) -> None:
        self._device, self._warp, self._parameters = device, warp, parameters
        parts = (views.mouth, *views.lids)
        sizes = [texture.shape[:2] for texture in views.mouth.textures]
        offsets = np.cumsum([0, *(height * width for height, width in sizes)])
        pictures = [(offset, width, height) for offset, (height, width) in zip(offsets, sizes, strict=False)]
        self._pictures = device.upload(np.array(pictures, np.int32))
        opaque = [cv2.cvtColor(texture, cv2.COLOR_RGB2RGBA) for texture in views.mouth.textures]
        self._textures = device.upload(np.concatenate([picture.reshape(-1, 4) for picture in opaque]))
        self._parts = [
            tuple(device.upload(array) for array in _dense(part, warp.n_triangles)) for part in parts
        ]

    def set_parameters(self, motion: Motion, parameters: Parameters) -> None:
        """Nothing of its own."""

    def enqueue(self) -> None:
        """Draw into the moved picture; the eyeballs are still to be drawn between the lids."""
        height, width = self._warp.moved.shape[:2]
        for i, (sources, kind) in enumerate(self._parts):
            self._device.launch(
                "view_part",
                (width, height),
                self._parameters,
                1 + i,
                self._warp.triangles,
                self._warp.n_triangles,
                self._warp.front,
                sources,
                kind,
                int(i == 0),  # of mouths alone, the view may show too little to fill the opening
                self._textures,
                self._pictures,
                width,
                self._warp.moved,
            )


def _in_layers(choice: Choice) -> tuple[Shares, Shares, Shares, Shares]:
    return choice.face, in_turn(choice.mouth), in_turn(choice.lids[0]), in_turn(choice.lids[1])


def _dense(part: PartLayer, n: int) -> tuple[np.typing.NDArray[np.float32], np.typing.NDArray[np.int32]]:
    """Sources (views, n, 3, 3) and kinds (n,) of a part for all n triangles of the mesh."""
    sources = np.zeros((len(part.sources), n, 3, 3), np.float32)
    sources[:, part.chosen] = part.sources
    kind = np.zeros(n, np.int32)
    kind[part.chosen] = np.where(part.inside, _FILLING, _SKIN)
    return sources, kind
