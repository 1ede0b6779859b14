"""The newest item wins, and what was lost is counted."""

from __future__ import annotations

import threading

from facepuppet.core.slot import LatestSlot


def test_the_newest_item_wins_and_drops_are_counted() -> None:
    slot: LatestSlot[int] = LatestSlot()
    for item in range(5):
        slot.put(item)
    assert slot.take() == 4
    assert slot.dropped == 4
    assert slot.take(timeout_s=0.0) is None


def test_closing_keeps_the_last_item_and_refuses_new_ones() -> None:
    slot: LatestSlot[str] = LatestSlot()
    slot.put("last")
    slot.close()
    slot.put("too late")
    assert slot.closed
    assert slot.take() == "last"
    assert slot.take() is None


def test_closing_wakes_a_waiting_taker() -> None:
    slot: LatestSlot[int] = LatestSlot()
    taken: list[int | None] = []
    taker = threading.Thread(target=lambda: taken.append(slot.take()))
    taker.start()
    slot.close()
    taker.join(timeout=10)
    assert taken == [None]


def test_a_taker_gets_what_another_thread_puts() -> None:
    slot: LatestSlot[int] = LatestSlot()
    threading.Thread(target=slot.put, args=(7,)).start()
    assert slot.take(timeout_s=10) == 7
