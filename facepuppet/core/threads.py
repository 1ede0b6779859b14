"""The numeric libraries' own thread pools, kept from getting in each other's way."""

from __future__ import annotations

import cv2
from threadpoolctl import threadpool_limits


class Unpooled:
    """Lets NumPy's BLAS and OpenCV work in the calling thread, from now until `restore`.

    The live loop has a thread for each stage as it is. OpenCV's pool wakes and spins for pieces of a
    millisecond: on two cores the loop takes a tenth less processor without it, and 2 ms more for a picture
    of 1024 px. The limits are the process's.
    """

    def __init__(self) -> None:
        self._blas = single_threaded_blas()
        self._cv2_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)

    def restore(self) -> None:
        """Let them have their pools again."""
        cv2.setNumThreads(self._cv2_threads)
        self._blas.restore_original_limits()


def single_threaded_blas() -> threadpool_limits:
    """Let NumPy's BLAS work in the calling thread from now on.

    Its matrices here are tiny; a pool that spins for work between them costs two cores a third of
    their time. The limit is the process's: use the result as a context, or call its
    restore_original_limits() afterwards.
    """
    return threadpool_limits(limits=1, user_api="blas")
