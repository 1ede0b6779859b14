"""What is still to be said: sentences in order, bounded."""

from __future__ import annotations

import logging
import threading
from collections import deque

from facepuppet.drivers.voice.sentences import sentences

MOST_CHARACTERS = 20_000  # that wait: some twenty minutes of speech

log = logging.getLogger(__name__)


class Script:
    """Sentences that wait to be spoken; any thread adds, one takes.

    Args:
        language: of the text, as for `sentences`.

    Attributes:
        turn: grows when all that was said before is to be forgotten.
    """

    def __init__(self, language: str = "en") -> None:
        self.turn = 0
        self._language = language
        self._waiting: deque[str] = deque()
        self._n_characters = 0
        self._changed = threading.Condition()
        self._in_hand = self._closed = self._told = False

    @property
    def empty(self) -> bool:
        """Whether nothing waits, and nothing that was taken is still being made."""
        with self._changed:
            return not self._waiting and not self._in_hand

    @property
    def room(self) -> int:
        """How many characters more may wait."""
        return max(0, MOST_CHARACTERS - self._n_characters)

    def put(self, text: str, *, waits: bool = False) -> None:
        """Add a text, sentence by sentence.

        Args:
            text: of any length.
            waits: wait for room; else what finds none is left out, which is told once.
        """
        if self._is_full and not waits:  # a flood is not even looked at
            self._tell()
            return
        for sentence in sentences(text, self._language):
            with self._changed:
                while waits and self._is_full and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                if self._is_full:
                    self._tell()
                    return
                self._waiting.append(sentence)
                self._n_characters += len(sentence)
                self._changed.notify_all()

    def take(self) -> tuple[str, int] | None:
        """Wait for the next sentence; return it and its turn, or None when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            sentence = self._waiting.popleft()
            self._n_characters -= len(sentence)
            self._in_hand = True
            self._changed.notify_all()
            return sentence, self.turn

    def done(self) -> None:
        """What was taken is made."""
        with self._changed:
            self._in_hand = False

    def clear(self) -> None:
        """Forget what waits."""
        with self._changed:
            self.turn += 1
            self._waiting.clear()
            self._n_characters = 0
            self._told = False
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def _is_full(self) -> bool:
        return self._n_characters >= MOST_CHARACTERS

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "Got more text to say than can wait; expected at most %d characters at once. "
                "What comes before some of it is said is left out.",
                MOST_CHARACTERS,
            )
