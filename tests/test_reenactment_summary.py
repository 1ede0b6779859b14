"""Pooling over clips, and bars that can be met and missed."""

import numpy as np
import pytest
from reenactment.motion_series import CHANNELS, GAZE_ANGLES, find_blinks

pytest.importorskip("dlib", reason="the judges need the extra `evaluate`")
pytest.importorskip("torch", reason="the judges need the extra `evaluate`")

from reenactment.markdown_report import markdown
from reenactment.self_reenactment import Performed
from reenactment.summary import (
    FROZEN,
    MIRRORED,
    PAINTED,
    WARP,
    bars,
    mean_metrics,
    motion_metrics,
)

N = 120


def driver(seed, motion=1.0):
    random = np.random.default_rng(seed)
    series = {name: motion * random.normal(size=N).cumsum() / 20 for name in CHANNELS + GAZE_ANGLES}
    for eye in ("eye_left", "eye_right"):
        series[eye] = np.full(N, 0.3)
        series[eye][40:44] = 0.03
    return series


def performed(true, output):
    jitter, blinks = {"end to end": 0.9}, {"end to end": find_blinks(true, output)}
    return Performed([], {}, true, {"end to end": output}, jitter, blinks)


def noisy(true, level, seed=9):
    random = np.random.default_rng(seed)
    return {k: v + level * random.normal(size=N) * (0 if "eye" in k else 1) for k, v in true.items()}


def test_a_perfect_output_is_perfect():
    metrics = motion_metrics([performed(driver(1), driver(1))], "end to end")
    assert metrics["lid_corr"] == metrics["gaze_corr"] == pytest.approx(1.0)
    assert metrics["gaze_error_deg"] == metrics["lid_error"] == 0.0
    assert metrics["blinks"] == 1 and metrics["blinks_closed"] == 1.0 and metrics["jitter"] == 0.9


def test_levels_of_people_count_for_nothing_in_correlations_but_do_in_errors():
    true, output = driver(1), driver(1)
    output["eye_left"] = output["eye_left"] + 0.05
    output["eye_right"] = output["eye_right"] + 0.05
    metrics = motion_metrics([performed(true, output), performed(driver(2), driver(2))], "end to end")
    assert metrics["lid_corr"] == pytest.approx(1.0) and metrics["lid_error"] == pytest.approx(0.025)


def test_a_clip_counts_by_how_much_it_moves():
    lively = performed(driver(1), noisy(driver(1), 0.02))
    still = performed(driver(2, 0.001), noisy(driver(2, 0.001), 0.02))
    alone = motion_metrics([still], "end to end")["gaze_corr"]
    assert abs(alone) < 0.5 < 0.9 < motion_metrics([lively, still], "end to end")["gaze_corr"]


def test_means_leave_out_what_a_clip_does_not_have():
    means = mean_metrics([{"a": 1.0, "b": 2.0}, {"a": 3.0}])
    assert means == {"a": 2.0, "b": 2.0}


PICTURES = {
    "mouth_perceptual": 0.4, "mouth_deep": 0.5, "mouth_l1": 0.05, "mouth_sharpness": 0.8,
    "ssim": 0.8, "psnr": 25.0, "identity_ratio": 0.99, "flicker_worst": 1.0, "flicker_worst_truth": 1.2,
}  # fmt: skip
MOTION = {"blinks_closed": 1.0, "lid_corr": 0.97, "gaze_corr": 0.96, "jitter": 0.9}
COST = {
    "networks_mmac": {"mouth": 500.0}, "mmac": 500.0, "kilobytes": 900.0, "median_ms": 6.0, "p95_ms": 9.0,
    "frames": 99, "picture_px": [512, 512], "cpu": "a CPU", "cores": 2,
}  # fmt: skip


def results(painted=None, cost=COST, **motion):
    def variant(pictures):
        moved = MOTION | motion
        return {"pictures": pictures, "motion": {"end to end": moved, "rendering": moved}}

    variants = {FROZEN: {"pictures": PICTURES}, WARP: variant(PICTURES)}
    if painted is not None:
        variants[PAINTED] = variant(PICTURES | painted)
    variants[MIRRORED] = {"pictures": {}, "motion": {"mirrored": MOTION}}
    return {
        "clips": {"someone": variants}, "overall": variants, "cross": [], "cost": cost,
        "problems": ["wall.mp4: no face"],
    }  # fmt: skip


GOOD = {"mouth_perceptual": 0.27, "mouth_l1": 0.044, "ssim": 0.81, "psnr": 25.3}


def test_every_bar_can_be_met():
    assert [bar.demand for bar in bars(results(GOOD)) if not bar.met] == []


@pytest.mark.parametrize(
    ("painted", "motion", "words"),
    [
        ({"mouth_perceptual": 0.29}, {}, "mouth perceptual"),
        ({"mouth_l1": 0.046}, {}, "mouth L1"),
        ({"mouth_sharpness": 0.6}, {}, "sharpness"),
        ({"ssim": 0.79}, {}, "SSIM"),
        ({"psnr": 24.9}, {}, "PSNR"),
        ({"identity_ratio": 0.96}, {}, "identity"),
        ({"flicker_worst": 2.5}, {}, "flicker"),
        ({}, {"blinks_closed": 0.9}, "lids close"),
        ({}, {"lid_corr": 0.94}, "eyelid"),
        ({}, {"gaze_corr": 0.94}, "gaze"),
        ({}, {"jitter": 1.2}, "jitter"),
    ],
)
def test_every_bar_can_be_missed(painted, motion, words):
    missed = [bar.demand for bar in bars(results(GOOD | painted, **motion)) if not bar.met]
    assert len(missed) == 1 and words in missed[0]


def test_a_network_too_large_or_too_slow_misses():
    missed = [b.demand for b in bars(results(GOOD, COST | {"mmac": 1100.0, "median_ms": 13.0})) if not b.met]
    assert len(missed) == 2 and "GMAC" in missed[0] and "ms" in missed[1]


def test_without_painters_their_bars_are_open_not_met():
    rows = bars(results(cost=None))
    assert sum(bar.met is None for bar in rows) == 6
    assert all(bar.met for bar in rows if bar.met is not None)


def test_the_report_says_it_all():
    text = markdown(results(GOOD), bars(results(GOOD | {"psnr": 20.0})))
    for words in ("| someone | painted |", "**missed**", "wall.mp4: no face", "mouth 500 MMAC", "0.8100"):
        assert words in text
