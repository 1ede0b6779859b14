"""Putting the mark on a frame at constant cost."""

from __future__ import annotations

import copy

import cv2
import numpy as np

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import F32, U8, Composed, ComposedI420
from facepuppet.watermark.carrier import C64, CELLS_PER_SIDE, RATE_HZ, TORUS_CELLS, carrier_of, field_of
from facepuppet.watermark.code import encode
from facepuppet.watermark.keys import PUBLIC_KEY, Key
from facepuppet.watermark.marked import SEAL, Marked
from facepuppet.watermark.mask import strength
from facepuppet.watermark.payload import Payload, message_bits

_REDUCED_SIDE_PX = 180  # two samples a cell
SHIFT = 4
_STEPS = 1 << SHIFT  # the delta is computed in 1/16 of a grey level
_LOWEST = 8  # deltas of −8 to +7.9 fit a byte
ZERO = _LOWEST * _STEPS
_BLACK, _VIDEO_RANGE = 16, 219 / 255  # luma of I420 and NV12 spans 16–235
_STRIP_BYTES = 700_000  # of a picture that is marked at a time: what a core's own cache holds
_LOW_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)


class Marker:
    """Marks frames of one size with one key and payload; for one thread at a time.

    The carrier's origin is the centre of the canvas; a cell is 1/90 of its shorter side.

    Args:
        key: who can detect the mark.
        payload: the 64 bits it carries.
        size_px: canvas width and height.

    Attributes:
        key, payload, size_px: as given.
        reduced_px: width and height at which the mark is computed.
        field: the carrier's real and imaginary part there, (h, w) float32 each.
        dither: (H, W) uint8 thresholds in 1/16 of a level.

    Raises:
        WatermarkError: the canvas is smaller than 128 pixels on a side.
    """

    def __init__(
        self, key: Key = PUBLIC_KEY, payload: Payload | None = None, *, size_px: tuple[int, int] = (1280, 720)
    ) -> None:
        if min(size_px) < 128:
            raise WatermarkError(
                f"a canvas of {size_px[0]}x{size_px[1]}",
                "at least 128 pixels on each side",
                "Use a larger canvas.",
            )
        self.key = key
        self.payload = payload if payload is not None else Payload()
        self.size_px = size_px
        self.reduced_px = _reduced_size(size_px)
        self.field = _field_on_canvas(key, self.payload, size_px, self.reduced_px)
        self.dither = _dither(size_px)
        self._zero = np.full(self.field[0].shape, ZERO, np.float32)  # OpenCV adds scalars in doubles
        self._full_range = _full_range()
        self._lay_out()

    def twin(self) -> Marker:
        """Return one that puts on the same mark, for another thread."""
        other = copy.copy(self)
        other._lay_out()
        return other

    def mark(self, composed: Composed, t_ns: int | None = None) -> Marked:
        """Return the frame with the mark on it; the input is not written to.

        Args:
            composed: a canvas of size_px.
            t_ns: when it will be shown (any origin, steady rate); its capture time by default.

        Raises:
            WatermarkError: the canvas has another size.
        """
        self.check_size(composed.rgb.shape)
        reduced = np.asarray(cv2.cvtColor(self._reduce(composed.rgb), cv2.COLOR_RGB2GRAY), np.uint8)
        levels = self._levels(self._steps(reduced, composed.captured_ns if t_ns is None else t_ns, 1.0))
        rgb = self._add(composed.rgb, levels)
        return self._sealed(rgb, None, composed)

    def mark_i420(self, composed: ComposedI420, t_ns: int | None = None) -> Marked:
        """Return the frame with the mark on its luma. It takes the memory over: no unmarked frame is left.

        Args:
            composed: a canvas of size_px; marked and read-only afterwards.
            t_ns: as for `mark`.

        Raises:
            WatermarkError: the canvas has another size, or was taken over before.
        """
        i420 = composed.i420
        luma = i420[: i420.shape[0] * 2 // 3]
        self.check_size(luma.shape)
        if not i420.flags.writeable:
            raise WatermarkError("a frame marked before", "one just composed", "Compose it anew.")
        levels = self._levels(self._video_steps(luma, composed.captured_ns if t_ns is None else t_ns))
        # Limited range is 16 to 235: with 15 more it does not saturate, so that one difference will do.
        cv2.add(luma, levels, dst=luma)
        cv2.subtract(luma, _LOWEST, dst=luma)
        return self._sealed(None, i420, composed)

    def mark_yuv(self, luma: U8, t_ns: int) -> U8:
        """Return a marked copy of the (H, W) uint8 video-range luma plane of an I420 or NV12 frame.

        The chroma planes are not touched. Raises WatermarkError when the plane has another size.
        """
        self.check_size(luma.shape)
        return self._add(luma, self._levels(self._video_steps(luma, t_ns)))

    def check_size(self, shape: tuple[int, ...]) -> None:
        """Refuse a picture (H, W) or (H, W, 3) of another size than the canvas's."""
        if (shape[1], shape[0]) != self.size_px:
            raise WatermarkError(
                f"a frame of {shape[1]}x{shape[0]}",
                f"{self.size_px[0]}x{self.size_px[1]}",
                "Make a Marker for this canvas size.",
            )

    def _sealed(self, rgb: U8 | None, i420: U8 | None, of: Composed | ComposedI420) -> Marked:
        """Return a marked picture as the frame it was made of."""
        payload, name = self.payload, self.key.name
        return Marked(rgb, of.frame_id, of.captured_ns, payload, name, SEAL, i420, of.matte)

    def _lay_out(self) -> None:
        """Allocate what `_levels` returns, and the same by eights."""
        width, height = self.size_px
        self._words = np.zeros(-(-width * height // 8), np.uint64)
        self._full = self._words.view(np.uint8)[: width * height].reshape(height, width)

    def _reduce(self, picture: U8) -> U8:
        return np.asarray(cv2.resize(picture, self.reduced_px, interpolation=cv2.INTER_LINEAR), np.uint8)

    def _steps(self, reduced: U8, t_ns: int, scale: float) -> U8:
        """Return the delta at reduced size, in 1/16 grey level above −8."""
        real, imaginary = self.field
        cos, minus_sin = carrier_turn(t_ns)
        wave = cv2.addWeighted(real, cos, imaginary, minus_sin, 0.0)
        amplitude = strength(reduced)
        amplitude *= np.float32(scale * _STEPS)
        cv2.multiply(wave, amplitude, dst=wave)
        return np.asarray(cv2.add(wave, self._zero, dtype=cv2.CV_8U), np.uint8)

    def _video_steps(self, luma: U8, t_ns: int) -> U8:
        """Return the same for a luma plane of video range; strength is reckoned in levels of 0–255."""
        reduced = np.asarray(cv2.LUT(self._reduce(luma), self._full_range), np.uint8)
        return self._steps(reduced, t_ns, _VIDEO_RANGE)

    def _levels(self, steps: U8) -> U8:
        """Return floor((steps + dither) / 16), (H, W): the delta above −8. The next call overwrites it."""
        cv2.resize(steps, self.size_px, dst=self._full, interpolation=cv2.INTER_LINEAR)
        cv2.add(self._full, self.dither, dst=self._full)
        # Bytes are shifted eight at a time: NumPy does so four times as fast.
        np.right_shift(self._words, np.uint64(SHIFT), out=self._words)
        np.bitwise_and(self._words, _LOW_NIBBLES, out=self._words)
        return self._full

    def _add(self, picture: U8, levels: U8) -> U8:
        """Return a picture (H, W) or (H, W, 3) plus levels − 8, clipped at black and white."""
        marked = np.empty_like(picture)
        height = max(1, _STRIP_BYTES // (3 * picture.shape[1]))
        for top in range(0, picture.shape[0], height):
            rows = slice(top, top + height)
            # OpenCV's differences stop at 0, so that each of these is what lies above or below.
            up, down = cv2.subtract(levels[rows], _LOWEST), cv2.subtract(_LOWEST, levels[rows])
            if picture.ndim == 3:
                up, down = cv2.cvtColor(up, cv2.COLOR_GRAY2RGB), cv2.cvtColor(down, cv2.COLOR_GRAY2RGB)
            cv2.add(picture[rows], up, dst=marked[rows])
            cv2.subtract(marked[rows], down, dst=marked[rows])
        return marked


def carrier_turn(t_ns: int) -> tuple[float, float]:
    """Return cosine and minus sine of the carrier's phase: the shares of its real and imaginary part."""
    turns = (t_ns * 1e-9 * RATE_HZ) % 1.0
    return float(np.cos(2 * np.pi * turns)), float(-np.sin(2 * np.pi * turns))


def _reduced_size(size_px: tuple[int, int]) -> tuple[int, int]:
    ratio = min(1.0, _REDUCED_SIDE_PX / min(size_px))
    return round(size_px[0] * ratio), round(size_px[1] * ratio)


def _field_on_canvas(
    key: Key, payload: Payload, size_px: tuple[int, int], reduced_px: tuple[int, int]
) -> tuple[F32, F32]:
    """Return the real and imaginary part of the carrier at the reduced canvas's pixel centres."""
    carrier = carrier_of(key)
    signed = carrier.signed(encode(message_bits(payload)))
    oversample = 4
    torus: C64 = field_of(signed, carrier, oversample)
    cells_per_px = CELLS_PER_SIDE / min(size_px)
    axes = [
        ((np.arange(n) + 0.5) / n - 0.5) * size * cells_per_px * oversample
        for n, size in zip(reduced_px, size_px, strict=True)
    ]
    height, width = (n * oversample for n in TORUS_CELLS)
    x, y = np.meshgrid(axes[0] % width, axes[1] % height)
    wrapped = np.pad(torus, ((2, 3), (2, 3)), mode="wrap")
    at = (np.asarray(x + 2, np.float32), np.asarray(y + 2, np.float32))
    real, imaginary = (
        np.asarray(cv2.remap(np.ascontiguousarray(part), *at, cv2.INTER_CUBIC), np.float32)
        for part in (wrapped.real, wrapped.imag)
    )
    return real, imaginary


def _dither(size_px: tuple[int, int]) -> U8:
    """Return (H, W) thresholds in 1/16 of a level: interleaved gradient noise (Jimenez 2014).

    It is static, so that a codec need not spend bits on it, and has little energy at low
    frequencies, so that it cannot be seen.
    """
    x, y = np.meshgrid(np.arange(size_px[0]), np.arange(size_px[1]))
    noise = (52.9829189 * ((0.06711056 * x + 0.00583715 * y) % 1.0)) % 1.0
    return np.asarray(noise * _STEPS, np.uint8)


def _full_range() -> U8:
    """Return the level of 0–255 that each luma of video range means, (256,)."""
    levels = (np.arange(256) - _BLACK) / _VIDEO_RANGE
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)
