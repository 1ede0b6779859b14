"""Is a picture marked, by whom, with what, and where in time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facepuppet.core.errors import WatermarkError
from facepuppet.core.types import U8
from facepuppet.watermark.detector import Detector
from facepuppet.watermark.finding import CurvePoint, Finding
from facepuppet.watermark.keys import PUBLIC_KEY, Key
from facepuppet.watermark.luma_frames import LumaFrame, open_luma_frames

_LIVE_S = 15.0  # a camera or the screen is watched this long unless told otherwise


@dataclass(frozen=True, slots=True)
class Detection:
    """The answer.

    Attributes:
        findings: one for each key, the most certain first.
        n_frames, duration_s: how much was examined.
    """

    findings: tuple[Finding, ...]
    n_frames: int
    duration_s: float

    @property
    def best(self) -> Finding:
        """The most certain finding; the properties below are its own."""
        return self.findings[0]

    @property
    def marked(self) -> bool:
        """True when the corrected p-value is below 1e-6."""
        return self.best.marked

    @property
    def p_value(self) -> float:
        """Chance of so much evidence without a mark, corrected for keys, search and repeated looks."""
        return self.best.p_value

    @property
    def key(self) -> str | None:
        """Name of the key that marked it."""
        return self.best.key if self.marked else None

    @property
    def payload(self) -> str | None:
        """Sixteen hexadecimal digits, or None when unreadable."""
        return self.best.payload.hex if self.best.payload else None

    @property
    def consent_id(self) -> str | None:
        """Id of the consent record by which the portrait was used, or None when unread or not carried."""
        return self.best.payload.consent_id if self.best.payload else None

    @property
    def first_seen_s(self) -> float | None:
        """Seconds after the start at which the mark was certain."""
        return self.best.first_seen_s

    @property
    def curve(self) -> tuple[CurvePoint, ...]:
        """Evidence against time."""
        return self.best.curve

    def as_dict(self) -> dict[str, Any]:
        """Return what `facepuppet detect --json` prints."""
        return {
            "marked": self.marked,
            "p_value": self.p_value,
            "log10_p": round(self.best.log10_p, 2),
            "key": self.key,
            "payload": self.payload,
            "consent": self.consent_id,
            "first_seen_s": self.first_seen_s,
            "payload_s": self.best.payload_s,
            "spans_s": [[round(start, 2), round(end, 2)] for start, end in self.best.spans_s],
            "n_frames": self.n_frames,
            "duration_s": round(self.duration_s, 3),
            "keys": [
                {"key": found.key, "marked": found.marked, "log10_p": round(found.log10_p, 2)}
                for found in self.findings
            ],
            "curve": [[point.t_s, point.log10_p, point.recent_log10_p] for point in self.curve],
        }


def detect(
    source: str | Path | Iterable[tuple[U8, float]],
    keys: tuple[Key, ...] = (PUBLIC_KEY,),
    *,
    max_s: float | None = None,
    on_progress: Callable[[float | None], None] | None = None,
) -> Detection:
    """Examine a video, an image, a folder of images, `camera:N`, `screen[:X,Y,W,H]`, or frames.

    Args:
        source: where the pictures come from; frames are (luma or RGB uint8, time in seconds).
        keys: whose marks to look for.
        max_s: examine at most this much. Live sources stop after 15 s by default, and once a payload is read.
        on_progress: called with the share done, or None when there is no end.

    Raises:
        WatermarkError: the source cannot be examined.
    """
    detector = Detector(keys)
    live = isinstance(source, str) and source.startswith(("camera:", "screen"))
    limit_s = max_s if max_s is not None else _LIVE_S if live else float("inf")
    n_frames, start_s, end_s = 0, 0.0, 0.0
    for look in _looks(source):
        if n_frames == 0:
            start_s = look.t_s
        if look.t_s - start_s > limit_s:
            break
        detector.add(look.luma, look.t_s)
        n_frames, end_s = n_frames + 1, look.t_s
        if live and detector.payload_read:
            break
        if on_progress is not None:
            on_progress(look.progress)
    if n_frames == 0:
        raise WatermarkError("no frames", "at least one picture", "Check the source.")
    return Detection(detector.finish(), n_frames, end_s - start_s)


def _looks(source: str | Path | Iterable[tuple[U8, float]]) -> Iterator[LumaFrame]:
    if isinstance(source, str | Path):
        yield from open_luma_frames(source)
    else:
        for picture, t_s in source:
            yield LumaFrame(picture, t_s, None)
