"""A self-contained HTML page that shows what the detector saw."""

from __future__ import annotations

from html import escape
from pathlib import Path

from facepuppet.core.errors import OutputUnwritableError
from facepuppet.watermark.correlate import Geometry
from facepuppet.watermark.detection import Detection
from facepuppet.watermark.finding import CurvePoint
from facepuppet.watermark.provenance import Provenance

_WIDTH, _HEIGHT, _MARGIN = 720, 260, 44
_THRESHOLD = -6.0

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Watermark report</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem;color:#222}}
h1{{font-size:1.4rem}} td{{padding:.15rem 1rem .15rem 0}} svg{{width:100%;height:auto}} .note{{color:#555}}
</style>
<h1>{verdict}</h1>
<table>{rows}</table>
{chart}
<p class="note">Solid: evidence of the whole session, corrected for the search, the keys and repeated looks.
Dashed: the latest seconds alone, uncorrected. Below the red line the session counts as marked (one false
alarm in a million sessions). No mark found does not prove a picture real; a mark can be copied.</p>
</html>
"""


def write_report(path: Path, source: str, result: Detection, provenance: Provenance | None = None) -> None:
    """Write the page.

    Raises:
        OutputUnwritableError: the file cannot be written.
    """
    try:
        path.write_text(render_report(source, result, provenance), encoding="utf-8")
    except OSError as error:
        raise OutputUnwritableError(
            f"{path} ({error.strerror})", "a writable place for the report", "Choose another folder."
        ) from error


def render_report(source: str, result: Detection, provenance: Provenance | None = None) -> str:
    """Return the page as text."""
    best = result.best
    facts = {
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
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    verdict = "Marked as synthetic" if result.marked else "No mark found"
    return _PAGE.format(verdict=verdict, rows=rows, chart=_chart(result.curve))


def _place(geometry: Geometry) -> str:
    mirrored = ", mirrored" if geometry.mirrored else ""
    return (
        f"scale {geometry.scale:.3f}, {geometry.column:+.1f} cells across, {geometry.row:+.1f} down{mirrored}"
    )


def _chart(curve: tuple[CurvePoint, ...]) -> str:
    if not curve:
        return "<p>No evidence curve: nothing was examined.</p>"
    lowest = min(_THRESHOLD * 2, *(min(point.log10_p, point.recent_log10_p) for point in curve))
    last_s = max(curve[-1].t_s, 1e-3)

    def line(values: list[float], style: str) -> str:
        points = " ".join(
            f"{_x(point.t_s / last_s):.1f},{_y(value / lowest):.1f}"
            for point, value in zip(curve, values, strict=True)
        )
        return f'<polyline fill="none" {style} points="{points}"/>'

    limit = _y(_THRESHOLD / lowest)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="evidence against time">'
        f'<rect x="{_x(0)}" y="{_y(0)}" width="{_x(1) - _x(0)}" height="{_y(1) - _y(0)}" fill="#f6f6f6"/>'
        f'<line x1="{_x(0)}" x2="{_x(1)}" y1="{limit:.1f}" y2="{limit:.1f}" stroke="#c22"/>'
        + line([point.log10_p for point in curve], 'stroke="#15c" stroke-width="2"')
        + line([point.recent_log10_p for point in curve], 'stroke="#15c" stroke-dasharray="4 4"')
        + f'<text x="{_x(0)}" y="{_HEIGHT - 12}">0 s</text>'
        f'<text x="{_x(1)}" y="{_HEIGHT - 12}" text-anchor="end">{last_s:.1f} s</text>'
        f'<text x="4" y="{_y(0) + 12}">p=1</text><text x="4" y="{_y(1)}">10^{lowest:.0f}</text></svg>'
    )


def _x(share: float) -> float:
    return _MARGIN + share * (_WIDTH - 2 * _MARGIN)


def _y(share: float) -> float:
    return 16 + share * (_HEIGHT - 2 * _MARGIN)
