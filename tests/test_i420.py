"""Frames that leave as I420 are those that leave as RGB, composed, marked and sent without a detour."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import av
import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, Tolerance, assert_pictures_differ, assert_pictures_equal
from fakes import ListDriver, MemorySink, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from test_compose import sloping, still

from facepuppet.core.clock import SystemClock
from facepuppet.core.errors import WatermarkError
from facepuppet.core.i420 import part_of, planes_of, to_i420, to_rgb
from facepuppet.core.types import U8, Composed, ComposedI420, Pixels, Rendered
from facepuppet.drivers.scripted import Performance
from facepuppet.frames.cpu.compose import Backdrop, Composer, Corner, Scene
from facepuppet.frames.cpu.compose.framing import Placement
from facepuppet.session.live import LivePipeline
from facepuppet.session.offline import play
from facepuppet.session.puppet import Puppet
from facepuppet.sinks import Fanout
from facepuppet.watermark import Key, Marked, Marker, Payload, detect

KEY, PAYLOAD = Key("house", b"the secret of this house"), Payload(avatar=0x1234567, session=42)
SMALL = (320, 180)

# RGB is rounded to levels before it is converted, planes afterwards: one level each way. Where cubic
# resizing overshoots, RGB also stops at white, which only some pixels of an outline do.
BLENDED = Tolerance(at_percentile=1, percentile=99.8, mean=0.05, most=8)
# A delta is rounded to whole levels by the same dither, of 0–255 there and of 16–235 here: two values that
# are rounded apart by less than one and a half each.
MARKED = Tolerance(most=2, at_percentile=1, percentile=99.8)


def person_before(canvas: tuple[int, int], **how: object) -> tuple[Composer, Rendered]:
    avatar = sloping()
    return Composer(avatar, canvas, **how), still(avatar)  # type: ignore[arg-type]


# The format


def test_planes_and_their_parts_are_views() -> None:
    i420 = to_i420(picture((16, 12)))
    luma, u, v = part_of(planes_of(i420), slice(2, 6), slice(4, 10))
    luma[:], u[:], v[:] = 1, 2, 3
    assert [int((i420 == value).sum()) for value in (1, 2, 3)] == [24, 6, 6]
    assert (i420[2:6, 4:10] == 1).all() and i420.shape == (18, 16)


def test_a_grey_picture_returns_from_i420() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    assert_pictures_equal(to_rgb(to_i420(grey)), grey, Tolerance(most=1))  # 220 levels for 256


# Composition


@pytest.mark.parametrize("canvas", [(1280, 720), (640, 360), (180, 320), (522, 402)])
@pytest.mark.parametrize("mirror", [False, True])
def test_planes_are_composed_as_rgb_is(canvas: tuple[int, int], mirror: bool) -> None:
    composer, rendered = person_before(canvas, mirror=mirror, label=Corner.TOP_LEFT)
    truth = to_i420(composer.compose(rendered).rgb)
    given = composer.compose_i420(rendered)
    assert_pictures_equal(given.i420, truth, BLENDED)
    assert (given.frame_id, given.captured_ns) == (rendered.frame_id, rendered.captured_ns)
    assert_pictures_differ(given.i420, to_i420(composer.background), BLENDED)


@pytest.mark.parametrize("backdrop", ["blur", "#00ff00", "white", "black"])
@pytest.mark.parametrize("corner", Corner)
def test_every_background_and_label(backdrop: str, corner: Corner) -> None:
    composer, rendered = person_before(SMALL, backdrop=Backdrop.parse(backdrop), label=corner)
    assert_pictures_equal(
        composer.compose_i420(rendered).i420, to_i420(composer.compose(rendered).rgb), BLENDED
    )


sides = st.integers(1, 90)


@settings(max_examples=60, deadline=None)
@given(
    source=st.tuples(sides, sides),
    x=st.integers(-60, 100),
    y=st.integers(-60, 60),
    size=st.tuples(sides, sides),
)
def test_a_puppet_anywhere(source: tuple[int, int], x: int, y: int, size: tuple[int, int]) -> None:
    """Also where rows and columns are odd, or beyond the canvas, or nothing of it is seen."""
    composer, rendered = person_before((96, 64), label=Corner.OFF)
    composer.placement = Placement((100, 60, *source), (x, y, *size))
    given = composer.compose_i420(rendered).i420
    # Hardly any pixels, so that shares of them mean nothing.
    assert_pictures_equal(given, to_i420(composer.compose(rendered).rgb), Tolerance(most=8, mean=0.2))


def test_planes_are_neither_shared_nor_written_to_later() -> None:
    composer, rendered = person_before(SMALL)
    before = rendered.rgba.copy()
    first = composer.compose_i420(rendered)
    kept = first.i420.copy()
    composer.compose_i420(Rendered(255 - before, 8, 124))
    composer.set_scene(Scene(Backdrop.parse("green"), label=Corner.OFF))
    other = composer.compose_i420(rendered)
    assert_pictures_equal(first.i420, kept, EXACT)
    assert_pictures_equal(rendered.rgba, before, EXACT)
    assert_pictures_differ(other.i420, kept, BLENDED)


def test_a_label_comes_and_goes() -> None:
    composer, rendered = person_before(SMALL, label_every_s=10.0)
    shown = [composer.compose_i420(Rendered(rendered.rgba, 0, t * 1_000_000_000)).i420 for t in (0, 5, 11)]
    assert_pictures_equal(shown[2], shown[0], EXACT)
    assert_pictures_differ(shown[1], shown[0], BLENDED)


# The mark


def room(size_px: tuple[int, int], shift: int = 0) -> U8:
    """A face before a wall; no level is so near to black or white that a mark in RGB would stop there."""
    width, height = size_px
    rgb = np.full((height, width, 3), (90, 110, 120), np.uint8)
    face = np.roll(data.astronaut()[:height, 100:400], shift, axis=1)
    rgb[-face.shape[0] :, 40 : 40 + face.shape[1]] = face
    return np.asarray(np.clip(rgb, 12, 243), np.uint8)


@pytest.mark.parametrize("size_px", [(640, 360), (1280, 720), (400, 300)])
def test_the_mark_on_planes_is_the_mark_on_rgb(size_px: tuple[int, int]) -> None:
    marker, rgb = Marker(size_px=size_px), room(size_px)
    for t_ns in (0, 330_000_000, 1 << 50):
        planes = to_i420(rgb)
        given = marker.mark_i420(ComposedI420(planes.copy(), 3, 4), t_ns)
        truth = to_i420(marker.mark(Composed(rgb, 3, 4), t_ns).rgb)
        height = size_px[1]
        assert given.i420 is not None
        assert_pictures_equal(given.i420[:height], truth[:height], MARKED)
        assert_pictures_equal(given.i420[height:], planes[height:], EXACT)
        assert_pictures_equal(given.i420[:height], marker.mark_yuv(planes[:height], t_ns), EXACT)
        assert abs(float(np.mean(given.i420[:height].astype(int) - truth[:height]))) < 0.03
        assert (given.frame_id, given.captured_ns) == (3, 4)


def test_the_mark_on_planes_is_as_strong() -> None:
    """What it adds to the luma is what marking RGB adds, in size and everywhere in sign."""
    marker, rgb = Marker(size_px=(640, 360)), room((640, 360))
    planes = to_i420(rgb)
    given = marker.mark_i420(ComposedI420(planes.copy(), 0, 0), 0).i420
    assert given is not None
    truth = to_i420(marker.mark(Composed(rgb, 0, 0), 0).rgb)
    ours, theirs = (one[:360].astype(float) - planes[:360] for one in (given, truth))
    assert ours.std() == pytest.approx(theirs.std(), rel=0.05)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.85


def test_black_and_white_stay_near() -> None:
    for level in (16, 235):
        planes = np.full((540, 640), level, np.uint8)
        given = Marker(size_px=(640, 360)).mark_i420(ComposedI420(planes.copy(), 0, 0)).i420
        assert given is not None
        assert_pictures_equal(given, planes, Tolerance(most=4))


def test_a_marked_frame_of_planes_keeps_all_promises() -> None:
    composed, marker = ComposedI420(to_i420(room((640, 360))), 0, 0), Marker(size_px=(640, 360))
    frame = marker.mark_i420(composed)
    assert composed.i420 is frame.i420, "no unmarked frame is left"
    with pytest.raises(WatermarkError, match="marked before"):
        marker.mark_i420(composed)
    assert frame.size_px == (640, 360) and frame.i420 is not None
    rgb = frame.rgb
    assert_pictures_equal(rgb, to_rgb(frame.i420), EXACT)
    assert frame.rgb is rgb, "converted once"
    for array in (rgb, frame.i420):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    with pytest.raises(WatermarkError, match="400x300"):
        Marker(size_px=(640, 360)).mark_i420(ComposedI420(to_i420(room((400, 300))), 0, 0))
    with pytest.raises(WatermarkError, match="by hand"):
        Marked(None, 0, 0, PAYLOAD, "key", object(), frame.i420)


def marked_planes(seconds: float, fps: int) -> list[U8]:
    marker = Marker(KEY, PAYLOAD, size_px=(640, 360))
    frames = []
    for i in range(round(seconds * fps)):
        composed = ComposedI420(to_i420(room((640, 360), i // 3)), i, round(i * 1e9 / fps))
        frame = marker.mark_i420(composed)
        assert frame.i420 is not None
        frames.append(frame.i420)
    return frames


def through_codec(frames: Sequence[U8], codec: str, options: dict[str, str], fps: int) -> list[U8]:
    """The luma of a 600 kbps video of them."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 360, "yuv420p", 600_000
        for i420 in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(i420, format="yuv420p")))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


CODECS: dict[str, Callable[[list[U8]], list[U8]]] = {
    "as it is": lambda frames: [frame[:360] for frame in frames],
    "H.264": lambda frames: through_codec(frames, "libx264", {"preset": "veryfast"}, 20),
    "VP8": lambda frames: through_codec(frames, "libvpx", {"deadline": "realtime", "cpu-used": "8"}, 20),
}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "codec",
    ["as it is", "H.264", pytest.param("VP8", marks=pytest.mark.thorough)],  # takes as long as four others
)
def test_the_detector_reads_it_through(codec: str) -> None:
    frames = CODECS[codec](marked_planes(4.0, 20))
    found = detect([(luma, i / 20) for i, luma in enumerate(frames)], (KEY,))
    assert (found.key, found.payload) == ("house", PAYLOAD.hex)


# Sinks and sessions


def performing(canvas: tuple[int, int] = SMALL) -> Puppet:
    return Puppet(hopper(), Composer(hopper(), canvas), engine="cpu")


def expressions(n: int = 3) -> ListDriver:
    return ListDriver(Performance().expression(i / 30, i) for i in range(n))


def made_of(frame: Marked) -> tuple[bool, bool]:
    """Whether a frame has RGB and I420 already."""
    return frame._rgb is not None, frame.i420 is not None


@pytest.mark.parametrize(
    ("canvas", "pixels", "made"),
    [
        (SMALL, Pixels.RGB, (True, False)),
        (SMALL, Pixels.I420, (False, True)),
        ((321, 180), Pixels.I420, (True, False)),
    ],
)
def test_sinks_get_what_they_want(canvas: tuple[int, int], pixels: Pixels, made: tuple[bool, bool]) -> None:
    """And passing the gate converts nothing; of canvases with an odd side there is no I420."""
    offline, live = (MemorySink(canvas, pixels=pixels, clock=SystemClock()) for _ in range(2))
    puppet = performing(canvas)
    play(expressions(), puppet, offline)
    with LivePipeline(expressions(5), puppet, [live]) as loop:
        loop.run()
    for sink in (offline, live):
        assert sink.frames and {made_of(frame) for frame in sink.frames} == {made}


@pytest.mark.thorough
def test_both_ways_show_the_same() -> None:
    sinks = [MemorySink(SMALL, pixels=pixels) for pixels in (Pixels.RGB, Pixels.I420)]
    for sink in sinks:
        play(expressions(4), performing(), sink)
    for rgb, planes in zip(*(sink.frames for sink in sinks), strict=True):
        assert planes.i420 is not None
        # Blended and marked, each as exactly as told above.
        truth = to_i420(rgb.rgb)
        assert_pictures_equal(
            planes.i420, truth, Tolerance(mean=0.5, at_percentile=2, percentile=99.5, most=10)
        )
        assert (planes.payload, planes.key_name) == (rgb.payload, rgb.key_name)


def test_planes_only_where_every_sink_wants_them() -> None:
    def fan(*pixels: Pixels) -> Pixels:
        return Fanout([MemorySink(SMALL, pixels=one) for one in pixels]).pixels

    assert fan(Pixels.I420, Pixels.I420) is Pixels.I420
    assert fan(Pixels.I420, Pixels.RGB) is fan(Pixels.RGB) is Pixels.RGB
