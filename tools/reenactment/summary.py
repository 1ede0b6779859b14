"""From the clips' figures to the run's: means over people, pooled correlations, and the bars of the issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from facepuppet.core import F64
from reenactment import motion_series
from reenactment.self_reenactment import Performed

FROZEN, WARP, PAINTED = "frozen source", "warp alone", "painted"
MIRRORED = "true frames"  # tracked in the mirror: what the tracker leaves to be reached
MAX_PAINTER_MS, MAX_GMAC = 12.0, 1.0
INVISIBLE_FLICKER = 2.0  # levels, of the worst hundredth of still pixels


def motion_metrics(performed: Sequence[Performed], way: str) -> dict[str, float]:
    """Motion of one clip, or of several pooled: each clip's own mean is removed before correlating.

    Correlations of single clips in which a channel hardly moves are the tracker's noise; pooled, a clip
    counts by how much it moves. Gaze counts while eyes are open; its correlation is over both axes.
    """
    series = [(p.driver, p.series[way]) for p in performed]
    lids = _pooled(series, ("eye_left", "eye_right"), None)
    gaze_x, gaze_y = (_pooled(series, (name,), motion_series.both_open) for name in ("gaze_x", "gaze_y"))
    both = _pooled(series, ("gaze_x", "gaze_y"), motion_series.both_open)
    blinks = [p.blinks[way] for p in performed]
    n_blinks = sum(len(b.frames) for b in blinks)
    metrics = {
        "lid_error": _error(series, ("eye_left", "eye_right"), None),
        "lid_corr": motion_series.correlation(*lids),
        "lid_gain": motion_series.gain(*lids),
        "gaze_error_deg": float(
            np.rad2deg(_error(series, motion_series.GAZE_ANGLES, motion_series.both_open))
        ),
        "gaze_corr": motion_series.correlation(*both),
        "gaze_x_corr": motion_series.correlation(*gaze_x),
        "gaze_y_corr": motion_series.correlation(*gaze_y),
        "gaze_gain": motion_series.gain(*both),
        "blinks": float(n_blinks),
        "blinks_closed": sum(b.closed for b in blinks) / n_blinks if n_blinks else float("nan"),
        "jitter": float(np.mean([p.jitter[way] for p in performed])),
    }
    for name in ("mouth_open", "mouth_width", "yaw", "pitch", "roll", "brow"):
        metrics[f"{name}_corr"] = motion_series.correlation(*_pooled(series, (name,), None))
    return metrics


def mean_metrics(clips: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over clips, so that every person counts alike; a metric that a clip lacks is left out there."""
    names = list(dict.fromkeys(name for clip in clips for name in clip))
    return {name: float(np.nanmean([clip[name] for clip in clips if name in clip])) for name in names}


@dataclass(frozen=True, slots=True)
class Bar:
    """One demand of the issue.

    Attributes:
        demand: in words.
        measured: in words.
        met: None where there is nothing to measure it on.
    """

    demand: str
    measured: str
    met: bool | None


def bars(results: Mapping[str, Any]) -> list[Bar]:
    """Hold the best variant of a run against the bars; those of painting need painters."""
    overall = results["overall"]
    painted = overall.get(PAINTED)
    best, warp = painted or overall[WARP], overall[WARP]
    moved, reachable = best["motion"]["end to end"], overall[MIRRORED]["motion"]["mirrored"]
    rows = [_less("mouth_perceptual", "mouth perceptual distance", 0.30, painted, warp)]
    rows.append(_less("mouth_l1", "mouth L1", 0.10, painted, warp))
    rows.append(_at_least("mouth sharpness over truth", best["pictures"]["mouth_sharpness"], 0.7))
    rows.append(_at_least("lids close in true blinks", moved["blinks_closed"], 0.95))
    for words, name in (("eyelid correlation", "lid_corr"), ("gaze correlation", "gaze_corr")):
        rows.append(_at_least(words, moved[name], 0.95, f" (true frames {reachable[name]:.3f})"))
    rows += [_never_below(results["clips"], name, slack) for name, slack in (("ssim", 5e-4), ("psnr", 0.02))]
    rows.append(_at_least("identity cosine over the truth's", best["pictures"]["identity_ratio"], 0.97))
    jitter = moved["jitter"]
    rows.append(Bar("jitter ratio at most 1.1", f"{jitter:.2f}", jitter <= 1.1))
    rows.append(_no_flicker(best["pictures"]))
    rows += _cost_bars(results.get("cost"))
    return rows


def _less(name: str, words: str, share: float, painted: Any, warp: Any) -> Bar:
    demand = f"{words} at least {100 * share:.0f} % below the warp's"
    if painted is None:
        return Bar(demand, "no painters", None)
    below = 1.0 - painted["pictures"][name] / warp["pictures"][name]
    words = f"{100 * below:.1f} %"
    if name == "mouth_perceptual":
        deep = 1.0 - painted["pictures"]["mouth_deep"] / warp["pictures"]["mouth_deep"]
        words += f" (in blocks that no loss looks at {100 * deep:.1f} %)"
    return Bar(demand, words, below >= share)


def _at_least(words: str, value: float, least: float, beside: str = "") -> Bar:
    met = None if np.isnan(value) else value >= least
    return Bar(f"{words} at least {least:g}", f"{value:.3f}{beside}", met)


def _no_flicker(pictures: Mapping[str, float]) -> Bar:
    shown, true = pictures["flicker_worst"], pictures["flicker_worst_truth"]
    demand = f"flicker of still regions, worst hundredth, at most {INVISIBLE_FLICKER:g} levels or the truth's"
    return Bar(demand, f"{shown:.2f} (truth {true:.2f})", shown <= max(INVISIBLE_FLICKER, true))


def _never_below(clips: Mapping[str, Any], name: str, slack: float) -> Bar:
    """No clip's figure may fall below the warp's by more than what shows in the table."""
    demand = f"{name.upper()} not below the warp's on any clip"
    changes = {
        clip: variants[PAINTED]["pictures"][name] - variants[WARP]["pictures"][name]
        for clip, variants in clips.items()
        if PAINTED in variants
    }
    if not changes:
        return Bar(demand, "no painters", None)
    worst = min(changes, key=changes.__getitem__)
    return Bar(demand, f"worst {changes[worst]:+.4f} ({worst})", changes[worst] >= -slack)


def _cost_bars(cost: Mapping[str, Any] | None) -> list[Bar]:
    demands = (f"painters at most {MAX_GMAC:g} GMAC", f"painters at most {MAX_PAINTER_MS:g} ms at 512²")
    if cost is None:
        return [Bar(demand, "no painters", None) for demand in demands]
    gmac, median, p95 = cost["mmac"] / 1e3, cost["median_ms"], cost["p95_ms"]
    return [
        Bar(demands[0], f"{gmac:.3f} GMAC", gmac <= MAX_GMAC),
        Bar(demands[1], f"median {median:.1f}, p95 {p95:.1f} ms", median <= MAX_PAINTER_MS),
    ]


def _pooled(series: Sequence[Any], names: Sequence[str], where: Any) -> tuple[F64, F64]:
    """Driver's and output's deviations from their own clip means, over the same frames, joined."""
    pairs: tuple[list[F64], list[F64]] = ([], [])
    for driver, output in series:
        chosen = np.ones(len(driver["yaw"]), bool) if where is None else where(driver, output)
        for name in names:
            seen = chosen & np.isfinite(driver[name]) & np.isfinite(output[name])
            for joined, side in zip(pairs, (driver, output), strict=True):
                joined.append(motion_series.centred(side[name][seen]))
    return np.concatenate(pairs[0]), np.concatenate(pairs[1])


def _error(series: Sequence[Any], names: Sequence[str], where: Any) -> float:
    """Mean absolute difference, levels included: in self-reenactment they should agree."""
    errors = []
    for driver, output in series:
        chosen = np.ones(len(driver["yaw"]), bool) if where is None else where(driver, output)
        errors += [np.nanmean(np.abs(driver[name] - output[name])[chosen]) for name in names]
    return float(np.mean(errors))
