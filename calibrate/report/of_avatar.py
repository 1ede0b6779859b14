"""What a report tells about a pack: pictures, gates, right to use, safe range, what the sweep looked like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from calibrate.facts import pack_facts
from calibrate.gates import Gate, measure_gates
from calibrate.painter_check import PainterCheck, check_painter
from calibrate.preview import cut_out, with_points
from calibrate.report.model import Picture, Row, Section, Table
from calibrate.report.of_sweep import SweepLook, sweep_sections
from calibrate.sweep import sweep
from calibrate.views.view_gain import PARTS, ViewGain, measure_gains
from facepuppet.portrait import Avatar, Pack, View


def avatar_sections(pack: Pack) -> tuple[Section, ...]:
    """Return the sections about a pack; everything is measured anew, on what the pack holds."""
    facts = pack_facts(pack)
    look = SweepLook(pack.avatar)
    found = sweep(pack.avatar, look)
    return (
        _pictures(pack.avatar, {key: facts[key] for key in ("name", "source_sha256", "size_px", "views")}),
        _gates(measure_gates(pack.avatar), facts["gates"]),
        _right(facts["consent"]),
        *sweep_sections(pack.avatar, found, look.strips()),
        _gains(measure_gains(pack.avatar)),
        _painter(check_painter(pack.avatar), "mouth" in pack.avatar.unpainted),
    )


def _pictures(avatar: Avatar, facts: Mapping[str, Any]) -> Section:
    width, height = avatar.size_px
    portrait = with_points(avatar.portrait_rgb, avatar.landmarks_px, avatar.shoulders_px)
    return Section(
        "pictures",
        "Pictures",
        "The points are where the face was found. The person is cut out; what was behind is filled in.",
        pictures=(
            Picture(portrait, f"Portrait, {width} × {height} px"),
            Picture(cut_out(avatar), "Person"),
            Picture(avatar.background_rgb, "Background"),
            *(_view(view, number) for number, view in enumerate(avatar.views, 1)),
        ),
        facts=facts,
    )


def _view(view: View, number: int) -> Picture:
    points = view.landmarks_px[:, :2] - view.origin_px
    return Picture(with_points(view.rgb, points), f"Further picture {number}")


def _gates(gates: Sequence[Gate], facts: Sequence[Mapping[str, Any]]) -> Section:
    failed = sum(not gate.passed for gate in gates)
    words = "Everything that was asked of the portrait is there."
    if failed:
        words = f"{failed} of {len(gates)} are not met: expect the result to suffer."
    rows = [_gate_row(gate) for gate in gates]
    return Section(
        "gates",
        "What was asked of the portrait",
        words,
        table=Table(("measure", "found", "asked", ""), tuple(rows)),
        facts={"gates": list(facts)},
    )


def _gate_row(gate: Gate) -> Row:
    bound = "at least" if gate.at_least else "at most"
    found, limit = (f"{value:.{gate.digits}f} {gate.unit}" for value in (gate.value, gate.limit))
    return Row((gate.label, found, f"{bound} {limit}", "met" if gate.passed else gate.harm), gate.passed)


def _right(facts: Mapping[str, Any] | None) -> Section:
    key, title = "right", "Right to use"
    if facts is None:
        return Section(key, title, "Not stated; a pack without a statement does not run.")
    if "problem" in facts:
        return Section(key, title, f"The statement does not hold: {facts['problem']}.", facts=facts)
    rows = [
        Row((name.replace("_", " "), _flat(value)))
        for name, value in facts.items()
        if name != "sentence" and value is not None
    ]
    return Section(key, title, str(facts["sentence"]), table=Table(("", ""), tuple(rows)), facts=facts)


def _painter(found: PainterCheck | None, off: bool) -> Section:
    """What the shipped mouth painter does to the portrait, and what was decided when the pack was made."""
    words = (
        "It does not run on this portrait: the drawing alone is nearer to it."
        if off
        else "It runs: nothing said otherwise when the pack was made."
    )
    facts: dict[str, Any] = {"off": off}
    if found is not None:
        words += f" Tried now in five shapes of the mouth, {found.sentence()}."
        facts |= asdict(found)
    return Section("painter", "The mouth painter", words, facts=facts)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {one}" for key, one in value.items() if one is not None)
    return str(value)


def _gains(gains: Sequence[ViewGain]) -> Section:
    key, title = "gains", "What further pictures bring"
    if not gains:
        words = (
            "There are none. An open mouth, shut eyes, a smile and a turn to each side, in any order, give "
            "the portrait its own teeth, lids and cheeks."
        )
        return Section(key, title, words)
    words = (
        "Each picture is rendered from the portrait and all other pictures, and compared with what it shows; "
        "then without one of those. A gain is the share of the others' error that a picture removes."
    )
    head = ("picture", "its own error, of 255", *(f"gain, {part}" for part in PARTS))
    rows = [_gain_row(number, gain) for number, gain in enumerate(gains, 1)]
    facts = {"views": [asdict(gain) for gain in gains]}
    return Section(key, title, words, table=Table(head, tuple(rows)), facts=facts)


def _gain_row(number: int, gain: ViewGain) -> Row:
    shares = (f"{100 * gain.gain[part]:+.0f} %" if part in gain.gain else "–" for part in PARTS)
    return Row((f"further picture {number}", f"{gain.missed:.1f}", *shares))
