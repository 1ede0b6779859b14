"""The two large networks, warping and decoder: from keypoints to the planes of a picture."""

from __future__ import annotations

import threading
from functools import partial
from typing import Protocol

import numpy as np

from facepuppet.core.errors import ManifestError
from facepuppet.core.types import F32, F64
from facepuppet.frames.cuda.device import Device
from facepuppet.inference.gpu import HUNG_S
from facepuppet.inference.imported_networks import SHOWN_PX, SIGNATURES, GeneratorNetwork
from facepuppet.inference.on_device import OnDeviceSession
from facepuppet.inference.onnx_session import LABELS, Session
from facepuppet.inference.runtime import Runtime

_FIRST_S = 120.0  # TensorRT-RTX compiles its kernels in the first run
_POINTS = ("source_keypoints", "driving_keypoints")


class HeadPainter(Protocol):
    """Paints heads of any number of portraits."""

    @property
    def description(self) -> str:
        """What runs it, for people."""

    def paint(self, feature: F32, source: F64, driving: F64) -> F32:
        """Return the planes (3, 512, 512) of a picture in 0..1; the next call may write over them.

        Args:
            feature: of the portrait, always the same array.
            source: (21, 3) keypoints as the portrait has them.
            driving: (21, 3) as they shall be.

        Raises:
            EngineError: the engine failed.
        """


class HostPainter:
    """Both networks as sessions, whatever they run on; what goes between them passes through here."""

    def __init__(self, warping: Session, decoder: Session) -> None:
        self._warping, self._decoder = warping, decoder
        self.description = decoder.description

    def paint(self, feature: F32, source: F64, driving: F64) -> F32:
        """Return the planes of a picture."""
        points = {
            name: np.asarray(one, np.float32)[None]
            for name, one in zip(_POINTS, (source, driving), strict=True)
        }
        warped = self._warping.run({"feature": feature, **points})["warped"]
        planes: F32 = self._decoder.run({"warped": warped})["picture"][0]
        return planes


class DevicePainter:
    """Both networks on one NVIDIA GPU: the feature stays there, 126 numbers go up, a picture comes down.

    Args:
        runtime: opens them.
        engine: one of ON_DEVICE.
        warping, decoder: the networks.

    Raises:
        ManifestError: a damaged file, or a network of other shapes.
        EngineError: no CuPy, no GPU, or its memory is full.
    """

    def __init__(
        self, runtime: Runtime, engine: str, warping: GeneratorNetwork, decoder: GeneratorNetwork
    ) -> None:
        self._device = device = Device(runtime.gpu(engine), runtime)
        opened = partial(runtime.open_on_device, engine, stream=device.stream)
        self._warping, self._decoder = opened(warping), opened(decoder)
        for session, network in ((self._warping, warping), (self._decoder, decoder)):
            _require_signature(session, network)
        self.description = f"{LABELS[engine]} on {device.gpu.name}, all on the card"
        self._points = {
            name: device.pinned(4 * int(np.prod(SIGNATURES["warping"][0][name]))) for name in _POINTS
        }
        self._picture = device.pinned(4 * 3 * SHOWN_PX**2)
        self._held: F32 | None = None
        self._patience_s = _FIRST_S
        self._painting = threading.Lock()

    def paint(self, feature: F32, source: F64, driving: F64) -> F32:
        """Return the planes of a picture."""
        with self._painting:
            if self._held is not feature:  # another portrait's turn
                self._device.fill(self._warping.memory["feature"], feature)
                self._held = feature
            for name, points in zip(_POINTS, (source, driving), strict=True):
                self._points[name].view(np.float32)[:] = points.ravel()
            self._device.run(self._enqueue)
            self._device.wait(self._patience_s)
            if self._patience_s != HUNG_S:
                self._patience_s = HUNG_S
                self._warping.keep()
                self._decoder.keep()
            return self._picture.view(np.float32).reshape(3, SHOWN_PX, SHOWN_PX)

    def _enqueue(self) -> None:
        device, warping, decoder = self._device, self._warping.memory, self._decoder.memory
        for name in _POINTS:
            device.copy_in(self._points[name].view(np.float32).reshape(warping[name].shape), warping[name])
        self._warping.enqueue(device.stream)
        device.copy(warping["warped"], decoder["warped"])
        self._decoder.enqueue(device.stream)
        device.copy_out(decoder["picture"], self._picture.view(np.float32).reshape(decoder["picture"].shape))


def _require_signature(session: OnDeviceSession, network: GeneratorNetwork) -> None:
    """Check what was opened.

    Raises:
        ManifestError: a network of other inputs or outputs.
    """
    given = {name: tuple(held.shape) for name, held in session.memory.items()}
    wanted = {**network.inputs, **network.outputs}
    if given != wanted:
        raise ManifestError(f"{network.path.name} with {given}", f"{wanted}", network.mend)
