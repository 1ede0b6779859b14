"""A self-contained HTML page that shows what the detector saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.watermark.correlate import Geometry
from facepuppet.watermark.detection import Detection
from facepuppet.watermark.finding import CurvePoint
from facepuppet.watermark.provenance import Provenance

_WIDTH, _HEIGHT, _MARGIN, _TOP = 720, 260, 44, 16
_LEFT, _RIGHT, _BOTTOM = _MARGIN, _WIDTH - _MARGIN, _TOP + _HEIGHT - 2 * _MARGIN
_THRESHOLD = -6.0


@dataclass(frozen=True, slots=True)
class _Chart:
    """Evidence against time as the page draws it: pixels downwards from the top left, points as SVG has them.

    Attributes:
        limit: height of the line under which a session counts as marked.
        session: points of the whole session's evidence.
        recent: points of the latest seconds' evidence.
        last_s: the time at the right edge.
        lowest: base-10 logarithm of the p-value at the lower edge.
    """

    limit: str
    session: str
    recent: str
    last_s: float
    lowest: float
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def write_report(path: Path, source: str, result: Detection, provenance: Provenance | None = None) -> None:
    """Write the page.

    Raises:
        OutputUnwritableError: the file cannot be written.
    """
    page = render_report(source, result, provenance)
    try:
        # A file name may hold bytes that are no text: they are shown as escapes.
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputUnwritableError(
            f"{path} ({error.strerror})", "a writable place for the report", "Choose another folder."
        ) from error


def render_report(source: str, result: Detection, provenance: Provenance | None = None) -> str:
    """Return the page as text."""
    template = (files("facepuppet") / "watermark" / "report.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.from_string(template).render(
        marked=result.marked,
        facts=_facts(source, result, provenance),
        chart=_chart(result.curve) if result.curve else None,
    )


def _facts(source: str, result: Detection, provenance: Provenance | None) -> dict[str, str]:
    best = result.best
    return {
        "Source": source,
        "Examined": f"{result.n_frames} frames, {result.duration_s:.1f} s",
        "Key": result.key or "none",
        "Payload": result.payload or "not readable",
        "Consent record": result.consent_id or "–",
        "p-value": f"10^{best.log10_p:.1f}",
        "Certain after": "–" if result.first_seen_s is None else f"{result.first_seen_s:.1f} s",
        "Place": "–" if best.geometry is None else _place(best.geometry),
        "Manifest": "none" if provenance is None else provenance.sentence(result.payload),
    }


def _place(geometry: Geometry) -> str:
    mirrored = ", mirrored" if geometry.mirrored else ""
    return (
        f"scale {geometry.scale:.3f}, {geometry.column:+.1f} cells across, {geometry.row:+.1f} down{mirrored}"
    )


def _chart(curve: Sequence[CurvePoint]) -> _Chart:
    lowest = min(_THRESHOLD * 2, *(min(point.log10_p, point.recent_log10_p) for point in curve))
    last_s = max(curve[-1].t_s, 1e-3)

    def line(values: Sequence[float]) -> str:
        return " ".join(
            f"{_x(point.t_s / last_s):.1f},{_y(value / lowest):.1f}"
            for point, value in zip(curve, values, strict=True)
        )

    return _Chart(
        limit=f"{_y(_THRESHOLD / lowest):.1f}",
        session=line([point.log10_p for point in curve]),
        recent=line([point.recent_log10_p for point in curve]),
        last_s=last_s,
        lowest=lowest,
    )


def _x(share: float) -> float:
    return _LEFT + share * (_RIGHT - _LEFT)


def _y(share: float) -> float:
    return _TOP + share * (_BOTTOM - _TOP)
