"""The limits hold while asked for and are lifted afterwards."""

import cv2
import numpy as np
from threadpoolctl import threadpool_info

from facepuppet.core.threads import Unpooled, single_threaded_blas


def blas_threads() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_the_limit_holds_and_is_lifted():
    before = blas_threads()
    with single_threaded_blas():
        assert blas_threads() and set(blas_threads()) == {1}
    assert blas_threads() == before


def test_opencv_gets_its_pool_back():
    before, threads = blas_threads(), cv2.getNumThreads()
    unpooled = Unpooled()
    assert (cv2.getNumThreads(), set(blas_threads())) == (1, {1})
    unpooled.restore()
    assert (cv2.getNumThreads(), blas_threads()) == (threads, before)
