"""Only marked frames of the right size pass any sink, and errors leave nothing half-done."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeClock, MemorySink, marked, picture

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.core.types import Composed, Frame, Rendered
from facepuppet.sinks import Fanout, Sink, open_sink
from facepuppet.watermark import Marked

SIZE_PX = (160, 128)


def impostors() -> list[object]:
    rgb = picture(SIZE_PX)
    return [rgb, Frame(rgb, 0, 0), Composed(rgb, 0, 0), Rendered(rgb, 0, 0), None]


@pytest.mark.parametrize("impostor", impostors(), ids=lambda item: type(item).__name__)
def test_nothing_but_a_marked_frame_passes(tmp_path: Path, impostor: object) -> None:
    file = open_sink(tmp_path / "out.mp4", SIZE_PX, 30)
    memory = MemorySink(SIZE_PX)
    for sink in (file, memory, Fanout([memory])):
        with pytest.raises(TypeError, match="only Marked"):
            sink.send(impostor)  # type: ignore[arg-type]
    file.close()
    assert memory.frames == []
    assert list(tmp_path.iterdir()) == []


def test_every_sink_is_behind_the_same_gate() -> None:
    def family(kind: type[Sink]) -> list[type[Sink]]:
        return [kind, *(member for child in kind.__subclasses__() for member in family(child))]

    own_gates = [kind.__name__ for kind in family(Sink)[1:] if "send" in vars(kind)]
    assert own_gates == []
    assert len(family(Sink)) >= 5


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(160, 128\)"):
        MemorySink(SIZE_PX).send(marked(size_px=(192, 128)))


def test_an_unknown_ending_says_which_are_known(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritableError, match=r"\.mp4, \.mov, \.mkv, \.webm"):
        open_sink(tmp_path / "out.gif", SIZE_PX, 30)


def test_fanout_sends_to_all_and_passes_times_on() -> None:
    sinks = [MemorySink(), MemorySink()]
    with Fanout(sinks) as fanout:
        fanout.send(marked(frame_id=5), pts_s=0.5)
    assert [[frame.frame_id for frame in sink.frames] for sink in sinks] == [[5], [5]]
    assert [sink.times_s for sink in sinks] == [[0.5], [0.5]]
    assert all(sink.closed for sink in sinks)


def test_fanout_drops_a_failing_sink_and_goes_on() -> None:
    good, bad = MemorySink(), MemorySink(fails_at=1)
    fanout = Fanout([bad, good], clock=(clock := FakeClock()))
    for number in range(6):
        fanout.send(marked(frame_id=number))
        clock.advance_s(3.0)
    assert len(good.frames) == 6
    assert len(bad.frames) == 1
    assert bad.aborted
    assert [(name, str(error)) for name, error in fanout.failures] == [("memory", "memory sink told to fail")]


def test_fanout_fails_when_its_last_sink_did() -> None:
    fanout = Fanout([MemorySink(fails_at=0), MemorySink(fails_at=1)], clock=(clock := FakeClock()))
    with pytest.raises(OSError, match="told to fail"):
        for _ in range(6):
            fanout.send(marked())
            clock.advance_s(3.0)


def test_fanout_bears_what_nobody_foresaw_a_few_times_a_minute() -> None:
    class Shaky(MemorySink):
        failing = True

        def _write(self, frame: Marked, pts_s: float | None) -> None:
            if self.failing:
                raise MemoryError
            super()._write(frame, pts_s)

    shaky, good, clock = Shaky(), MemorySink(), FakeClock()
    fanout = Fanout([shaky, good], clock=clock)
    for number in range(90):  # three seconds, of which the first are bad
        shaky.failing = number < 20
        fanout.send(marked(frame_id=number))
        clock.advance_s(1 / 30)
    assert len(good.frames) == 90 and not fanout.failures
    assert 74 < shaky.frames[0].frame_id < 80, "tried at once, after half a second, and after two"
    for _ in range(4):
        shaky.failing = True
        clock.advance_s(61.0)
        fanout.send(marked())
    assert not fanout.failures, "once a minute is borne for ever"


def test_fanout_does_not_bear_what_was_foreseen() -> None:
    class Full(MemorySink):
        def _write(self, frame: Marked, pts_s: float | None) -> None:
            raise OutputUnwritableError("a full disk", "room", "Free some.")

    full, good = Full(), MemorySink()
    fanout = Fanout([full, good], clock=FakeClock())
    fanout.send(marked())
    assert full.aborted and len(fanout.failures) == 1


def test_fanout_closes_all_before_it_tells_of_a_failure() -> None:
    class Unclosable(MemorySink):
        def close(self) -> None:
            raise OutputUnwritableError("a full disk", "room", "Free some.")

    other = MemorySink()
    with pytest.raises(OutputUnwritableError, match="full disk"):
        Fanout([other, Unclosable()]).close()
    assert other.closed


def test_an_interrupted_run_aborts_every_sink() -> None:
    sinks = [MemorySink(), MemorySink()]
    with pytest.raises(KeyboardInterrupt), Fanout(sinks):
        raise KeyboardInterrupt
    assert [(sink.aborted, sink.closed) for sink in sinks] == [(True, False)] * 2


def test_fanout_needs_sinks_of_one_size() -> None:
    with pytest.raises(ValueError, match="one size"):
        Fanout([MemorySink((160, 128)), MemorySink((320, 180))])
