"""How often, and how many at once: bounds of one token, or of one session's watchers."""

from __future__ import annotations

from collections import deque

from facepuppet.core.clock import Clock
from facepuppet.server.token_file import Token

_MINUTE_NS = 60_000_000_000


class PerMinute:
    """Lets so many through in any 60 s; who is turned away does not count.

    Args:
        most: of them.
        clock: tells when.
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self._most, self._clock = most, clock
        self._taken_ns: deque[int] = deque()

    def take(self) -> float:
        """Take one; returns 0, or where there is none left how many seconds it is until there is."""
        now_ns = self._clock.now_ns()
        while self._taken_ns and now_ns - self._taken_ns[0] >= _MINUTE_NS:
            self._taken_ns.popleft()
        if len(self._taken_ns) < self._most:
            self._taken_ns.append(now_ns)
            return 0.0
        return (self._taken_ns[0] + _MINUTE_NS - now_ns) / 1e9


class JoinLimits:
    """Holds tokens to their bounds.

    Args:
        clock: tells when.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rates: dict[str, PerMinute] = {}
        self._inside: dict[str, int] = {}

    def enter(self, token: Token, *, back: bool) -> str:
        """Let somebody in; each one who is in has to `leave`.

        Args:
            token: what they brought.
            back: whether they were here a moment ago, and lost their host: that is no new join.

        Returns:
            Why not, one line; empty where they are in.
        """
        inside = self._inside.get(token.name, 0)
        if token.most_sessions is not None and inside >= token.most_sessions:
            return f"This access code is in use by {inside} already, its most: wait for one to leave."
        if not back:
            rate = self._rates.setdefault(token.name, PerMinute(token.joins_per_minute, self._clock))
            wait_s = rate.take()
            if wait_s > 0:
                seconds = max(1, round(wait_s))
                return f"Too many joins with this access code within a minute: try again in {seconds} s."
        self._inside[token.name] = inside + 1
        return ""

    def leave(self, token: Token) -> None:
        """Somebody who was let in has gone."""
        self._inside[token.name] -= 1
        if not self._inside[token.name]:
            del self._inside[token.name]
