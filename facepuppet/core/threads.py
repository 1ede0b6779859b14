"""The numeric libraries' own thread pools, kept from getting in each other's way."""

from __future__ import annotations

from threadpoolctl import threadpool_limits


def single_threaded_blas() -> threadpool_limits:
    """Let NumPy's BLAS work in the calling thread from now on.

    Its matrices here are tiny; a pool that spins for work between them costs two cores a third of
    their time. The limit is the process's: use the result as a context, or call its
    restore_original_limits() afterwards.
    """
    return threadpool_limits(limits=1, user_api="blas")
