"""Text in pieces that can be spoken one by one: sentences, and of long ones parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MOST_CHARACTERS = 300  # of a piece: some 20 s of speech
_LEAST = 60  # a long piece is not cut before so many characters, if it can be helped
_AFTER = (r"[;:.!?…。！？；：।؟]\s*", r"[,–—、，،)\]]\s*", r"\s+")  # where to cut, the best first
_UNSPOKEN = ("Cc", "Cf", "Co", "Cs", "Cn")  # categories of control, format, private and absent characters
_JOINERS = "\u200c\u200d"  # format characters that words of Persian and Indic scripts are written with


def cleaned(text: str) -> str:
    """Return text without what no voice can read: control characters and remains of undecodable bytes."""
    kept = [c if not _is_unspoken(c) else " " for c in text]
    return " ".join("".join(kept).split())


def sentences(text: str, language: str = "en") -> Iterator[str]:
    """Part a text into sentences of at most MOST_CHARACTERS; those without a letter or digit are left out.

    Args:
        text: of any length, lines apart or not.
        language: BCP 47 tag, whose abbreviations are known; others get English ones.
    """
    import sentencex

    for line in text.splitlines():
        for sentence in sentencex.segment(language, cleaned(line)):
            for part in _parts(sentence.strip()):
                if any(map(str.isalnum, part)):
                    yield part


def _is_unspoken(character: str) -> bool:
    return character == "\ufffd" or (
        character not in _JOINERS and unicodedata.category(character) in _UNSPOKEN
    )


def _parts(sentence: str) -> Iterator[str]:
    start = 0
    while len(sentence) - start > MOST_CHARACTERS:
        end = start + _cut(sentence[start : start + MOST_CHARACTERS])
        yield sentence[start:end].strip()
        start = end
    yield sentence[start:].strip()


def _cut(piece: str) -> int:
    """After how many characters of a piece to cut it."""
    for after in _AFTER:
        ends = [found.end() for found in re.finditer(after, piece) if found.end() >= _LEAST]
        if ends:
            return ends[-1]
    return len(piece)
