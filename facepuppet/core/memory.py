"""Memory that a process needed once and needs no more."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def return_free_memory() -> None:
    """Give memory that was freed back to the system, where the C library keeps it for itself (glibc).

    Loading a portrait and its networks needs more than showing it: 50 to 80 MB of the 1024 px sample stay
    resident otherwise. Elsewhere this does nothing.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
