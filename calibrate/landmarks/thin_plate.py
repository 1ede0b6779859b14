"""Thin-plate splines: the smoothest surface through scattered values of the plane."""

from __future__ import annotations

import numpy as np

from facepuppet.core import F64


def thin_plate_spline(known: F64, values: F64, where: F64) -> F64:
    """Interpolate values given at points of the plane, with the least bending energy.

    f(p) = a + b·p + Σ wᵢ U(|p − pᵢ|) with U(r) = r² log r and Σ wᵢ = 0, Σ wᵢ pᵢ = 0 (Bookstein, "Principal
    warps: thin-plate splines and the decomposition of deformations", PAMI 11(6), 1989, equations 1 to 6).

    Args:
        known: (N, 2) points, at least three that are not on one line, all different.
        values: (N, K) what each of K surfaces passes through there.
        where: (M, 2) points to evaluate at, in the same unit as `known`.

    Returns:
        (M, K) the surfaces, in the unit of `values`.

    Raises:
        numpy.linalg.LinAlgError: the points are on one line or not all different.
    """
    # The result does not depend on the unit of length; a unit of the points' own size keeps the system sound.
    centre, unit = known.mean(axis=0), max(float(np.ptp(known)), np.finfo(np.float64).tiny)
    near, far = (known - centre) / unit, (where - centre) / unit
    affine = _with_one(near)
    system = np.block([[_kernel(near, near), affine], [affine.T, np.zeros((3, 3))]])
    if np.linalg.matrix_rank(system) < len(system):  # solve() notices only some of them
        raise np.linalg.LinAlgError(f"{len(known)} points that are on one line or not all different")
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((3, values.shape[1]))]))
    surfaces: F64 = np.hstack([_kernel(far, near), _with_one(far)]) @ weights
    return surfaces


def _with_one(points: F64) -> F64:
    return np.hstack([np.ones((len(points), 1)), points])


def _kernel(points: F64, knots: F64) -> F64:
    """U(r) of every point (M, 2) and knot (N, 2), as (M, N); 0 where they meet, the limit of r² log r."""
    squared = ((points[:, None] - knots) ** 2).sum(axis=-1)
    bent: F64 = 0.5 * squared * np.log(np.where(squared > 0, squared, 1.0))
    return bent
