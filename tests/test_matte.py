"""What of a picture is background is told beside it where somebody asks; cut out, the puppet has none."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from compare import EXACT, RESAMPLING, Tolerance, assert_pictures_equal
from fakes import ListDriver, MemorySink, picture, wait_until
from test_compose import sloping, still
from test_control import CANVAS, endless, puppet
from test_i420 import SMALL, person_before

from facepuppet import LivePipeline, Panic
from facepuppet.control_room.cut_out import cut_out, cut_out_bgr
from facepuppet.core.errors import EngineError
from facepuppet.core.types import U8, Motion, Pixels
from facepuppet.frames.base import FrameMaker
from facepuppet.frames.cpu.compose import Backdrop, Composer, Corner, Scene
from facepuppet.frames.cpu.compose.placed import Seen
from facepuppet.frames.fallback import FallbackMaker
from facepuppet.session.safe_card import SafeCard
from facepuppet.sinks import Fanout
from facepuppet.watermark import Marked
from facepuppet.watermark.mark import Marker

# Each of up to four layers rounds once in the picture over white, once in that over black, and once here.
LAYERED = Tolerance(most=4, mean=0.3)
# The mark was reckoned before another background, and there is one rounding more.
CUT = Tolerance(most=8, mean=0.05)


def before(backdrop: str, canvas: tuple[int, int], **how: object) -> Composer:
    return person_before(canvas, backdrop=Backdrop.parse(backdrop), **how)[0]


def marked_before(backdrop: str, canvas: tuple[int, int], pixels: Pixels, **how: object) -> Marked:
    composer, marker = before(backdrop, canvas, **how), Marker(size_px=canvas)
    if pixels is Pixels.I420:
        return marker.mark_i420(composer.compose_i420(still(sloping()), matte=True))
    return marker.mark(composer.compose(still(sloping()), matte=True))


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(
    "canvas", [pytest.param((1280, 720), marks=pytest.mark.slow), (320, 180), (180, 320), (321, 179)]
)
def test_a_matte_is_what_a_white_and_a_black_background_tell_apart(
    canvas: tuple[int, int], mirror: bool
) -> None:
    how = {"mirror": mirror, "label": Corner.TOP_LEFT}
    white, black = (before(one, canvas, **how).compose(still(sloping())).rgb for one in ("white", "black"))
    truth = 255 - (white.astype(int) - black).max(axis=2).clip(0).astype(np.uint8)
    composer = before("#00ff00", canvas, **how)
    matte = composer.compose(still(sloping()), matte=True).matte
    assert matte is not None
    assert_pictures_equal(matte.alpha, truth, LAYERED)
    assert matte.alpha.min() == 0 and matte.alpha.max() == 255
    assert_pictures_equal(matte.behind, composer.background, EXACT)
    if composer.is_even:
        of_planes = composer.compose_i420(still(sloping()), matte=True).matte
        assert of_planes is not None and of_planes.behind.shape == (canvas[1] * 3 // 2, canvas[0])
        assert_pictures_equal(of_planes.alpha, matte.alpha, EXACT)


def test_the_picture_is_the_same_with_a_matte_and_without() -> None:
    composer = before("blur", SMALL)
    rendered = still(sloping())
    assert_pictures_equal(composer.compose(rendered).rgb, composer.compose(rendered, matte=True).rgb, EXACT)
    planes = (composer.compose_i420(rendered, matte=asked).i420 for asked in (False, True))
    assert_pictures_equal(next(planes), next(planes), EXACT)


def test_nobody_asking_nothing_is_reckoned(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("work for a matte that nobody wants")

    monkeypatch.setattr(Seen, "hide", refuse)
    monkeypatch.setattr(Composer, "_all_seen", refuse)
    composer = before("blur", SMALL)
    assert composer.compose(still(sloping())).matte is None
    assert composer.compose_i420(still(sloping())).matte is None


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("backdrop", ["#00ff00", "white", "blur"])
@pytest.mark.parametrize("pixels", Pixels)
def test_a_puppet_cut_out_is_as_before_black_and_has_no_rim(
    pixels: Pixels, backdrop: str, mirror: bool
) -> None:
    frame = marked_before(backdrop, SMALL, pixels, mirror=mirror)
    assert frame.matte is not None
    given = cut_out_bgr(frame, frame.matte)[..., ::-1]
    black = marked_before("black", SMALL, pixels, mirror=mirror)
    truth = np.minimum(black.rgb, frame.matte.alpha[..., None])  # there, too, chroma runs out into the black
    assert_pictures_equal(given, truth, CUT)
    assert not given[frame.matte.alpha == 0].any(), "the mark must not glow where nobody is"
    soft = (frame.matte.alpha > 8) & (frame.matte.alpha < 247)
    assert soft.sum() > 200
    off = given.astype(int)[soft] - truth[soft]
    assert np.abs(off.mean(axis=0)).max() < 0.5, "outlines have a tint of the backdrop"


def test_what_is_sent_of_it_is_two_jpegs_and_only_one_where_all_is_opaque() -> None:
    frame = marked_before("#00ff00", SMALL, Pixels.I420)
    picture_jpeg, matte_jpeg = cut_out(frame)
    assert frame.matte is not None
    assert_pictures_equal(decoded(matte_jpeg, cv2.IMREAD_GRAYSCALE), frame.matte.alpha, Tolerance(mean=1.0))
    assert decoded(picture_jpeg).shape == (180, 320, 3)
    for whole in (marked_before("blur", SMALL, pixels, label=Corner.OFF) for pixels in Pixels):
        object.__setattr__(whole, "matte", None)
        picture_jpeg, matte_jpeg = cut_out(whole)
        assert matte_jpeg == b""
        assert_pictures_equal(decoded(picture_jpeg)[..., ::-1], whole.rgb, Tolerance(mean=4.0))


def decoded(jpeg: bytes, flag: int = cv2.IMREAD_COLOR) -> U8:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag), np.uint8)


@pytest.mark.parametrize("pixels", Pixels)
def test_a_card_hides_all(pixels: Pixels) -> None:
    card = SafeCard(picture(SMALL), Marker(size_px=SMALL))
    card.pixels = pixels
    frame = card.at(0)
    assert frame.matte is not None
    assert frame.matte.alpha.shape == (180, 320) and frame.matte.alpha.min() == 255
    assert frame.matte.alpha.base is not None and sum(frame.matte.alpha.strides) == 0, "it takes no memory"
    assert cut_out(frame).matte == b""
    assert_pictures_equal(cut_out_bgr(frame, frame.matte)[..., ::-1], frame.rgb, RESAMPLING)


def test_a_matte_of_a_marked_frame_is_read_only() -> None:
    matte = marked_before("blur", SMALL, Pixels.RGB).matte
    assert matte is not None
    for one in (matte.alpha, matte.behind):
        with pytest.raises(ValueError, match="read-only"):
            one[:] = 0


class Wanting(MemorySink):
    """A sink that wants mattes, or not."""

    wants = False

    @property
    def wants_matte(self) -> bool:
        return self.wants


def newest(sink: MemorySink, holds: Callable[[Marked], bool]) -> Marked:
    """Wait for a newest frame of which something holds."""
    wait_until(lambda: bool(sink.frames) and holds(sink.frames[-1]))
    return sink.frames[-1]


def test_a_run_makes_mattes_for_as_long_as_any_of_its_sinks_wants_them() -> None:
    wanting, other = Wanting(CANVAS), MemorySink(CANVAS, pixels=Pixels.I420)
    one = puppet()
    with LivePipeline(ListDriver(endless()), one, [Fanout([other, wanting])]) as live:
        live.start()
        newest(wanting, lambda frame: frame.matte is None)
        wanting.wants = True
        frame = newest(wanting, lambda frame: frame.matte is not None)
        assert frame.matte is not None and 0 < frame.matte.alpha.mean() < 255
        live.control.send(Panic(True))
        newest(wanting, lambda frame: frame.matte is not None and frame.matte.alpha.min() == 255)
        live.control.send(Panic(False))
        wanting.wants = False
        newest(wanting, lambda frame: frame.matte is None)


class LostMaker(FrameMaker):
    """A maker on a GPU that is lost, and cannot tell what is background."""

    def make(self, motion: Motion) -> Marked:
        raise EngineError("a lost GPU", "one that answers", "Use the CPU.")

    def set_scene(self, scene: Scene) -> None:
        """Nothing is shown."""


def test_the_maker_that_stands_in_for_a_lost_one_knows_what_is_wanted() -> None:
    one, cpu = puppet(), puppet().maker
    one.maker = FallbackMaker([LostMaker(), cpu], lambda lost, problem: None)
    one.set_matte(True)
    assert not cpu.finisher.matte, "it shares the first one's parts"  # type: ignore[attr-defined]
    assert one.show(next(endless())).matte is not None
