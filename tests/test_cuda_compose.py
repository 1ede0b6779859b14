"""Composition on the GPU is that of the CPU, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest
from compare import EXACT, RESAMPLING, Tolerance, assert_pictures_equal, differs
from cuda_parity import Bench, resting
from gpus import KINDS, AnyGpu, provided
from hypothesis import given, settings
from hypothesis import strategies as st
from test_compose import avatar_with

from facepuppet.core.types import U8, Rendered
from facepuppet.frames.cpu.compose import Backdrop, Composer, Corner, Placement
from facepuppet.frames.cpu.compose.composer import LABEL_SHOWN_S
from facepuppet.frames.cuda.composing import ComposeStage


def moved_noise(size_px: tuple[int, int]) -> U8:
    """A premultiplied RGBA picture that no rounding is kind to."""
    rgba = np.random.default_rng(7).integers(0, 256, (size_px[1], size_px[0], 4)).astype(np.uint8)
    rgba[..., :3] = rgba[..., :3].astype(np.int32) * rgba[..., 3:] // 255
    return rgba


def composed_by_gpu(composer: Composer, rgba: U8) -> U8:
    bench = Bench()
    stage = ComposeStage(bench.device, composer, bench.device.upload(rgba), bench.parameters)
    bench.run(stage, motion=resting())
    return bench.fetch(stage.canvas)


WALL = Backdrop("image", image_rgb=np.random.default_rng(3).integers(0, 256, (90, 70, 3)).astype(np.uint8))
WIDE = avatar_with((512, 512))
SLIM = avatar_with((800, 1000), 300, 0.5)

ENLARGED = RESAMPLING.but(share=0.08)  # cubically

# Composer, how far the canvases may be apart.
CASES: dict[str, tuple[Composer, Tolerance]] = {
    "pixel on pixel": (Composer(WIDE, None), EXACT),
    "pixel on pixel, odd, mirrored": (Composer(avatar_with((301, 333)), None, mirror=True), EXACT),
    "little smaller": (Composer(SLIM, label=Corner.TOP_LEFT), RESAMPLING),
    "little smaller, odd": (Composer(SLIM, (1021, 701), backdrop=Backdrop.parse("#00ff00")), RESAMPLING),
    "below half": (Composer(SLIM, (641, 359), mirror=True), RESAMPLING),
    "far below half": (Composer(SLIM, (320, 240), label=Corner.OFF), RESAMPLING),
    "enlarged": (Composer(WIDE, label=Corner.TOP_RIGHT), ENLARGED),
    "enlarged, before a picture": (Composer(WIDE, mirror=True, backdrop=WALL), ENLARGED),
    "enlarged, with what goes on beside it": (Composer(WIDE).at_shown_size(), ENLARGED),
    "smaller, before a blur": (Composer(WIDE, (641, 359), backdrop=Backdrop("blur")), RESAMPLING),
    "upright canvas": (Composer(WIDE, (180, 320)), RESAMPLING),
}


@pytest.mark.parametrize("case", CASES)
def test_the_canvas_is_the_cpus(gpu: AnyGpu, case: str) -> None:
    composer, tolerance = CASES[case]
    u, v, width, height = composer.placement.source_px
    rgba = moved_noise((u + width, v + height))
    truth = composer.compose(Rendered(rgba, 0, 0)).rgb
    assert_pictures_equal(composed_by_gpu(composer, rgba), truth, tolerance)


lengths = st.integers(8, 90)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(
    source=st.tuples(st.integers(0, 9), st.integers(0, 9), lengths, lengths),
    target=st.tuples(st.integers(-30, 30), st.integers(-30, 30)),
    factor=st.sampled_from([0.2, 1 / 3, 0.5, 0.6, 1.0, 1.5, 2.0]),
    mirror=st.booleans(),
    corner=st.sampled_from(Corner),
)
def test_any_placement_and_label(
    kind: str,
    source: tuple[int, int, int, int],
    target: tuple[int, int],
    factor: float,
    mirror: bool,
    corner: Corner,
) -> None:
    """Also those that `place` never chooses: anywhere on the canvas, or partly beyond it."""
    composer = Composer(WIDE, (97, 64), mirror=mirror, label=corner)
    size = max(1, round(source[2] * factor)), max(1, round(source[3] * factor))
    x, y = (max(start, 1 - length) for start, length in zip(target, size, strict=True))
    composer.placement = Placement(source, (x, y, *size))
    rgba = moved_noise((100, 100))
    with provided(kind):
        composed = composed_by_gpu(composer, rgba)
    assert_pictures_equal(composed, composer.compose(Rendered(rgba, 0, 0)).rgb, ENLARGED)


def test_a_label_comes_and_goes_in_the_same_graph(gpu: AnyGpu) -> None:
    composer, bench = Composer(WIDE, (320, 180), label_every_s=10.0), Bench()
    bare = Composer(WIDE, (320, 180), label=Corner.OFF)
    rgba = moved_noise((512, 512))
    without = bare.compose(Rendered(rgba, 0, 0)).rgb
    stage = ComposeStage(bench.device, composer, bench.device.upload(rgba), bench.parameters)

    def enqueue() -> None:
        bench.copy_in()
        stage.enqueue()

    def shown(t_s: float) -> bool:
        stage.set_parameters(resting(captured_ns=round(t_s * 1e9)), bench.given[0])
        bench.device.replay()
        return differs(bench.fetch(stage.canvas), without, RESAMPLING)

    bench.device.record(enqueue)
    times_s = (1000.0, 1000.0 + LABEL_SHOWN_S - 0.1, 1000.0 + LABEL_SHOWN_S + 0.1, 1010.1)
    assert [shown(t_s) for t_s in times_s] == [True, True, False, True]
    composer.restart_label()
    assert shown(1017.0), "a label that starts anew is shown at once"
