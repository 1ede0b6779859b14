"""One evaluation: every clip by every variant, then strangers' portraits, then the cost."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facepuppet.core import U8, FacepuppetError, NoDriverFaceError
from facepuppet.inference import read_manifest
from facepuppet.portrait import load_avatar
from reenactment import motion_series, sheets
from reenactment.cost import measure_cost
from reenactment.cross_reenactment import cross_reenact
from reenactment.puppets import no_painters, true_motions
from reenactment.self_reenactment import Judges, Performed, SelfReenactment
from reenactment.summary import FROZEN, MIRRORED, PAINTED, WARP, mean_metrics, motion_metrics
from reenactment.takes import Take, record

log = logging.getLogger(__name__)

CROSS_MOMENTS = 9


class Evaluation:
    """Settings of a run, and what it found so far.

    Args:
        engines: folder with manifest.toml; an empty list of networks leaves the painted variant out.
        out: folder for the contact sheets, made if missing.
        frames: consecutive frames of each clip.
        every: pictures are compared at every n-th of them.

    Raises:
        ManifestError: the manifest cannot be read.
    """

    def __init__(self, engines: Path, out: Path, frames: int, every: int) -> None:
        self._engines = engines if read_manifest(engines) else None
        self._out, self._frames, self._every = out, frames, every
        out.mkdir(parents=True, exist_ok=True)
        self._problems: list[str] = []
        self._takes: list[Take] = []
        self._performed: dict[str, dict[str, Performed]] = {}
        self._cost: dict[str, Any] | None = None

    def run(self, clips: list[Path], portraits: list[Path], n_drivers: int) -> dict[str, Any]:
        """Evaluate and return everything as plain numbers; what cannot be used is named in `problems`.

        Args:
            clips: of strangers.
            portraits: for cross-reenactment.
            n_drivers: how many of the clips, the liveliest, drive the portraits.

        Raises:
            NoDriverFaceError: no clip can be used.
        """
        judges = Judges()
        with no_painters() as bare:
            engines = {WARP: bare} | ({PAINTED: self._engines} if self._engines else {})
            for path in clips:
                self._try(path.name, lambda path=path: self._clip(path, engines, judges))
            if not self._performed:
                raise NoDriverFaceError(
                    f"{len(clips)} clips of which none can be used ({'; '.join(self._problems)})",
                    "clips of one person's face",
                    "Name other clips.",
                )
            cross: list[dict[str, Any]] = []
            for path in portraits:
                self._try(
                    path.name, lambda path=path: cross.extend(self._cross(path, engines, judges, n_drivers))
                )
        return self._results(cross)

    def _try(self, name: str, work: Any) -> None:
        """One bad clip or portrait is told and left out; the others count."""
        try:
            work()
        except FacepuppetError as problem:
            self._problems.append(f"{name}: {problem}")
            log.warning("left out: %s: %s", name, problem)

    def _clip(self, path: Path, engines: dict[str, Path], judges: Judges) -> None:
        log.info("%s", path.name)
        take = record(path, self._frames)
        trial = SelfReenactment(take, self._every, judges)
        shown = {name: trial.performed(folder) for name, folder in engines.items()}
        variants = {FROZEN: trial.frozen(), **shown, MIRRORED: trial.second_opinion()}
        rows = {"truth": take.pictures} | {name: performed.pictures for name, performed in shown.items()}
        moments = sheets.hard_moments(variants[FROZEN].driver, take.source)
        sheet = sheets.contact_sheet(take.portrait_rgb, rows, take.landmarks_px, moments)
        self._save(f"self_{take.name}", sheet)
        if self._engines is not None and self._cost is None:
            motions = [m for m in true_motions(trial.avatar, take) if m is not None]
            self._cost = measure_cost(self._engines, trial.avatar, motions)
            self._problems += self._cost.pop("problems")
        for performed in variants.values():
            performed.pictures.clear()  # a clip's frames take 100 MB
        self._performed[take.name] = variants
        self._takes.append(take)

    def _cross(
        self, path: Path, engines: dict[str, Path], judges: Judges, n_drivers: int
    ) -> list[dict[str, Any]]:
        log.info("%s", path.name)
        avatar = load_avatar(path, cache=False)  # no figure may come from an outdated cache
        rows, bands = [], []
        for take in self._drivers(n_drivers):
            moments = sheets.hard_moments(
                motion_series.channels_of(take.landmarks_px), take.source, CROSS_MOMENTS
            )
            bands.append(sheets.strip(take.name, [avatar.portrait_rgb, *(take.pictures[n] for n in moments)]))
            for name, folder in engines.items():
                metrics, shown = cross_reenact(take, avatar, folder, judges.identity)
                rows.append({"portrait": path.stem, "driver": take.name, "variant": name, "metrics": metrics})
                bands.append(sheets.strip(name, [avatar.portrait_rgb, *(shown[n] for n in moments)]))
        self._save(f"cross_{path.stem}", sheets.stacked(bands))
        return rows

    def _drivers(self, count: int) -> list[Take]:
        """Those who move most: their correlations say most."""

        def liveliness(take: Take) -> float:
            series = motion_series.channels_of(take.landmarks_px)
            return float(np.prod([np.nanstd(series[name]) for name in ("yaw", "mouth_open", "gaze_x")]))

        return sorted(self._takes, key=liveliness, reverse=True)[:count]

    def _results(self, cross: list[dict[str, Any]]) -> dict[str, Any]:
        clips = {
            clip: {name: _figures([performed]) for name, performed in variants.items()}
            for clip, variants in self._performed.items()
        }
        names = next(iter(self._performed.values()))
        overall = {
            name: _figures([variants[name] for variants in self._performed.values()]) for name in names
        }
        settings = {"frames": self._frames, "every": self._every, "painters": self._engines is not None}
        return {
            "settings": settings, "clips": clips, "overall": overall,
            "cross": cross, "cost": self._cost, "problems": self._problems,
        }  # fmt: skip

    def _save(self, name: str, sheet: U8) -> None:
        cv2.imwrite(str(self._out / f"{name}.png"), sheet[..., ::-1])


def _figures(performed: list[Performed]) -> dict[str, Any]:
    figures: dict[str, Any] = {"pictures": mean_metrics([p.picture_metrics for p in performed])}
    if performed[0].series:
        figures["motion"] = {way: motion_metrics(performed, way) for way in performed[0].series}
    return figures
