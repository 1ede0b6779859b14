"""The BLAS limit holds while asked for and is lifted afterwards."""

import numpy as np
from threadpoolctl import threadpool_info

from facepuppet.core.threads import single_threaded_blas


def blas_threads() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_the_limit_holds_and_is_lifted():
    before = blas_threads()
    with single_threaded_blas():
        assert blas_threads() and set(blas_threads()) == {1}
    assert blas_threads() == before
