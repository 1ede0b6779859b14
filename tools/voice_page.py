"""A page that shows what is heard in a voice: the sound, phones where known, and openings, told and true.

    python tools/voice_page.py [CLIP_OR_SOUND ...] [--say "Bob put a map up." --voice en] --out voice.html

Of a video the lips of its own person, by the product's tracker, are the truth; of text that espeak-ng's
library speaks (--say) phones are known. The shipped network stands beside signal processing alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from engines.voice.espeak import Espeak, Phone
from engines.voice.examples import at_16k, measures_of
from engines.voice.take import read_sound, watch
from facepuppet.core import F32, F64, FacepuppetError
from facepuppet.voice import RATE_HZ, Hearing, PlainMouth, VoiceSpectrum, frame_times_s

PX_PER_S, ROW_PX = 120.0, 110.0
MOST = 0.3  # inter-ocular distances at a row's edge
STYLE = """
body { font: 14px system-ui; margin: 2rem; color: #222; background: #fff }
figure { margin: 0 0 2rem; overflow-x: auto } svg { display: block }
.sound { fill: #9ab } .truth { stroke: #111 } .told { stroke: #c22 } .plain { stroke: #999 }
polyline { fill: none; stroke-width: 1.5 } .axis { stroke: #ccc } text { font-size: 11px; fill: #555 }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818 } .axis { stroke: #444 }
  .truth { stroke: #fff } .told { stroke: #f66 }
  text { fill: #aaa } .sound { fill: #456 }
}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a plot: when and how much."""

    kind: str
    t_s: F64
    values: F32


def rows_of(sound: F32) -> tuple[list[Row], list[Row]]:
    """What network and signal processing make of a sound: openings, widths."""
    frames = Hearing().feed(sound)
    features, loudness = VoiceSpectrum().feed(sound)
    told = np.stack([frame.mouth for frame in frames])
    plain, _ = PlainMouth().feed(features, loudness)
    t_s = frame_times_s(len(frames))
    openings, widths = zip(measures_of(plain), measures_of(told), strict=True)
    return (
        [Row(kind, t_s, values) for kind, values in zip(("plain", "told"), openings, strict=True)],
        [Row(kind, t_s, values) for kind, values in zip(("plain", "told"), widths, strict=True)],
    )


def of_file(path: Path) -> str:
    """Return the figure of a file, with the truth where somebody is seen."""
    sound = read_sound(path)
    openings, widths = rows_of(sound)
    try:
        take = watch(path)
    except (FacepuppetError, ValueError):  # a sound alone, or nobody in it
        return figure(path.name, sound, openings, widths, ())
    told = np.interp(take.t_s, openings[1].t_s, openings[1].values)
    fits = f"correlation of the opening {np.corrcoef(told, take.gap)[0, 1]:.2f}"
    openings.append(Row("truth", take.t_s, take.gap))
    widths.append(Row("truth", take.t_s, take.width))
    return figure(f"{path.name}: {fits}", sound, openings, widths, ())


def of_text(text: str, voice: str) -> str:
    """Return the figure of a text that espeak-ng speaks."""
    spoken = at_16k(Espeak().say(text, voice))
    return figure(f"{voice}: {text}", spoken.sound, *rows_of(spoken.sound), spoken.phones)


def figure(
    title: str, sound: F32, openings: Sequence[Row], widths: Sequence[Row], phones: Sequence[Phone]
) -> str:
    """Draw one sound."""
    width_px = len(sound) / RATE_HZ * PX_PER_S
    parts = [_envelope(sound)]
    parts += [
        f'<text x="{phone.start_s * PX_PER_S:.1f}" y="{ROW_PX + 12:.0f}">{escape(phone.ipa)}</text>'
        for phone in phones
    ]
    for number, (name, rows) in enumerate((("opening", openings), ("width", widths))):
        middle = ROW_PX * (number + 1.6) + 20
        parts.append(f'<line class="axis" x1="0" x2="{width_px:.0f}" y1="{middle:.1f}" y2="{middle:.1f}"/>')
        parts.append(f'<text x="4" y="{middle - 4:.1f}">{name}</text>')
        parts += [_line(row, middle) for row in rows]
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg width="{width_px:.0f}" height="{ROW_PX * 3 + 20:.0f}">{"".join(parts)}</svg></figure>'
    )


def _envelope(sound: F32) -> str:
    block = round(RATE_HZ / PX_PER_S)
    peaks = np.abs(sound[: len(sound) // block * block]).reshape(-1, block).max(1)
    peaks = peaks / max(float(peaks.max(initial=0.0)), 1e-6) * ROW_PX / 2
    above = [f"{x},{ROW_PX / 2 - peak:.1f}" for x, peak in enumerate(peaks)]
    below = [f"{x},{ROW_PX / 2 + peak:.1f}" for x, peak in reversed(list(enumerate(peaks)))]
    return f'<polygon class="sound" points="{" ".join(above + below)}"/>'


def _line(row: Row, middle: float) -> str:
    scale = ROW_PX / 2 / MOST
    points = " ".join(
        f"{t * PX_PER_S:.1f},{middle - value * scale:.1f}"
        for t, value in zip(row.t_s, row.values, strict=True)
    )
    return f'<polyline class="{row.kind}" points="{points}"/>'


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--say", action="append", default=[])
    parser.add_argument("--voice", default="en")
    parser.add_argument("--out", type=Path, default=Path("voice.html"))
    options = parser.parse_args()
    figures = [of_file(path) for path in options.files] + [
        of_text(text, options.voice) for text in options.say
    ]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>What is heard</title>'
        f"<style>{STYLE}</style><p>Red: told by the network. Grey: by signal processing. "
        "Black: the film. In inter-ocular distances.</p>" + "".join(figures)
    )
    options.out.write_text(page, encoding="utf-8")
    print(f"{options.out}: {len(figures)} sounds")


if __name__ == "__main__":
    main()
