"""Panic: a safe card at once, whatever the puppet's stages do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from avatars import hopper
from compare import EXACT, assert_pictures_equal
from fakes import FakeClock, ListDriver, MemorySink, ScheduledSlot, marked, picture, wait_until
from test_control import CANVAS, endless, puppet

from facepuppet import LivePipeline, Motion, Panic
from facepuppet.core.clock import SystemClock
from facepuppet.core.types import Composed, Pixels
from facepuppet.frames.cpu.compose.card import draw_card, fit_card
from facepuppet.session.puppet import Puppet
from facepuppet.session.safe_card import SafeCard
from facepuppet.sinks.pacer import Cover, Pacer
from facepuppet.watermark import Marked, detect
from facepuppet.watermark.mark import Marker
from facepuppet.watermark.payload import Payload

CARD = draw_card(CANVAS)


def is_card(frame: Marked, tolerance: float = 12.0) -> bool:
    return float(np.abs(frame.rgb.astype(int) - CARD).max()) < tolerance


def test_a_card_stands_in_for_every_frame_and_the_cadence_goes_on() -> None:
    clock, covered = FakeClock(), threading.Event()
    slot, sink = ScheduledSlot(clock, [i / 30 for i in range(60)], 2.0), MemorySink(clock=clock)

    def wanted() -> bool:
        now_s = (clock.now_ns() - 1_000_000_000) * 1e-9
        (covered.set if 0.5 <= now_s < 1.5 else covered.clear)()
        return covered.is_set()

    cover = Cover(wanted, lambda t_ns: marked(frame_id=1000, captured_ns=t_ns))
    Pacer(sink, slot, 30.0, clock, cover).run()
    times_s = (np.array(sink.sent_ns) - 1_000_000_000) * 1e-9
    cards = np.array([frame.frame_id == 1000 for frame in sink.frames])
    assert (cards == ((times_s >= 0.5) & (times_s < 1.5))).all() and 25 < cards.sum() < 35
    assert np.diff(times_s).max() < 0.05
    stamps = [frame.captured_ns for frame in sink.frames if frame.frame_id == 1000]
    assert len(set(stamps)) == len(stamps), "a card that stands still loses its mark's beat"


def test_panic_is_out_within_two_frames_even_where_the_puppet_hangs() -> None:
    sink, hung = MemorySink(CANVAS, clock=SystemClock()), threading.Event()
    stuck = puppet()
    begin: Callable[[Motion], Callable[[], Marked]] = stuck.maker.start
    made = 0

    def start(motion: Motion) -> Callable[[], Marked]:
        nonlocal made
        made += 1
        if made > 5:
            hung.wait(20.0)
        return begin(motion)

    stuck.maker.start = start  # type: ignore[method-assign]
    with LivePipeline(ListDriver(endless()), stuck, [sink]) as live:
        live.start()
        wait_until(lambda: made > 5)
        asked_ns = time.monotonic_ns()
        live.control.send(Panic(True))
        assert live.control.state.panic
        wait_until(lambda: is_card(sink.frames[-1]))
        n = len(sink.frames)
        sent = zip(sink.sent_ns[:n], sink.frames[:n], strict=True)
        late = [frame for at_ns, frame in sent if at_ns > asked_ns and not is_card(frame)]
        wait_until(lambda: len(sink.frames) > n + 10)
        assert all(is_card(frame) for frame in sink.frames[n:])
        hung.set()
        live.control.send(Panic(False))
        wait_until(lambda: not is_card(sink.frames[-1]))
    assert len(late) <= 2


@pytest.mark.parametrize("pixels", Pixels)
def test_the_card_carries_the_mark_of_its_puppet(pixels: Pixels) -> None:
    one = Puppet(hopper(), consent_id="0123abc", session=7)
    card = one.card()
    card.pixels = pixels
    frames = [(card.at(round(i / 30 * 1e9)).rgb, i / 30) for i in range(120)]
    found = detect(frames)
    meant = Payload.for_consent("0123abc", 7)
    assert found.marked and found.payload == meant.hex
    assert one.mark.startswith("0123abc · session 7")


def test_a_card_of_odd_sides_is_rgb_all_the_same() -> None:
    card = SafeCard(picture((161, 129)), Marker(size_px=(161, 129)))
    card.pixels = Pixels.I420
    assert card.at(0).i420 is None


def test_a_twin_marks_as_the_first_does_and_shares_no_memory() -> None:
    one = Marker(size_px=(160, 128))
    other = one.twin()
    rgb = Composed(picture(), 0, 123_456_789)
    assert_pictures_equal(other.mark(rgb).rgb, one.mark(rgb).rgb, EXACT)
    first = one._levels(np.full(one.field[0].shape, 128, np.uint8)).copy()
    other._levels(np.full(one.field[0].shape, 0, np.uint8))
    assert (one._full == first).all()


@pytest.mark.parametrize("size_px", [(1280, 720), (320, 240), (128, 128), (201, 333)])
def test_cards_fit_every_canvas(size_px: tuple[int, int]) -> None:
    width, height = size_px
    card = draw_card(size_px, "A text that is far too long for a canvas of this size, whatever it is")
    assert card.shape == (height, width, 3)
    ink = (card.astype(int).max(axis=2) > 150).any(axis=0)
    assert ink.any() and not ink[: width // 50].any(), "the text must not be cut"
    own = fit_card(np.full((40, 400, 3), 200, np.uint8), size_px)
    assert own.shape == card.shape and (own[height // 2, width // 2] == 200).all() and own[0, 0].max() < 100


def test_an_uncovered_run_is_as_ever() -> None:
    sink, clock = MemorySink(clock=FakeClock()), FakeClock()
    Pacer(sink, ScheduledSlot(clock, [0.0, 1 / 30], 0.1), 30.0, clock).run()
    again = MemorySink(clock=FakeClock())
    clock = FakeClock()
    never = Cover(lambda: False, lambda t_ns: marked(frame_id=1000))
    Pacer(again, ScheduledSlot(clock, [0.0, 1 / 30], 0.1), 30.0, clock, never).run()
    assert [f.frame_id for f in sink.frames] == [f.frame_id for f in again.frames]
