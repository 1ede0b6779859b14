"""The p-value of a correlation, exact enough to be believed at 10⁻³⁰ and for any content.

For a picture that knows nothing of the key, S = Σ a_k ξ_k with independent uniform unit phasors ξ_k
and fixed weights a_k, Σ|a_k|² = 1. The even moments of such a (Steinhaus) sum are at most those of a
complex Gaussian, E|S|²ᵐ ≤ m!, so Markov's inequality gives P(|S|² ≥ u) ≤ min_m m! / uᵐ, which is about
√(2πu)·e⁻ᵘ. No assumption about the picture enters. Several hypotheses are joined by the union bound:
each gets a share of the whole error, shares add up to at most one.
"""

from __future__ import annotations

from math import floor, lgamma, log

LOG_ALPHA = log(1e-6)  # a session is called marked below this


def log_tail(u: float) -> float:
    """Return the natural logarithm of the bound on P(statistic ≥ u), at most 0."""
    if u <= 1:
        return 0.0
    moment = floor(u)
    return min(0.0, lgamma(moment + 1) - moment * log(u))


def log_look_share(look: int) -> float:
    """Return the log share of the error spent on the look-th repeated look (from 1): 1 / (n (n + 1))."""
    return -log(look) - log(look + 1)
