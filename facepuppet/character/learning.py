"""A style learnt from how somebody moves: "move like this"."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from facepuppet.character.channel_groups import FACE_GROUPS, GROUP_OF_SHAPE
from facepuppet.character.style import SETTINGS, Key, Style
from facepuppet.character.units_of_style import written
from facepuppet.core.errors import StyleError
from facepuppet.core.types import F64, Blendshapes, Expression
from facepuppet.face.blendshapes import QuickWeights

LEAST_S = 20.0  # with a face: of less, how often somebody blinks or nods is chance
_LONGEST_GAP_S = 0.5  # between two moments that follow each other
# How far people move, as `ranges_of` tells it: medians of eight recordings of people who talk or grimace, of
# 13 to 60 seconds, made by `facepuppet record`. Somebody's gains are their ranges over these.
USUAL: MappingProxyType[str, float] = MappingProxyType(
    {
        **{"brows": 0.172, "smile": 0.051, "mouth": 0.073, "jaw": 0.075, "lids": 0.229, "gaze": 0.058},
        **{"pitch": 0.1, "yaw": 0.126, "roll": 0.084, "shoulders": 0.104},
    }
)
_STRONG = 90  # percentile that a range is
_LEAST_GAIN, _MOST_GAIN = 0.25, 2.0
_SHUT, _OPEN = 0.5, 0.75  # of lids, where a blink begins and is over
_BLINK_S = 0.5  # eyes that are shut for longer have not blinked
_NOD_RAD, _NOD_S = 0.05, 0.5  # of a nod down, and how long it takes at most, there and back each
_MOST_NODS = 12.0
_TREMBLE_S = 0.12
_EPISODE = 1.2  # of the usual range: what is stronger is a smile, or raised brows


_MEANS = np.array([[name == group for name in GROUP_OF_SHAPE] for group in FACE_GROUPS], np.float32)
_MEANS /= _MEANS.sum(axis=1, keepdims=True)


@dataclass(slots=True)
class Observed:
    """What was seen of somebody.

    Attributes:
        times_s: of moments with a face.
        channels: by name, one number a moment.
    """

    times_s: list[float] = field(default_factory=list)
    channels: dict[str, list[float]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long a face was seen."""
        steps = np.diff(self.times_s)
        steps = steps[steps <= _LONGEST_GAP_S]
        return float(steps.sum() + np.median(steps)) if len(steps) else 0.0  # the last lasts, too


def observe(expressions: Iterable[Expression]) -> Observed:
    """Return what is seen of somebody in a performance."""
    observed, quick = Observed(), QuickWeights()
    for expression in expressions:
        face = expression.face
        if face is None:
            continue
        shape = face.deformation
        weights = shape.weights if isinstance(shape, Blendshapes) else quick.of(shape.offsets)
        pitch, yaw, roll = face.head.turn.tolist()
        row = {"pitch": pitch, "yaw": yaw, "roll": roll, "lids": float(face.eye_opening.mean())}
        row["gaze"] = float(np.mean(face.gaze[:, 0]))
        row["shoulders"] = 0.0 if expression.torso is None else math.hypot(*expression.torso.lean)
        row.update(zip(FACE_GROUPS, (_MEANS @ weights).tolist(), strict=True))
        observed.times_s.append(expression.captured_ns * 1e-9)
        for name, value in row.items():
            observed.channels.setdefault(name, []).append(value)
    return observed


def ranges_of(observed: Observed) -> dict[str, float]:
    """Return how far each channel strays from where it usually is: the 90th percentile."""
    ranges = {}
    for name, values in observed.channels.items():
        series = np.array(values)
        if name == "lids":
            series = series[series > _OPEN]  # blinks are as deep in all people
        strays = np.abs(series - np.median(series)) if len(series) else np.zeros(1)
        ranges[name] = float(np.percentile(strays, _STRONG))
    return ranges


def learn_style(expressions: Iterable[Expression], name: str) -> Style:
    """Return the style of whoever performs.

    Args:
        expressions: at least LEAST_S of them with a face, by their times.
        name: what the style is to be called.

    Raises:
        StyleError: a face is seen for less than LEAST_S.
    """
    observed = observe(expressions)
    if observed.seconds < LEAST_S:
        raise StyleError(
            f"a recording that shows a face for {observed.seconds:.1f} s",
            f"at least {LEAST_S:.0f} s of somebody who talks and listens as usual",
            "Record longer: facepuppet record --output TAKE.npz --seconds 60",
        )
    minutes = observed.seconds / 60.0
    values: dict[Key, float] = {}
    for channel, strong in ranges_of(observed).items():
        if channel != "shoulders" or strong > 0.0:  # that were not seen
            values["gains", channel] = min(max(strong / USUAL[channel], _LEAST_GAIN), _MOST_GAIN)
    values["habits", "blinks"] = max(_n_blinks(observed) / minutes, 1.0)  # 0 would leave them to the driver
    values["habits", "nods"] = (
        min(_n_nods(observed) / minutes, _MOST_NODS) / 2.0
    )  # the driver's own come, too
    for group in ("smile", "brows"):
        times = _stays(observed, group, _EPISODE * USUAL[group])
        if times is not None:
            values["timing", group, "onset"], values["timing", group, "hold"] = times
    limited = {key: min(value, SETTINGS[key].most) for key, value in values.items()}
    return Style(name, name, limited)


def style_text(style: Style, about: str) -> str:
    """Return a style as a commented TOML file."""
    lines = [f"# {line}" for line in about.splitlines()]
    lines += ["# What keys mean, and which there are: facepuppet style show reserved", "schema = 1"]
    lines += [f"name = {_quoted(style.name)}"]
    tables: dict[Key, list[Key]] = {}
    for key in SETTINGS:
        if key in style.values:
            tables.setdefault(key[:-1], []).append(key)
    for table, keys in tables.items():
        lines += ["", f"[{'.'.join(table)}]"]
        for key in keys:
            setting = SETTINGS[key]
            lines.append(f"{key[-1]} = {written(style.values[key], setting)}  # {setting.meaning}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + "".join(one for one in text if one.isprintable() and one not in '"\\') + '"'


def _n_blinks(observed: Observed) -> int:
    n, since_s = 0, None
    for t_s, opening in zip(observed.times_s, observed.channels["lids"], strict=True):
        if opening < _SHUT and since_s is None:
            since_s = t_s
        elif opening > _OPEN and since_s is not None:
            n, since_s = n + (t_s - since_s <= _BLINK_S), None
    return n


def _n_nods(observed: Observed) -> int:
    """Count strokes of the head down that come from above and soon go back."""
    times = np.array(observed.times_s)
    pitch = _smoothed(observed.times_s, observed.channels["pitch"])
    n, last_s = 0, -math.inf
    for low_s, low in zip(times.tolist(), pitch.tolist(), strict=True):
        first, at, last = np.searchsorted(times, [low_s - _NOD_S, low_s, low_s + _NOD_S])
        around = pitch[first:last]
        if low < around.max() or low_s - last_s < _NOD_S:
            continue
        falls, rises = low - pitch[first : at + 1].min(), low - pitch[at:last].min()
        if falls > _NOD_RAD and rises > 0.5 * falls:
            n, last_s = n + 1, low_s
    return n


def _stays(observed: Observed, group: str, least: float) -> tuple[float, float] | None:
    """Return how long a group takes to come, and stays, in the median of its episodes; None without any."""
    times = observed.times_s
    series = _smoothed(times, observed.channels[group])
    onsets: list[float] = []
    holds: list[float] = []
    begun: int | None = None
    for n, value in enumerate(series):
        if value > least and begun is None:
            begun = n
        elif begun is not None and (value < 0.6 * least or n == len(series) - 1):
            peak = begun + int(np.argmax(series[begun : n + 1]))
            first = begun
            while first > 0 and series[first - 1] < series[first]:
                first -= 1
            onsets.append(times[peak] - times[first])
            holds.append(times[n] - times[peak])
            begun = None
    if not onsets:
        return None
    # Of what is held a share alone: the driver holds something of it as well.
    return min(float(np.median(onsets)) / 3.0, 0.5), min(float(np.median(holds)) / 4.0, 1.0)


def _smoothed(times_s: list[float], values: list[float]) -> F64:
    """Return a series without its tremble."""
    series = np.array(values)
    step_s = float(np.median(np.diff(times_s)))
    n = max(1, round(_TREMBLE_S / max(step_s, 1e-3)))
    return np.convolve(np.pad(series, (n // 2, n - 1 - n // 2), "edge"), np.ones(n) / n, mode="valid")
