"""The only kind of frame that leaves the product."""

from __future__ import annotations

from dataclasses import InitVar, dataclass

from facepuppet.core.errors import WatermarkError
from facepuppet.core.i420 import to_rgb
from facepuppet.core.types import U8, Matte
from facepuppet.watermark.payload import Payload

SEAL = object()  # for who puts marks on frames: `mark.Marker` and `mark_gpu.GpuMarker`


@dataclass(frozen=True, slots=True)
class Marked:
    """A frame that carries the mark; the only kind that sinks accept. Made by markers alone.

    Attributes:
        payload: what the mark says.
        key_name: name of the key it was made with.
        i420: the picture as (H * 3 / 2, W) uint8, read-only: BT.601 limited range, planes Y, U, V;
            None when nobody made it.
        matte: what of it is background, read-only; None where nobody asked, or its maker cannot tell.

    Raises:
        WatermarkError: constructed by anyone but a marker, or of no picture.
    """

    _rgb: U8 | None
    frame_id: int
    captured_ns: int
    payload: Payload
    key_name: str
    seal: InitVar[object]
    i420: U8 | None = None
    matte: Matte | None = None

    def __post_init__(self, seal: object) -> None:
        if seal is not SEAL:
            raise WatermarkError("a Marked frame made by hand", "one from Marker.mark", "Mark the frame.")
        pictures = [picture for picture in (self._rgb, self.i420) if picture is not None]
        if not pictures:
            raise WatermarkError("a Marked frame of no picture", "RGB, I420 or both", "Mark a frame.")
        for picture in pictures:
            picture.flags.writeable = False
        if self.matte is not None:
            self.matte.alpha.flags.writeable = False

    @property
    def rgb(self) -> U8:
        """(H, W, 3) uint8, read-only; where only I420 was made, converted from it once somebody asks."""
        if self._rgb is not None:
            return self._rgb
        assert self.i420 is not None
        rgb = to_rgb(self.i420)
        rgb.flags.writeable = False
        object.__setattr__(self, "_rgb", rgb)  # the same picture: nothing that can be seen changes
        return rgb

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        if self._rgb is not None:
            return self._rgb.shape[1], self._rgb.shape[0]
        assert self.i420 is not None
        return self.i420.shape[1], self.i420.shape[0] * 2 // 3
