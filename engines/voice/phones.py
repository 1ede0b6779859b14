"""What lips do for each phone, and how phones run into each other.

The weights are this project's own reading of what phonetics says of lips (height and rounding of vowels,
place of consonants); what real lips do is learnt from clips, these hold it for sounds that clips are too
few for.
Neighbours share a moment by dominance: lips must meet for /p b m/, and hardly matter for /k/.

M. Cohen, D. Massaro, "Modeling coarticulation in synthetic visual speech", 1993: the idea of dominance.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from engines.voice.espeak import Phone
from facepuppet.core import F32, F64
from facepuppet.voice import MOUTH_SHAPES

GRID_HZ = 100
_BLUR_S = 0.03  # of a Gaussian: lips take some 100 ms from one shape to another
BURST_LEAD_S = 0.045  # lips are shut before the burst that espeak-ng tells for a phone

# Kinds of phones: dominance, and weights of shapes.
_Kind = tuple[float, dict[str, float]]
KINDS: MappingProxyType[str, _Kind] = MappingProxyType(
    {
        "pause": (0.6, {}),
        "shut": (9.0, {"mouthPress": 0.25, "mouthRollLower": 0.15, "mouthRollUpper": 0.1}),
        "lip-teeth": (
            4.0,
            {"jawOpen": 0.04, "mouthRollLower": 0.35, "mouthUpperUp": 0.2, "mouthLowerDown": 0.02},
        ),
        "open": (1.6, {"jawOpen": 0.42, "mouthLowerDown": 0.25, "mouthUpperUp": 0.15}),
        "open-front": (
            1.5,
            {"jawOpen": 0.36, "mouthStretch": 0.15, "mouthLowerDown": 0.3, "mouthUpperUp": 0.2},
        ),
        "mid-front": (
            1.3,
            {
                "jawOpen": 0.22,
                "mouthStretch": 0.2,
                "mouthSmile": 0.1,
                "mouthLowerDown": 0.25,
                "mouthUpperUp": 0.15,
            },
        ),
        "close-front": (
            1.2,
            {
                "jawOpen": 0.09,
                "mouthStretch": 0.3,
                "mouthSmile": 0.15,
                "mouthLowerDown": 0.25,
                "mouthUpperUp": 0.15,
            },
        ),
        "central": (0.8, {"jawOpen": 0.2, "mouthLowerDown": 0.15, "mouthUpperUp": 0.05}),
        "mid-round": (1.5, {"jawOpen": 0.28, "mouthFunnel": 0.45, "mouthPucker": 0.15}),
        "close-round": (1.8, {"jawOpen": 0.08, "mouthFunnel": 0.3, "mouthPucker": 0.6}),
        "front-round": (1.6, {"jawOpen": 0.12, "mouthFunnel": 0.35, "mouthPucker": 0.5}),
        "hush": (1.5, {"jawOpen": 0.08, "mouthFunnel": 0.4, "mouthPucker": 0.1}),
        "hiss": (1.3, {"jawOpen": 0.05, "mouthStretch": 0.15, "mouthLowerDown": 0.25, "mouthUpperUp": 0.12}),
        "tongue-tip": (0.5, {"jawOpen": 0.12, "mouthLowerDown": 0.18, "mouthUpperUp": 0.05}),
        "back": (0.3, {"jawOpen": 0.16, "mouthLowerDown": 0.12}),
        "r": (0.7, {"jawOpen": 0.12, "mouthFunnel": 0.25, "mouthLowerDown": 0.1}),
    }
)
_OF_SYMBOL = MappingProxyType(
    {
        **dict.fromkeys("pbmɓʙ", "shut"),
        **dict.fromkeys("fvɱʋ", "lip-teeth"),
        **dict.fromkeys("aɑɒɐäʌ", "open"),
        **dict.fromkeys("æ", "open-front"),
        **dict.fromkeys("eɛ", "mid-front"),
        **dict.fromkeys("iɪjɨ", "close-front"),
        **dict.fromkeys("əɜɘɚɝɵɤɯ", "central"),
        **dict.fromkeys("oɔ", "mid-round"),
        **dict.fromkeys("uʊwʉ", "close-round"),
        **dict.fromkeys("yøœʏɥ", "front-round"),
        **dict.fromkeys("ʃʒɕʑʂʐ", "hush"),
        **dict.fromkeys("sz", "hiss"),
        **dict.fromkeys("tdnlɾθðɖʈɳɭɲʎcɟç", "tongue-tip"),
        **dict.fromkeys("kgɡŋxɣhɦqʔʁχɰħʕ", "back"),
        **dict.fromkeys("rɹɻʀɽ", "r"),
    }
)


def kind_of(ipa: str) -> str:
    """Return the kind of a phone by its symbols; of an affricate the later one counts."""
    for pair, kind in (("tʃ", "hush"), ("dʒ", "hush"), ("ts", "hiss"), ("dz", "hiss"), ("pf", "lip-teeth")):
        if ipa.startswith(pair):
            return kind
    known = [_OF_SYMBOL[symbol] for symbol in ipa if symbol in _OF_SYMBOL]
    return known[0] if known else "back" if ipa.strip("ː ") else "pause"


def kinds_of(phones: Sequence[Phone], lasts_s: float, *, burst_lead_s: float = BURST_LEAD_S) -> list[str]:
    """Return the kind at each hundredth of a second.

    Args:
        phones: in order.
        lasts_s: of the sound.
        burst_lead_s: by which an unvoiced /p/ is shut before it is told.
    """
    n = round(lasts_s * GRID_HZ)
    kinds = ["pause"] * n
    ends_s = [phone.start_s for phone in phones[1:]] + [lasts_s]
    for phone, end_s in zip(phones, ends_s, strict=True):
        begin, end = (max(round(at_s * GRID_HZ), 0) for at_s in (phone.start_s, end_s))
        kinds[begin:end] = [kind_of(phone.ipa)] * (min(end, n) - min(begin, n))
    if burst_lead_s:
        for phone in phones:
            if phone.ipa.startswith("p") and kind_of(phone.ipa) == "shut":
                begin, end = (
                    round((phone.start_s - burst_lead_s) * GRID_HZ),
                    round((phone.start_s + 0.01) * GRID_HZ),
                )
                kinds[max(begin, 0) : max(min(end, n), 0)] = ["shut"] * (min(end, n) - max(begin, 0))
    return kinds


def lips_of(kinds: Sequence[str]) -> F32:
    """Return weights (n, 13) of MOUTH_SHAPES at each hundredth of a second."""
    names = list(MOUTH_SHAPES)
    table = {
        kind: np.array([weights.get(name, 0.0) for name in names]) for kind, (_, weights) in KINDS.items()
    }
    dominance = np.array([KINDS[kind][0] for kind in kinds])
    targets = np.array([table[kind] for kind in kinds]).reshape(len(kinds), len(names))
    blurred = _blur(dominance[:, None])
    return np.asarray(_blur(dominance[:, None] * targets) / blurred, np.float32)


def _blur(values: F64) -> F64:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(values, _BLUR_S * GRID_HZ, axis=0, mode="nearest"))
