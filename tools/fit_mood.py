"""Fit what prosody says of valence and arousal to acted speech whose emotions are known.

    python tools/fit_mood.py FOLDER [FOLDER ...] --out facepuppet/voice/data/mood.npz [--features FILE.npz]

A folder holds EmoDB's files (Burkhardt et al., "A database of German emotional speech", Interspeech 2005; ten
actors), as 03a01Fa.wav, whatever stands before that.

Each clip is heard by the product's own front end, with noise at 15 to 50 dB under the voice before and beside
it, once as the first sentence of a stranger, and once with the speaker's usual level, pitch and brightness
known from all of their clips. An emotion stands for a place on Russell's circumplex ("A circumplex model of
affect", 1980): the octant that is named like it, at a radius of 0.7; what is neutral is its centre. Told are
correlations, and how often the sign is right where there is one, of speakers left out of the fit (five
folds); what is written is fitted to all. Emotions count alike.

Valence is not made to look better than it is heard: joy and anger are hardly told apart, so guesses of it
stay near the centre.
"""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from facepuppet.voice import MOOD_FEATURES, RATE_HZ, hear_mood_features

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
RADIUS, RIDGE, FOLDS, LEAD_S = 0.7, 100.0, 5, 0.6
FARTHEST = 2.0  # spreads from the mean that count; MoodTable's, too
# Degrees on the circumplex: 0 pleasure, 45 excitement, 90 arousal, 135 distress, 180 displeasure, 225
# depression, 270 sleepiness; boredom lies between the last two.
DEGREES = {
    "joy": 45,
    "anger": 135,
    "fear": 135,
    "disgust": 180,
    "sadness": 225,
    "boredom": 247,
    "neutral": None,
}
EMODB = re.compile(r"(?<!\d)(\d\d)[ab]\d\d([WLEAFTN])[a-h]\b")
LETTERS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "joy",
    "T": "sadness",
    "N": "neutral",
}


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of the corpus."""

    path: Path
    speaker: str
    emotion: str


def clips_in(folders: list[Path]) -> list[Clip]:
    """Return the clips whose names are known, in order."""
    paths = sorted(path for folder in folders for path in folder.rglob("*.wav"))
    found = ((path, EMODB.search(path.stem)) for path in paths)
    return [Clip(path, match[1], LETTERS[match[2]]) for path, match in found if match is not None]


def read_sound(path: Path) -> F32:
    """Return a file's sound (n,) at 16 kHz, full scale ±1."""
    with av.open(str(path)) as file:
        to_mono = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
        parts = [part for frame in file.decode(audio=0) for part in to_mono.resample(frame)]
        parts += to_mono.resample(None)
    return np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float32)


def with_noise(sound: F32, rng: np.random.Generator) -> F32:
    """Return a sound after and over steady noise that is 15 to 50 dB under it."""
    level = math.sqrt(float(np.mean(sound**2)) + 1e-12) * 10.0 ** (-rng.uniform(15.0, 50.0) / 20.0)
    led = np.concatenate([np.zeros(round(LEAD_S * RATE_HZ), np.float32), sound])
    return np.asarray(led + level * rng.standard_normal(len(led)), np.float32)


def heard_of(clips: list[Clip]) -> F64:
    """Return features (n, 12) of each clip, as a stranger's."""
    rng, features = np.random.default_rng(0), []
    for i, clip in enumerate(clips):
        features.append(hear_mood_features(with_noise(read_sound(clip.path), rng)))
        if i % 500 == 499:
            print(f"{i + 1} of {len(clips)} clips heard", flush=True)
    return np.array(features)


def known_speakers(features: F64, clips: list[Clip]) -> F64:
    """Return the features with loudness, pitch and brightness against each speaker's own mean."""
    known, speakers = features.copy(), np.array([clip.speaker for clip in clips])
    for speaker in set(speakers.tolist()):
        own = speakers == speaker
        known[own, 3:6] = features[own, :3] - features[own, :3].mean(0)
    return known


def places_of(clips: list[Clip]) -> F64:
    """Return valence and arousal (n, 2) that each clip stands for."""
    places = []
    for clip in clips:
        degrees = DEGREES[clip.emotion]
        angle = math.radians(degrees or 0)
        places.append([0.0, 0.0] if degrees is None else [RADIUS * math.cos(angle), RADIUS * math.sin(angle)])
    return np.array(places)


def weights_of(emotions: npt.NDArray[np.str_]) -> F64:
    """Return what each clip counts (n,): emotions alike."""
    n_of = {emotion: np.sum(emotions == emotion) for emotion in set(emotions.tolist())}
    each = np.array([1.0 / n_of[emotion] for emotion in emotions.tolist()])
    return each * len(each) / each.sum()


def fit(x: F64, y: F64, weight: F64) -> tuple[F64, F64, F64, F64]:
    """Return mean, spread, weights (2, n) and offset (2,) of ridge regressions on atanh of the places.

    Of arousal no weight is negative: what is measured is what arousal is known to raise, and voices that no
    corpus holds (singers, synthesisers) must not come out the other way round.
    """
    share = weight / weight.sum()
    mean = share @ x
    spread = np.sqrt(share @ (x - mean) ** 2)
    z = _away(x, mean, spread)
    aim = np.arctanh(y)
    offset = share @ aim
    root = np.sqrt(weight)[:, None]
    rows = np.concatenate([root * z, math.sqrt(RIDGE) * np.eye(x.shape[1])])
    aims = np.concatenate([root * (aim - offset), np.zeros((x.shape[1], 2))])
    valence = np.linalg.lstsq(rows, aims[:, 0], rcond=None)[0]
    arousal = nnls(rows, aims[:, 1])[0]
    return mean, spread, np.stack([valence, arousal]), offset


def _away(x: F64, mean: F64, spread: F64) -> F64:
    return np.asarray(np.clip((x - mean) / spread, -FARTHEST, FARTHEST))


def guess(x: F64, mean: F64, spread: F64, weights: F64, offset: F64) -> F64:
    """Return valence and arousal (n, 2) as the product judges them."""
    return np.asarray(np.tanh(_away(x, mean, spread) @ weights.T + offset))


def report(name: str, truth: F64, guessed: F64) -> None:
    """Print how well guesses agree with the truth."""
    words = []
    for axis, label in enumerate(("valence", "arousal")):
        t, g = truth[:, axis], guessed[:, axis]
        right = float(np.mean([np.mean(g[t > 0.1] > 0.0), np.mean(g[t < -0.1] < 0.0)]))
        words.append(f"{label} r {np.corrcoef(t, g)[0, 1]:.2f}, sign {right:.2f}, spread {g.std():.2f}")
    print(f"{name:16} {len(truth):4} clips: " + "; ".join(words))


def main() -> None:
    """Fit, tell how well, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--features", type=Path, help="where features are kept for the next fit")
    options = parser.parse_args()
    clips = clips_in(options.folders)
    if options.features is not None and options.features.exists():
        strange = np.load(options.features)["features"]
    else:
        strange = heard_of(clips)
        if options.features is not None:
            np.savez(options.features, features=strange)
    truth, known = places_of(clips), known_speakers(strange, clips)
    emotions, speakers = np.array([c.emotion for c in clips]), np.array([c.speaker for c in clips])
    weight = weights_of(emotions)
    names = sorted(set(speakers.tolist()))
    print(f"{len(clips)} clips, {len(names)} speakers")
    fold_of = {name: i % FOLDS for i, name in enumerate(np.random.default_rng(1).permutation(names).tolist())}
    folds = np.array([fold_of[speaker] for speaker in speakers.tolist()])
    guessed = {"first sentence": np.zeros_like(truth), "speaker known": np.zeros_like(truth)}
    for fold in range(FOLDS):
        seen, unseen = folds != fold, folds == fold
        table = _fit_both(strange[seen], known[seen], truth[seen], weight[seen])
        guessed["first sentence"][unseen] = guess(strange[unseen], *table)
        guessed["speaker known"][unseen] = guess(known[unseen], *table)
    for name, found in guessed.items():
        report(name, truth, found)
        for emotion in sorted(set(emotions.tolist())):
            valence, arousal = found[emotions == emotion].mean(0)
            print(f"   {emotion:10} valence {valence:+.2f} arousal {arousal:+.2f}")
    mean, spread, weights, offset = _fit_both(strange, known, truth, weight)
    for name, row in zip(MOOD_FEATURES, np.column_stack([mean, spread, weights.T]).tolist(), strict=True):
        print(f"{name:22}" + "".join(f"{x:9.3f}" for x in row))
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        usual = np.array([np.average(strange[:, i], weights=weight) for i in range(3)])
        kept = {"usual": usual, "mean": mean, "spread": spread, "weights": weights, "offset": offset}
        table = {name: value.astype(np.float32) for name, value in kept.items()}
        np.savez(options.out, features=np.array(MOOD_FEATURES), **table)


def _fit_both(strange: F64, known: F64, truth: F64, weight: F64) -> tuple[F64, F64, F64, F64]:
    """Fit to strangers and known speakers alike; a neutral voice is the centre."""
    both, places = np.concatenate([strange, known]), np.concatenate([truth, truth])
    mean, spread, weights, _ = fit(both, places, np.concatenate([weight, weight]))
    neutral = both[~places.any(1)]
    shift = -_away(neutral, mean, spread).mean(0) @ weights.T
    return mean, spread, weights, shift


if __name__ == "__main__":
    main()
