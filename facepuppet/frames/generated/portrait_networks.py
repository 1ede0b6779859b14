"""The seven networks of LivePortrait on one engine, and what is asked of each."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from facepuppet.core.errors import EngineError, ManifestError
from facepuppet.core.hardware import usable_cores
from facepuppet.core.types import F32, F64, U8
from facepuppet.frames.generated.head_keypoints import HeadState, head_state
from facepuppet.frames.generated.head_painter import DevicePainter, HeadPainter, HostPainter
from facepuppet.inference.imported_networks import (
    MEND,
    N_KEYPOINTS,
    SIGNATURES,
    GeneratorNetwork,
    read_generators,
)
from facepuppet.inference.on_device import ON_DEVICE
from facepuppet.inference.onnx_session import Session
from facepuppet.inference.runtime import Runtime

log = logging.getLogger(__name__)


class PortraitNetworks:
    """Runs the networks; portraits share one of these.

    The CPU does not stand by as it does for painters: it would take the call seconds a frame.

    Args:
        runtime: opens them.
        engine: one of ENGINES; the CPU then works with every core.
        folder: of the import; the user's own if None.

    Attributes:
        description: what runs them, for people.
        digest: of the networks that see motion, for what was learnt of them.

    Raises:
        ManifestError: no import, one that is not whole, damaged, or of networks of other shapes.
        EngineError: the engine cannot run them: it is not here, or its memory is full.
    """

    def __init__(self, runtime: Runtime, engine: str, folder: Path | None = None) -> None:
        networks = read_generators(folder)
        large = {part: networks.pop(part) for part in ("warping", "decoder")}
        self._painter = _opened_painter(runtime, engine, **large)
        self._sessions = {part: _opened(runtime, engine, network) for part, network in networks.items()}
        self.description = self._painter.description
        self.digest = "".join(networks[part].sha256 for part in ("motion", "eyes", "lips"))

    def features(self, picture: U8) -> F32:
        """Return what the networks know of how a head looks, (1, 32, 16, 64, 64), of a (256, 256, 3) crop."""
        return self._run("appearance", {"picture": _planes(picture)})["feature"]

    def look(self, picture: U8) -> HeadState:
        """Return how a head is posed in a (256, 256, 3) crop."""
        return head_state(self._run("motion", {"picture": _planes(picture)}))

    def stitching(self, source: F64, driving: F64) -> F64:
        """Return what of (21, 3) driving keypoints has to change for the shoulders to stay, (21, 3)."""
        both = np.concatenate([source.ravel(), driving.ravel()])
        change = self._changed("stitching", both)
        points = change[:-2].reshape(-1, 3)
        points[:, :2] += change[-2:]
        return points

    def lids(self, source: F64, own: F64, wanted: float) -> F64:
        """Return the (21, 3) change that opens both eyes by a ratio.

        Args:
            source: (21, 3) keypoints of the portrait.
            own: (2,) aperture of its lids over the eyes' width, image-left first.
            wanted: the same of both, then.
        """
        given = np.concatenate([source.ravel(), own, [wanted]])
        return self._changed("eyes", given).reshape(N_KEYPOINTS, 3)

    def lips(self, source: F64, own: float, wanted: float) -> F64:
        """Return the (21, 3) change that opens the mouth from one ratio of gap to width to another."""
        given = np.concatenate([source.ravel(), [own, wanted]])
        return self._changed("lips", given).reshape(N_KEYPOINTS, 3)

    def picture(self, feature: F32, source: F64, driving: F64) -> U8:
        """Return the (512, 512, 3) picture of a head whose keypoints go from one place to another.

        Raises:
            EngineError: an engine failed, or a network answered what is no number.
        """
        planes = self._painter.paint(feature, source, driving)
        _require_numbers(planes, "decoder's picture", self.description)
        levels = cv2.convertScaleAbs(cv2.max(cv2.merge(list(planes)), 0.0), alpha=255.0)
        return np.asarray(levels, np.uint8)

    def _changed(self, part: str, values: F64) -> F64:
        (name,), (output,) = SIGNATURES[part]
        answer = self._run(part, {name: np.asarray(values, np.float32)[None]})[output]
        return np.asarray(answer[0], np.float64)

    def _run(self, part: str, feed: Mapping[str, F32]) -> dict[str, F32]:
        """Run one network.

        Raises:
            EngineError: it failed, or answered what is no number.
        """
        session = self._sessions[part]
        outputs = session.run(feed)
        for name, values in outputs.items():
            _require_numbers(values, f"{part}'s {name}", session.description)
        return outputs


def _require_numbers(values: F32, what: str, by: str) -> None:
    """Check an answer.

    Raises:
        EngineError: it holds infinity or NaN, which a sum keeps.
    """
    if not np.isfinite(values.sum(dtype=np.float64)):
        raise EngineError(
            f"LivePortrait on {by}, whose {what} is no number",
            "numbers",
            "Choose another --engine, or --maker builtin.",
        )


def _opened_painter(
    runtime: Runtime, engine: str, warping: GeneratorNetwork, decoder: GeneratorNetwork
) -> HeadPainter:
    """Open the large parts, all on the card where that can be.

    Raises:
        ManifestError, EngineError: as `PortraitNetworks`.
    """
    if engine in ON_DEVICE:
        try:
            return DevicePainter(runtime, engine, warping, decoder)
        except EngineError as problem:
            log.info("Pictures pass through the computer's memory between two networks. %s", problem)
    return HostPainter(_opened(runtime, engine, warping), _opened(runtime, engine, decoder))


def _opened(runtime: Runtime, engine: str, network: GeneratorNetwork) -> Session:
    """Open one part.

    Raises:
        ManifestError, EngineError: as `PortraitNetworks`.
    """
    try:
        session = runtime.open_alone(network, engine, threads=usable_cores() if engine == "cpu" else None)
    except ManifestError as problem:
        raise ManifestError(problem.got, problem.expected, MEND) from problem
    given, outputs = dict(session.input_shapes), set(session.output_names)
    if given != dict(network.inputs) or outputs != set(network.outputs):
        raise ManifestError(
            f"{network.path.name} with inputs {given} and outputs {sorted(outputs)}",
            f"inputs {dict(network.inputs)} and outputs {sorted(network.outputs)}",
            MEND,
        )
    return session


def _planes(picture: U8) -> F32:
    """(1, 3, H, W) float32 in 0..1 of an (H, W, 3) picture."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255.0)
