"""A person driven by themselves: the most neutral frame must become every other one.

Two ways lead to the motion. *Rendering*: the true frame's own landmarks, which isolates the renderer and
gives the picture metrics. *End to end*: smoothed trackings through the retargeter, which is what users
get; it gives the motion metrics (re-tracked from the output) and the flicker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facepuppet.core import F32, U8
from facepuppet.portrait import Avatar, analyse_portrait
from facepuppet.vision import FaceMesh, face_box
from reenactment import motion_series, picture_scores
from reenactment.identity import Identity
from reenactment.motion_series import Blinks, Series
from reenactment.perceptual import DEEP, PerceptualDistance
from reenactment.puppets import perform, retargeted, true_motions
from reenactment.takes import Take, retrack, retrack_mirrored

IDENTITY_FRAMES = 12
MOUTH_OPENED = 0.05  # inter-ocular distances by which the true mouth is open wider than the source's


@dataclass(frozen=True, slots=True)
class Judges:
    """The networks that judge; opened once a run."""

    perceptual: PerceptualDistance = field(default_factory=PerceptualDistance)
    identity: Identity = field(default_factory=Identity)
    mesh: FaceMesh = field(default_factory=FaceMesh)


@dataclass(frozen=True, slots=True)
class Performed:
    """One variant's pictures and series of one clip.

    Attributes:
        pictures: of the rendering way, (512, 512, 3) uint8 RGB, one for each frame.
        picture_metrics: means over the sampled frames.
        driver: the driver's series, and the variant's by way of motion.
        jitter: second differences of landmarks, output over driver, by way of motion.
        blinks: by way of motion.
    """

    pictures: list[U8]
    picture_metrics: dict[str, float]
    driver: Series
    series: Mapping[str, Series]
    jitter: Mapping[str, float]
    blinks: Mapping[str, Blinks]


class SelfReenactment:
    """One clip, ready to be performed by any variant."""

    def __init__(self, take: Take, every: int, judges: Judges) -> None:
        self.take, self._judges = take, judges
        self.avatar: Avatar = analyse_portrait(take.portrait_rgb, name=take.name, source_sha256="0" * 64)
        self._motions = {
            "rendering": true_motions(self.avatar, take),
            "end to end": retargeted(self.avatar, take),
        }
        self.sampled = [
            n
            for n in range(len(take.pictures))
            if n % every == 0 and n != take.source and take.tracked[n].face is not None
        ]
        self._truth = [take.pictures[n] for n in self.sampled]
        self._landmarks = take.landmarks_px
        self._driver = motion_series.channels_of(self._landmarks)
        self._features = judges.perceptual.features([picture_scores.reduced(rgb) for rgb in self._truth])
        gap = self._driver["mouth_open"]
        self._opened = gap[self.sampled] - gap[take.source] > MOUTH_OPENED

    def frozen(self) -> Performed:
        """The source, whatever the driver does."""
        still = [self.take.portrait_rgb] * len(self.take.pictures)
        return Performed(still, self.compare(still), self._driver, {}, {}, {})

    def second_opinion(self) -> Performed:
        """The true frames, tracked once more in the mirror: what the tracker itself leaves to be reached."""
        landmarks = retrack_mirrored(self.take.pictures, self.take.fps)
        series, way = motion_series.channels_of(landmarks), "mirrored"
        ratio = motion_series.jitter(landmarks) / motion_series.jitter(self._landmarks)
        blinks = motion_series.find_blinks(self._driver, series)
        return Performed([], {}, self._driver, {way: series}, {way: ratio}, {way: blinks})

    def performed(self, engines: Path) -> Performed:
        """The variant whose painters are in a folder."""
        shown = {way: perform(self.avatar, motions, engines) for way, motions in self._motions.items()}
        tracked = {way: retrack(rgbs, self.take.fps) for way, rgbs in shown.items()}
        series = {way: motion_series.channels_of(landmarks) for way, landmarks in tracked.items()}
        own = motion_series.jitter(self._landmarks)
        metrics = self.compare(shown["rendering"])
        metrics |= picture_scores.flicker(self.take.pictures, shown["end to end"])
        return Performed(
            shown["rendering"],
            metrics,
            self._driver,
            series,
            {way: motion_series.jitter(landmarks) / own for way, landmarks in tracked.items()},
            {way: motion_series.find_blinks(self._driver, s) for way, s in series.items()},
        )

    def compare(self, shown: list[U8]) -> dict[str, float]:
        """Picture metrics of all frames' pictures, over the sampled ones."""
        outputs = [shown[n] for n in self.sampled]
        pairs = list(zip(self._truth, outputs, strict=True))
        frames = [
            picture_scores.whole_frame(picture_scores.reduced(t), picture_scores.reduced(o)) for t, o in pairs
        ]
        metrics = {key: float(np.mean([frame[key] for frame in frames])) for key in frames[0]}
        features = self._judges.perceptual.features([picture_scores.reduced(rgb) for rgb in outputs])
        metrics["perceptual"] = float(np.mean(self._judges.perceptual.distances(self._features, features)))
        metrics["landmarks"] = self._landmark_distance(outputs)
        metrics |= self._region("mouth", outputs) | self._region("eye", outputs) | self._identity(outputs)
        return metrics

    def _landmark_distance(self, outputs: list[U8]) -> float:
        """Truth and output tracked alike: in the same box, with no past."""
        distances = []
        for n, truth, output in zip(self.sampled, self._truth, outputs, strict=True):
            box = face_box(self._landmarks[n])
            found = [self._judges.mesh.find(rgb, box) for rgb in (truth, output)]
            if found[0] is not None and found[1] is not None:
                distances.append(motion_series.landmark_distance(found[0], found[1]))
        return float(np.mean(distances)) if distances else float("nan")

    def _region(self, part: str, outputs: list[U8]) -> dict[str, float]:
        """L1, perceptual distance and sharpness over the truth's within mouth or eyes."""
        cuts: list[tuple[U8, U8, F32]] = []
        frame: list[int] = []
        for index, (n, truth, output) in enumerate(zip(self.sampled, self._truth, outputs, strict=True)):
            for window, mask in picture_scores.regions_of(part, self._landmarks[n]):
                cuts.append((window.cut(truth), window.cut(output), mask))
                frame.append(index)
        truths, shown, masks = (list(column) for column in zip(*cuts, strict=True))
        perceptual = self._judges.perceptual
        layers = perceptual.distances(perceptual.features(truths), perceptual.features(shown), masks)
        distance = layers.mean(1)
        l1 = np.array([picture_scores.masked_l1(*cut) for cut in cuts])
        own, theirs = (
            np.array([picture_scores.sharpness(rgb, mask) for rgb, mask in zip(side, masks, strict=True)])
            for side in (shown, truths)
        )
        metrics = {
            f"{part}_l1": float(l1.mean()),
            f"{part}_perceptual": float(distance.mean()),
            f"{part}_deep": float(layers[:, DEEP].mean()),
            f"{part}_sharpness": float(own.mean() / theirs.mean()),
        }
        opened = self._opened[frame]
        if part == "mouth" and opened.any():
            metrics |= {
                "open_mouth_l1": float(l1[opened].mean()),
                "open_mouth_perceptual": float(distance[opened].mean()),
                "open_mouth_sharpness": float(own[opened].mean() / theirs[opened].mean()),
            }
        return metrics

    def _identity(self, outputs: list[U8]) -> dict[str, float]:
        """Cosine to the source, and what the true frames have of it."""
        judge, take = self._judges.identity, self.take
        source = judge.of(take.portrait_rgb, self._landmarks[take.source])
        chosen = np.unique(np.linspace(0, len(outputs) - 1, min(IDENTITY_FRAMES, len(outputs))).astype(int))
        cosines = np.array(
            [
                [judge.of(rgbs[i], self._landmarks[self.sampled[i]]) @ source for i in chosen.tolist()]
                for rgbs in (outputs, self._truth)
            ]
        )
        own, true = cosines.mean(1).tolist()
        return {"identity": own, "identity_of_truth": true, "identity_ratio": own / true}
