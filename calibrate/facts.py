"""What is in a pack, as plain values and as lines for people."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict
from typing import Any

import numpy as np

from calibrate.gate_lines import gate_lines
from calibrate.gates import Gate, measure_gates
from calibrate.range_words import range_lines
from facepuppet.core import F32, ConsentError, ManifestError, head_from_image
from facepuppet.face import eye_openings, fit_head, mouth_gap
from facepuppet.frames import with_tuned
from facepuppet.inference import read_manifest
from facepuppet.portrait import PACK_VERSION, Consent, FaceView, Pack, TunedPainter, View


def pack_facts(pack: Pack) -> dict[str, Any]:
    """Return a pack's facts as plain JSON values; lengths in pixels of the working picture."""
    avatar = pack.avatar
    return {
        "name": avatar.name,
        "version": pack.version,
        "source_sha256": avatar.source_sha256,
        "size_px": list(avatar.size_px),
        "person_share": round(float(avatar.person_alpha.mean()) / 255, 4),
        "shoulders_px": np.round(avatar.shoulders_px, 1).tolist(),
        "consent": _consent_facts(pack),
        "safe_range": None if avatar.safe_range is None else asdict(avatar.safe_range),
        "views": [_view_facts(view) for view in avatar.views],
        "painters": {painter.region: _painter_facts(painter) for painter in avatar.painters},
        "unpainted": list(avatar.unpainted),
        "gates": [gate_facts(gate) for gate in measure_gates(avatar)],
    }


def pack_lines(pack: Pack) -> list[str]:
    """Return the same in words."""
    avatar = pack.avatar
    width, height = avatar.size_px
    lines = [
        f"{avatar.name}: {width}x{height} px, pack of version {pack.version}, from a portrait with sha256 "
        f"{avatar.source_sha256}",
        _consent_line(pack),
        "Gates:",
        *gate_lines(measure_gates(avatar)),
    ]
    if avatar.safe_range is None:
        lines.append("Safe range: never measured; what most portraits bear is assumed")
    else:
        lines += ["Safe range, from how it is in the portrait:", *range_lines(avatar.safe_range)]
    lines += [f"View {number}: {_view_words(view)}" for number, view in enumerate(avatar.views, 1)]
    lines += [_painter_line(painter) for painter in avatar.painters]
    lines += [_unpainted_line(region) for region in avatar.unpainted]
    if pack.version < PACK_VERSION:
        lines.append("An older version: facepuppet-calibrate upgrade gives it what it lacks.")
    return lines


def _consent_line(pack: Pack) -> str:
    facts = _consent_facts(pack)
    if facts is None:
        return "Right to use: not stated; a pack without a statement does not run"
    return str(facts.get("sentence") or f"Right to use: the statement does not hold: got {facts['problem']}")


def _consent_facts(pack: Pack) -> dict[str, Any] | None:
    """The statement's own fields; a problem in their place when it does not hold."""
    if pack.consent is None:
        return None
    try:
        consent = Consent.from_json(pack.consent)
        consent.check_portrait(pack.avatar.source_sha256)
    except ConsentError as error:
        return {"problem": error.got}
    return {"id": consent.id, "sentence": consent.sentence(), **consent.claim.to_fields()}


def gate_facts(gate: Gate) -> dict[str, Any]:
    """Return a gate as plain JSON values; `harm` tells what suffers when it is not passed."""
    return {
        "label": gate.label,
        "value": round(gate.value, 1),
        "limit": round(gate.limit, 1),
        "unit": gate.unit,
        "passed": gate.passed,
        "severity": gate.severity.value,
        "harm": gate.harm,
    }


def _painter_facts(painter: TunedPainter) -> dict[str, Any]:
    digest = hashlib.sha256(painter.model).hexdigest()
    return {"bytes": len(painter.model), "sha256": digest, "refused": _refusal(painter)}


def _painter_line(painter: TunedPainter) -> str:
    return f"Tuned {painter.region} painter: " + (
        _refusal(painter) or f"{len(painter.model) / 1e6:.1f} MB, in place of the shipped one"
    )


def _unpainted_line(region: str) -> str:
    return f"The shipped {region} painter does not run on it: the drawing alone is nearer the portrait"


def _refusal(painter: TunedPainter) -> str | None:
    """Why the show will not use a pack's painter; None when it will."""
    try:
        _, problems = with_tuned(read_manifest(), (painter,))
    except ManifestError as problem:
        return str(problem)
    return problems[0] if problems else None


def _view_facts(view: View) -> dict[str, Any]:
    face = FaceView.of(view.landmarks_px)
    head = _in_head(view.landmarks_px)
    return {
        "sha256": hashlib.sha256(view.rgb.tobytes()).hexdigest(),
        "size_px": [view.rgb.shape[1], view.rgb.shape[0]],
        "yaw_deg": round(math.degrees(face.yaw_rad), 1),
        "pitch_deg": round(math.degrees(face.pitch_rad), 1),
        "mouth_opening": round(mouth_gap(head), 3),
        "eye_opening": round(float(eye_openings(head).mean()), 3),
    }


def _view_words(view: View) -> str:
    facts = _view_facts(view)
    side = "right" if facts["yaw_deg"] > 0 else "left"
    return (
        f"{facts['size_px'][0]}x{facts['size_px'][1]} px, turned {abs(facts['yaw_deg']):.0f}° {side}, "
        f"mouth open by {facts['mouth_opening']:.2f}, eyes by {facts['eye_opening']:.2f}"
    )


def _in_head(landmarks_px: F32) -> F32:
    return head_from_image(landmarks_px, fit_head(landmarks_px)).astype(np.float32)
