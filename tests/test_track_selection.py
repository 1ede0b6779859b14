from __future__ import annotations

from facepuppet.drivers.camera.selection import FaceSelector
from facepuppet.vision.boxes import FaceBox

S = 1_000_000_000
FRAME = S // 30
POSTER = FaceBox(1000, 200, 90)


def driver(i: int, x: float = 500, size: float = 200) -> FaceBox:
    """A face that rocks a little, as living ones do."""
    return FaceBox(x + 20 * (i % 7), 400, size)


def watched(seconds: float = 2.0) -> tuple[FaceSelector, int]:
    """A selector that has followed the driver beside a poster, and the time of the last frame."""
    selector = FaceSelector()
    assert selector.choose([POSTER, driver(0)], 0) == driver(0)
    frames = int(seconds * 30)
    for i in range(1, frames):
        assert selector.keeps(driver(i), i * FRAME)
    assert selector.survey([POSTER, driver(frames - 1)], frames * FRAME) is None
    return selector, frames * FRAME


def test_the_largest_face_is_chosen_first() -> None:
    assert FaceSelector().choose([POSTER, driver(0)], 0) == driver(0)
    assert FaceSelector().choose([], 0) is None


def test_a_larger_face_does_not_take_over_from_a_living_one() -> None:
    selector, t = watched()
    assert selector.survey([FaceBox(200, 400, 350), driver(0)], t + FRAME) is None


def test_the_poster_gives_way_to_whoever_sits_down() -> None:
    selector = FaceSelector()
    assert selector.choose([POSTER], 0) == POSTER
    for i in range(30):
        assert selector.keeps(FaceBox(1000 + 0.5 * (i % 2), 200, 90), i * FRAME)
    assert selector.survey([POSTER, driver(0)], S) == driver(0)


def test_the_poster_does_not_steal_after_a_loss() -> None:
    selector, t = watched()
    for i in range(1, 300):
        assert selector.choose([FaceBox(1000 + 0.3 * (i % 3), 200, 90)], t + i * FRAME) is None


def test_the_driver_is_found_again_near_the_old_place() -> None:
    selector, t = watched()
    assert selector.choose([POSTER], t + FRAME) is None
    back = driver(3)
    assert selector.choose([POSTER, back], t + 10 * FRAME) == back


def test_during_the_grace_nobody_elsewhere_is_followed() -> None:
    selector, t = watched()
    elsewhere = FaceBox(150, 400, 190)
    assert selector.choose([elsewhere], t + S) is None
    assert selector.choose([elsewhere], t + 2 * S) == elsewhere


def test_a_small_stranger_must_move_before_it_is_followed() -> None:
    selector, t = watched()
    t += 3 * S
    assert selector.choose([FaceBox(200, 200, 80)], t) is None
    assert selector.choose([FaceBox(201, 200, 80)], t + FRAME) is None
    moved = FaceBox(215, 200, 80)
    assert selector.choose([moved], t + 2 * FRAME) == moved


def test_a_picture_uncovered_by_the_driver_is_not_the_driver() -> None:
    """It hung behind the driver's head, so no survey saw it; it is at the old place, but small."""
    selector, t = watched()
    hidden = FaceBox(510, 390, 70)
    assert selector.choose([hidden], t + FRAME) is None
    assert selector.choose([hidden], t + 5 * S) is None


def test_a_jump_to_another_face_is_noticed() -> None:
    selector, t = watched()
    assert not selector.keeps(FaceBox(510, 390, 70), t + FRAME)  # shrank at once
    selector, t = watched()
    assert not selector.keeps(FaceBox(900, 400, 200), t + FRAME)  # jumped sideways
