"""Inline SVG: how bad a portrait looks the farther it is moved, how far a driver goes, a resting face.

Colours come from the page's style sheet by class, so that the drawings follow a light or dark page.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from facepuppet.core import F32
from facepuppet.drivers import Channel, Range
from facepuppet.face import EYES, FACE_OVAL, LIPS_INNER, LIPS_OUTER

_WIDTH, _HEIGHT = 300, 128
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 10, 8, 24
_WORST = 2.0  # badness at the top edge; more is drawn there

_TICKS_APART = 34.0  # px between two numbers of an axis

_Point = tuple[float, float]


def badness_chart(
    points: Sequence[_Point], safe: tuple[float, float], extent: tuple[float, float], unit: str, words: str
) -> Markup:
    """Draw badness over a channel's value; the safe range is shaded, the tolerated badness is a line.

    Args:
        points: (value, badness), in order of value; badness 1 is what is just tolerated.
        safe: from and to.
        extent: of the axis.
        unit: written behind the axis' numbers.
        words: what the drawing says, for readers who do not see it.
    """
    low, high = extent
    across = (_WIDTH - _LEFT - _RIGHT) / max(high - low, 1e-9)
    down = (_HEIGHT - _TOP - _BOTTOM) / _WORST
    floor = _HEIGHT - _BOTTOM

    def x(value: float) -> float:
        return _LEFT + (value - low) * across

    def y(badness: float) -> float:
        return floor - min(badness, _WORST) * down

    line = " ".join(f"{x(value):.1f},{y(bad):.1f}" for value, bad in points)
    dots = "".join(
        f'<circle class="{"good" if bad <= 1.0 else "bad"}" cx="{x(value):.1f}" cy="{y(bad):.1f}" r="3"/>'
        for value, bad in points
    )
    ticks = "".join(_tick(x(value), floor, f"{value:g}{unit}") for value in safe)
    apart = _TICKS_APART / across  # in the channel's unit
    outer = [edge for edge, limit in zip(extent, safe, strict=True) if abs(edge - limit) > apart]
    ticks += "".join(_tick(x(value), floor, f"{value:g}{unit}") for value in outer)
    return _svg(
        _WIDTH,
        _HEIGHT,
        words,
        f'<rect class="safe" x="{x(safe[0]):.1f}" y="{_TOP}" width="{x(safe[1]) - x(safe[0]):.1f}" '
        f'height="{floor - _TOP}"/>'
        f'<line class="axis" x1="{_LEFT}" y1="{floor}" x2="{_WIDTH - _RIGHT}" y2="{floor}"/>'
        f'<line class="limit" x1="{_LEFT}" y1="{y(1):.1f}" x2="{_WIDTH - _RIGHT}" y2="{y(1):.1f}"/>'
        f'<text class="tick end" x="{_LEFT - 5}" y="{y(1) + 4:.1f}">1</text>'
        f'<text class="tick end" x="{_LEFT - 5}" y="{floor:.1f}">0</text>'
        f'<polyline class="line" points="{line}"/>{dots}{ticks}',
    )


def range_chart(channel: Channel, seen: Range) -> Markup:
    """Draw one channel's range about its rest, on an axis as long as two lively people's."""
    width, height, middle = 300, 34, 16
    across = (width - 20) / (2.0 * channel.span)

    def x(value: float) -> float:
        return min(max(width / 2 + (value - seen.rest) * across, 4.0), width - 4.0)

    words = f"{channel.label}: rest {seen.rest:.2f}, from {seen.low:.2f} to {seen.high:.2f} {channel.unit}"
    low, reach = x(seen.low), max(x(seen.high) - x(seen.low), 1.0)
    return _svg(
        width,
        height,
        words,
        f'<line class="axis" x1="10" y1="{middle}" x2="{width - 10}" y2="{middle}"/>'
        f'<rect class="band" x="{low:.1f}" y="{middle - 4}" width="{reach:.1f}" height="8" rx="4"/>'
        f'<circle class="rest" cx="{x(seen.rest):.1f}" cy="{middle}" r="5"/>',
    )


def face_chart(landmarks_head: F32, words: str) -> Markup:
    """Draw (478, 3) head-frame landmarks as lines: oval, brows, eyes, irises, lips."""
    size, unit = 300, 118.0
    points = landmarks_head[:, :2] * unit + (size / 2, 0.40 * size)

    def path(indices: Sequence[int], closed: bool) -> str:
        corners = " L".join(f"{a:.1f} {b:.1f}" for a, b in points[indices].tolist())
        return f'<path class="face" d="M{corners}{" Z" if closed else ""}"/>'

    rings = [FACE_OVAL, LIPS_OUTER, LIPS_INNER, *(eye.ring for eye in EYES), *(eye.iris_ring for eye in EYES)]
    lines = [path(ring.tolist(), True) for ring in rings]
    lines += [path(eye.brow_upper.tolist(), False) for eye in EYES]
    return _svg(size, size, words, "".join(lines))


def _tick(x: float, floor: float, text: str) -> str:
    return f'<text class="tick" x="{x:.1f}" y="{floor + 16:.1f}">{Markup.escape(text)}</text>'


def _svg(width: int, height: int, words: str, content: str) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{Markup.escape(words)}">{content}</svg>'
    )
