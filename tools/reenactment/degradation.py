"""What an engine takes from a performance: steadiness and likeness, against fp32 on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scripted_faces import tracking_at

from facepuppet.core import N_LANDMARKS, U8, EngineError, Motion
from facepuppet.diagnose import Exact
from facepuppet.drivers import PIECE_S
from facepuppet.inference import Runtime, read_manifest
from facepuppet.portrait import Avatar, analyse_portrait
from facepuppet.vision import FaceMesh, face_box
from reenactment.identity import Identity
from reenactment.motion_series import jitter
from reenactment.puppets import perform, retargeted
from reenactment.takes import Take

FPS = 30.0
JUDGED_FRAMES = 24
MAX_JITTER_RATIO, MAX_IDENTITY_DROP = 1.02, 0.005
_NOTES = f"""\
Jitter: second differences of landmarks in thousandths of the inter-ocular distance; on average at most
{MAX_JITTER_RATIO:g} times that of fp32. Identity: dlib's cosine to the portrait; on average at most
{MAX_IDENTITY_DROP:g} lower. Changed: mean absolute difference of the pictures, in levels of 255.
The same frames, boxes and judges for both.
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A portrait and who drives it."""

    avatar: Avatar
    take: Take


@dataclass(frozen=True, slots=True)
class Difference:
    """One scene in fp32 on the CPU and on an engine.

    Attributes:
        scene: portrait and driver.
        jitter: second differences of the output's landmarks in inter-ocular distances, fp32 first.
        identity: cosine of the output's faces to the portrait's, fp32 first.
        changed: mean absolute difference of the pictures, in levels of 255.
    """

    scene: str
    jitter: tuple[float, float]
    identity: tuple[float, float]
    changed: float

    @property
    def jitter_ratio(self) -> float:
        """The engine's jitter over fp32's."""
        return self.jitter[1] / self.jitter[0]

    @property
    def identity_drop(self) -> float:
        """What the engine takes from the cosine."""
        return self.identity[0] - self.identity[1]


@dataclass(frozen=True, slots=True)
class Degradation:
    """All scenes, each counting alike."""

    scenes: tuple[Difference, ...]

    @property
    def jitter_ratio(self) -> float:
        """Mean of the scenes' ratios."""
        return float(np.mean([scene.jitter_ratio for scene in self.scenes]))

    @property
    def identity_drop(self) -> float:
        """Mean of the scenes' drops."""
        return float(np.mean([scene.identity_drop for scene in self.scenes]))

    @property
    def passes(self) -> bool:
        """Whether both are within the bars; NaN is not."""
        return self.jitter_ratio <= MAX_JITTER_RATIO and self.identity_drop <= MAX_IDENTITY_DROP

    def to_json(self) -> dict[str, Any]:
        """Return plain values for json.dumps."""
        overall = {"jitter_ratio": self.jitter_ratio, "identity_drop": self.identity_drop}
        return {**asdict(self), **overall, "passes": self.passes}

    def to_markdown(self) -> str:
        """Return notes and a table."""
        heads = "scene", "jitter fp32", "engine", "ratio", "identity fp32", "engine", "drop", "changed"
        rows = [heads, ("---",) * len(heads), *(_cells(scene) for scene in self.scenes)]
        verdict = "ok" if self.passes else "too far"
        rows.append(
            (
                f"**all: {verdict}**",
                "",
                "",
                f"{self.jitter_ratio:.4f}",
                "",
                "",
                f"{self.identity_drop:+.5f}",
                "",
            )
        )
        return "\n".join([_NOTES, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _cells(scene: Difference) -> tuple[str, ...]:
    steadiness = [f"{1e3 * value:.3f}" for value in scene.jitter]
    likeness = [f"{value:.4f}" for value in scene.identity]
    ratio, drop = f"{scene.jitter_ratio:.4f}", f"{scene.identity_drop:+.5f}"
    return scene.scene, *steadiness, ratio, *likeness, drop, f"{scene.changed:.4f}"


def scripted_take() -> Take:
    """The demo's piece as a perfect tracker would see it, so that no clip of anybody is needed."""
    tracked = tuple(tracking_at(n / FPS, n) for n in range(round(PIECE_S * FPS)))
    return Take("scripted piece", (), tracked, tracked, FPS, 0)


def own_scene(take: Take) -> Scene:
    """The most neutral frame of a clip, driven by the clip."""
    return Scene(analyse_portrait(take.portrait_rgb, name=take.name, source_sha256="0" * 64), take)


def degradation(scenes: Sequence[Scene], folder: Path, engines: Runtime) -> Degradation:
    """Let every scene be performed twice, in fp32 on the CPU and on an engine.

    Args:
        scenes: portraits and drivers.
        folder: with manifest.toml and the painters.
        engines: open the painters on the engine in question.

    Raises:
        ManifestError: the manifest cannot be read.
        EngineError: no network, or the engine does not run all of them to the end.
    """
    if not read_manifest(folder):
        raise EngineError(f"no network in {folder}", "painters to compare", "Name another --networks.")
    judges = _Judges()
    return Degradation(tuple(_compare(scene, folder, engines, judges) for scene in scenes))


def _compare(scene: Scene, folder: Path, engines: Runtime, judges: _Judges) -> Difference:
    avatar = scene.avatar
    motions = retargeted(avatar, scene.take)
    exact, given = (perform(avatar, motions, folder, which) for which in (Exact(), engines))
    return Difference(
        f"{avatar.name}, {scene.take.name}",
        (judges.jitter(exact, motions), judges.jitter(given, motions)),
        (judges.identity(exact, motions, avatar), judges.identity(given, motions, avatar)),
        float(np.mean([np.abs(a.astype(np.int16) - b).mean() for a, b in zip(exact, given, strict=True)])),
    )


class _Judges:
    """Both look where the motion says that the face is, whatever was painted.

    A tracker that follows a face looks where it last saw it: what nobody sees sends it another way, and
    its own noise then differs by some per cent. In the same boxes the same pictures get the same figures,
    and a small change changes them little.
    """

    def __init__(self) -> None:
        self._mesh, self._recogniser = FaceMesh(), Identity()

    def jitter(self, rgbs: Sequence[U8], motions: Sequence[Motion | None]) -> float:
        """Jitter of the landmarks found in pictures, in inter-ocular distances."""
        found = np.full((len(rgbs), N_LANDMARKS, 3), np.nan, np.float32)
        for row, rgb, motion in zip(found, rgbs, motions, strict=True):
            landmarks = None if motion is None else self._mesh.find(rgb, face_box(motion.landmarks_px))
            if landmarks is not None:
                row[:] = landmarks
        return jitter(found)

    def identity(self, rgbs: Sequence[U8], motions: Sequence[Motion | None], avatar: Avatar) -> float:
        """Mean cosine of faces, evenly spread over the pictures, to the portrait's."""
        own = self._recogniser.of(avatar.portrait_rgb, avatar.landmarks_px)
        shown = [(rgb, m.landmarks_px) for rgb, m in zip(rgbs, motions, strict=True) if m is not None]
        chosen = np.linspace(0, len(shown) - 1, min(JUDGED_FRAMES, len(shown))).astype(int).tolist()
        return float(np.mean([self._recogniser.of(*shown[n]) @ own for n in chosen]))
