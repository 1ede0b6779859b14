"""The mark made on the GPU is that of the CPU, read by the same detector, and comes down as I420 too."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from compare import EXACT, ROUNDING, Tolerance, assert_pictures_differ, assert_pictures_equal
from cuda_parity import Bench, resting
from fakes import PATIENCE_S, picture
from gpus import KINDS, AnyGpu, provided
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from facepuppet.core.errors import EngineError, WatermarkError
from facepuppet.core.i420 import to_rgb
from facepuppet.core.types import U8, Composed, Pixels
from facepuppet.watermark import PUBLIC_KEY, Key, Marker, Payload, detect
from facepuppet.watermark.mark_gpu import GpuMarker

KEY, PAYLOAD = Key("house", b"the secret of this house"), Payload(avatar=0x1234567, session=42)


class Stand:
    """A GPU's canvas and its marker.

    Attributes:
        marker: the CPU's.
        marking: the GPU's.
    """

    def __init__(self, size_px: tuple[int, int]) -> None:
        self._bench = Bench()
        self._canvas = self._bench.device.empty((size_px[1], size_px[0], 3), np.uint8)
        self.marker = Marker(KEY, PAYLOAD, size_px=size_px)
        self.marking = GpuMarker(self._bench.device, self.marker, self._canvas, self._bench.parameters)

    def set_parameters(self, rgb: U8, t_ns: int = 0) -> None:
        self._bench.device.copy_in(rgb, self._canvas)
        self.marking.set_parameters(resting(frame_id=5, captured_ns=t_ns), self._bench.given[0])

    def enqueue(self) -> None:
        self._bench.copy_in()
        self.marking.enqueue()

    def marked(self, rgb: U8, t_ns: int = 0):
        self.set_parameters(rgb, t_ns)
        self._bench.device.run(self.enqueue)
        self._bench.device.wait(PATIENCE_S)
        return self.marking.take()

    def recorded(self, rgb: U8, t_ns: int):
        """The same by a graph, recorded once."""
        self.set_parameters(rgb, t_ns)
        if not hasattr(self, "_has_graph"):
            self._bench.device.record(self.enqueue)
            self._has_graph = True
        self._bench.device.replay()
        self._bench.device.wait(PATIENCE_S)
        return self.marking.take()


def photo(size_px: tuple[int, int]) -> U8:
    """Texture, dark and calm places, and a wall."""
    width, height = size_px
    rgb = np.full((height, width, 3), (120, 128, 136), np.uint8)
    rgb[:, : 3 * width // 4] = cv2.resize(data.astronaut(), (3 * width // 4, height))
    return rgb


@pytest.mark.parametrize("size_px", [(1280, 720), (640, 360), (512, 600), (641, 359), (180, 321), (128, 130)])
def test_the_mark_is_the_cpus(gpu: AnyGpu, size_px: tuple[int, int]) -> None:
    """OpenCV reckons in floats where pixels lie, so sizes that are no multiple of 180 round a bit apart."""
    stand, t_ns = Stand(size_px), 123_456_789
    for rgb in (photo(size_px), picture(size_px, seed=2)):
        given, truth = stand.marked(rgb, t_ns), stand.marker.mark(Composed(rgb, 5, t_ns))
        assert_pictures_equal(given.rgb, truth.rgb, ROUNDING)
        assert_pictures_differ(given.rgb, rgb, Tolerance(share=0.1))  # it is there at all
        assert (given.frame_id, given.captured_ns) == (truth.frame_id, truth.captured_ns)
        assert (given.payload, given.key_name) == (PAYLOAD, "house")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(st.integers(128, 400), st.integers(128, 400), st.integers(0, 1 << 60), st.integers(0, 255))
def test_any_size_time_and_level(kind: str, width: int, height: int, t_ns: int, level: int) -> None:
    rgb = np.full((height, width, 3), level, np.uint8)
    rgb[: height // 2] = photo((width, height))[: height // 2]
    with provided(kind):
        stand = Stand((width, height))
        given = stand.marked(rgb, t_ns).rgb
    truth = stand.marker.mark(Composed(rgb, 5, t_ns)).rgb
    assert_pictures_equal(given, truth, ROUNDING.but(share=0.005))  # of few pixels


def test_the_detector_reads_it(gpu: AnyGpu) -> None:
    stand, rgb = Stand((640, 360)), photo((640, 360))
    shown = [stand.recorded(np.roll(rgb, i // 3, axis=1), round(i * 1e9 / 20)) for i in range(24)]
    pictures = (
        ([frame.rgb for frame in shown], (PUBLIC_KEY, KEY)),
        ([frame.i420[:360] for frame in shown], (KEY,)),
    )
    for frames, keys in pictures:
        found = detect([(frame, i / 20) for i, frame in enumerate(frames)], keys)
        assert (found.key, found.payload) == ("house", PAYLOAD.hex)


def test_i420_is_opencvs_to_the_bit(gpu: AnyGpu) -> None:
    """Of every colour that a cube of 32 levels and the mark's own changes make."""
    levels = np.linspace(0, 255, 32).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
    rgb = np.random.default_rng(0).permutation(np.tile(colours, (2, 1))).reshape(256, 256, 3)
    marked = Stand((256, 256)).marked(rgb)
    assert marked.i420 is not None
    assert_pictures_equal(marked.i420, cv2.cvtColor(marked.rgb, cv2.COLOR_RGB2YUV_I420), EXACT)
    for array in (marked.rgb, marked.i420):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


@pytest.mark.parametrize("size_px", [(641, 360), (640, 361)])
def test_odd_canvases_have_no_i420(gpu: AnyGpu, size_px: tuple[int, int]) -> None:
    assert Stand(size_px).marked(photo(size_px)).i420 is None


def test_what_nobody_wants_is_not_taken(gpu: AnyGpu) -> None:
    stand, rgb = Stand((256, 256)), photo((256, 256))
    truth = stand.marked(rgb)
    stand.marking.pixels = Pixels.I420
    given = stand.marked(rgb)
    assert given._rgb is None
    assert_pictures_equal(given.i420, truth.i420, EXACT)
    assert_pictures_equal(given.rgb, to_rgb(truth.i420), EXACT)
    with pytest.raises(ValueError, match="read-only"):
        given.i420[0, 0] = 1
    kept = given.i420.copy()
    stand.marked(255 - rgb)
    assert_pictures_equal(given.i420, kept, EXACT)


def test_an_odd_canvas_is_rgb_whatever_is_wanted(gpu: AnyGpu) -> None:
    stand, rgb = Stand((641, 360)), photo((641, 360))
    truth = stand.marked(rgb)
    stand.marking.pixels = Pixels.I420
    assert_pictures_equal(stand.marked(rgb).rgb, truth.rgb, EXACT)


def test_only_what_was_marked_for_this_frame_can_be_taken(gpu: AnyGpu) -> None:
    stand, rgb = Stand((256, 256)), photo((256, 256))
    with pytest.raises(WatermarkError, match="no frame"):
        stand.marking.take()
    stand.marked(rgb)
    with pytest.raises(WatermarkError, match="no frame"):
        stand.marking.take()
    stand.set_parameters(rgb)  # and the GPU does nothing
    with pytest.raises(EngineError, match="picture 1"):
        stand.marking.take()
    stand.marked(rgb)


def test_a_marked_frame_stays_when_the_next_is_made(gpu: AnyGpu) -> None:
    stand, rgb = Stand((256, 256)), photo((256, 256))
    first = stand.marked(rgb)
    kept = first.rgb.copy(), first.i420.copy()
    stand.marked(255 - rgb)
    assert_pictures_equal(first.rgb, kept[0], EXACT)
    assert_pictures_equal(first.i420, kept[1], EXACT)


def test_refuses_a_canvas_of_another_size(gpu: AnyGpu) -> None:
    bench = Bench()
    canvas = bench.device.empty((360, 640, 3), np.uint8)
    with pytest.raises(WatermarkError, match="640x360"):
        GpuMarker(bench.device, Marker(size_px=(256, 256)), canvas, bench.parameters)
