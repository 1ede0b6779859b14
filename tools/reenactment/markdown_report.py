"""The run's figures as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reenactment.motion_series import BLINK_SHARE, CHANNELS, CLOSED_SHARE
from reenactment.summary import Bar

PICTURE_COLUMNS = {
    "l1": ("L1", 4), "psnr": ("PSNR", 2), "ssim": ("SSIM", 4), "perceptual": ("percep.", 4),
    "landmarks": ("landm.", 4), "identity_ratio": ("id ratio", 3),
    "mouth_l1": ("mouth L1", 4), "mouth_perceptual": ("mouth percep.", 4), "mouth_deep": ("deep", 4),
    "mouth_sharpness": ("mouth sharp", 2), "open_mouth_l1": ("open L1", 4),
    "open_mouth_perceptual": ("open percep.", 4), "open_mouth_sharpness": ("open sharp", 2),
    "eye_l1": ("eye L1", 4), "eye_perceptual": ("eye percep.", 4), "eye_deep": ("deep", 4),
    "eye_sharpness": ("eye sharp", 2),
    "flicker": ("flicker", 2), "flicker_truth": ("truth's", 2),
    "flicker_worst": ("worst", 1), "flicker_worst_truth": ("truth's", 1),
}  # fmt: skip
MOTION_COLUMNS = {
    "blinks": ("blinks", 0), "blinks_closed": ("closed", 2), "lid_corr": ("lid corr", 3),
    "lid_gain": ("gain", 2), "lid_error": ("error", 3), "gaze_corr": ("gaze corr", 3),
    "gaze_x_corr": ("x", 3), "gaze_y_corr": ("y", 3), "gaze_gain": ("gain", 2),
    "gaze_error_deg": ("error °", 1), "mouth_open_corr": ("mouth corr", 3),
    "mouth_width_corr": ("width", 3), "yaw_corr": ("yaw", 3), "pitch_corr": ("pitch", 3),
    "roll_corr": ("roll", 3), "brow_corr": ("brow", 3), "jitter": ("jitter", 2),
}  # fmt: skip
NOTES = f"""\
Pictures are compared at 256² (mouth and eyes in 128² windows placed by the truth's landmarks), motion taken
from the true frame's landmarks ("rendering"). *percep.*: EfficientNet-lite0 features, LPIPS-style,
unweighted; *deep*: only of its blocks that no training loss looks at. *open*: frames whose true mouth is
open wider than the source's. *landm.*: mean landmark distance over inter-ocular distance. *id ratio*: dlib
cosine to the source over the true frames' own. *sharp*: mean absolute Laplacian over the truth's.
*flicker*: second difference over time in levels where the truth is still, mean and 99th percentile.

Motion is re-tracked from the output; "end to end" is what users get. A true blink takes the driver's
aperture under {BLINK_SHARE} of neutral, the output counts as closed under {CLOSED_SHARE}. Correlations are
pooled over clips after each clip's mean is removed; gaze while eyes are open. Jitter: second differences,
output over driver. *true frames, mirrored*: the truth itself tracked a second time; no output can be
expected to agree with the first much better than that."""


def markdown(results: Mapping[str, Any], rows: Sequence[Bar]) -> str:
    """All tables, the bars last."""
    parts = ["# Reenactment of people never seen", NOTES, "## Self-reenactment: pictures"]
    pictures = [
        (clip, name, variant["pictures"])
        for clip, variants in {**results["clips"], "**all**": results["overall"]}.items()
        for name, variant in variants.items()
        if variant["pictures"]
    ]
    parts.append(_table(("clip", "variant"), pictures, PICTURE_COLUMNS))
    parts.append("## Self-reenactment: motion")
    motion = [
        (clip, f"{name}, {way}", metrics)
        for clip, variants in {**results["clips"], "**all**": results["overall"]}.items()
        for name, variant in variants.items()
        for way, metrics in variant.get("motion", {}).items()
    ]
    parts.append(_table(("clip", "variant"), motion, MOTION_COLUMNS))
    if results.get("cross"):
        parts += ["## Cross-reenactment (correlation / gain)", _cross(results["cross"])]
    if results.get("cost"):
        parts += ["## Cost of the painters", _cost(results["cost"])]
    if results["problems"]:
        parts += ["## Left out", *(f"- {problem}" for problem in results["problems"])]
    parts += ["## Bars", "| demand | measured | |\n|---|---|---|\n" + "\n".join(map(_bar, rows))]
    return "\n\n".join(parts) + "\n"


def _table(
    heads: Sequence[str],
    rows: Sequence[tuple[str, str, Mapping[str, float]]],
    columns: Mapping[str, tuple[str, int]],
) -> str:
    titles = [*heads, *(title for title, _ in columns.values())]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for clip, name, metrics in rows:
        figures = [_figure(metrics.get(key), digits) for key, (_, digits) in columns.items()]
        lines.append("| " + " | ".join([clip, name, *figures]) + " |")
    return "\n".join(lines)


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def _cross(rows: Sequence[Mapping[str, Any]]) -> str:
    names = (*CHANNELS, "mean", "identity", "sharpness", "jitter")
    lines = ["| portrait | driver | variant | " + " | ".join(names) + " |"]
    lines.append("|---" * (len(names) + 3) + "|")
    for row in rows:
        m = row["metrics"]
        cells = [f"{_figure(m[f'corr_{c}'], 2)} / {_figure(m[f'gain_{c}'], 2)}" for c in CHANNELS]
        cells += [_figure(m[key], 2) for key in ("corr", "identity", "sharpness", "jitter")]
        lines.append(
            f"| {row['portrait']} | {row['driver']} | {row['variant']} | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines)


def _cost(cost: Mapping[str, Any]) -> str:
    networks = ", ".join(f"{name} {mmac:.0f}" for name, mmac in cost["networks_mmac"].items())
    size = "x".join(map(str, cost["picture_px"]))
    return (
        f"{networks} MMAC, together {cost['mmac']:.0f} MMAC a frame, {cost['kilobytes']:.0f} kB. "
        f"All painters at {size}: median {cost['median_ms']:.1f} ms, p95 {cost['p95_ms']:.1f} ms "
        f"over {cost['frames']} frames ({cost['cpu']}, {cost['cores']} cores)."
    )


def _bar(bar: Bar) -> str:
    verdict = "–" if bar.met is None else ("met" if bar.met else "**missed**")
    return f"| {bar.demand} | {bar.measured} | {verdict} |"
