"""All gates of a portrait, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from calibrate.gates.exposure import light_gates
from calibrate.gates.gate import Gate, Severity, graded
from calibrate.gates.occlusion import cover_gates
from calibrate.gates.other_faces import company_gates
from calibrate.gates.shape import shape_gates
from facepuppet.core import PortraitUnfitError
from facepuppet.portrait import Avatar, Remark, measure_remarks


def measure_gates(avatar: Avatar) -> list[Gate]:
    """Measure an avatar's working picture against every limit."""
    rgb, landmarks_px = avatar.portrait_rgb, avatar.landmarks_px
    return [
        *shape_gates(landmarks_px, avatar.size_px),
        *light_gates(rgb, landmarks_px),
        *cover_gates(rgb, landmarks_px),
        *company_gates(rgb, landmarks_px),
        *(_noted(remark) for remark in measure_remarks(avatar)),
    ]


def _noted(remark: Remark) -> Gate:
    """What never refuses, as a gate."""
    return graded(
        remark.label,
        remark.value,
        remark.unit,
        good=remark.limit,
        needed=None,
        harm=remark.harm,
        at_least=remark.at_least,
    )


def admit(gates: Sequence[Gate], *, name: str, force: bool) -> None:
    """Let a portrait pass, or not.

    Args:
        gates: of the portrait.
        name: what to call it.
        force: go on all the same where a gate refuses.

    Raises:
        PortraitUnfitError: a gate refuses, and force is off.
    """
    refusals = [gate for gate in gates if not gate.passed and gate.severity is Severity.REFUSE]
    if refusals and not force:
        worst = refusals[0]
        raise PortraitUnfitError(
            f"{name} with {'; '.join(str(gate) for gate in refusals)}",
            "a portrait within these limits",
            f"{worst.harm} Use another picture, or go on all the same with --force.",
        )
