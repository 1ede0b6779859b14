"""The only kind of frame that leaves the product."""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import U8
from facepuppet.watermark.payload import Payload

SEAL = object()  # for who puts marks on frames: `mark.Marker` and `mark_gpu.GpuMarker`


@dataclass(frozen=True, slots=True)
class Marked:
    """A frame that carries the mark; the only kind that sinks accept. Made by markers alone.

    Attributes:
        rgb: (H, W, 3) uint8, read-only.
        payload: what the mark says.
        key_name: name of the key it was made with.
        i420: the same picture as (H * 3 / 2, W) uint8, read-only: BT.601 limited range, planes Y, U, V;
            None when nobody made it.

    Raises:
        WatermarkError: constructed by anyone but a marker.
    """

    rgb: U8
    frame_id: int
    captured_ns: int
    payload: Payload
    key_name: str
    seal: InitVar[object]
    i420: U8 | None = None

    def __post_init__(self, seal: object) -> None:
        if seal is not SEAL:
            raise WatermarkError("a Marked frame made by hand", "one from Marker.mark", "Mark the frame.")
        self.rgb.flags.writeable = False
        if self.i420 is not None:
            self.i420.flags.writeable = False
