"""Memory that was freed goes back to the system."""

import platform

import numpy as np
import pytest

from facepuppet.core.memory import return_free_memory
from facepuppet.core.metrics import rss_mb


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what was freed")
def test_what_lies_between_used_memory_is_returned():
    blocks = [np.ones(8000) for _ in range(1000)]  # 64 MB of pieces too small for pages of their own
    kept = blocks[::50]  # no end of the heap is free
    blocks.clear()
    before = rss_mb()
    return_free_memory()
    assert rss_mb() < before - 30 and all(block[0] == 1 for block in kept)


def test_elsewhere_it_does_nothing(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    return_free_memory()
