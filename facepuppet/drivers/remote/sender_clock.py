"""From a sender's clock to ours."""

from __future__ import annotations

WINDOW_NS = 5_000_000_000  # two clocks drift apart by less than a tenth of a millisecond in so long
LEAP_NS = 500_000_000  # a sender whose clock is so far from what was expected has begun anew


class SenderClock:
    """Tells when a sample was taken, on our clock, whatever the network did to its packet.

    The fastest packet of the last seconds is taken to have travelled in no time (the idea of NTP's clock
    filter, D. Mills, RFC 5905, section 10): what comes later was delayed. So moments keep the sender's own
    spacing, and nothing is held back.
    """

    def __init__(self) -> None:
        self._least_ns: int | None = None  # arrival less sending, in the present window
        self._before_ns: int | None = None  # and in the one before
        self._since_ns = 0
        self._last_ns = 0

    def captured_ns(self, sent_s: float | None, arrived_ns: int) -> int:
        """Return the moment of a sample, never after its arrival and never before the last one's.

        Args:
            sent_s: by the sender's clock; None where it tells no time.
            arrived_ns: by ours.
        """
        moment_ns = arrived_ns
        if sent_s is not None:
            moment_ns = min(arrived_ns, round(sent_s * 1e9) + self._offset(round(sent_s * 1e9), arrived_ns))
        self._last_ns = max(self._last_ns, moment_ns)
        return self._last_ns

    def _offset(self, sent_ns: int, arrived_ns: int) -> int:
        delay_ns = arrived_ns - sent_ns
        known = [least for least in (self._least_ns, self._before_ns) if least is not None]
        if known and abs(delay_ns - min(known)) > LEAP_NS:
            self._least_ns = self._before_ns = None
        elif self._least_ns is not None and arrived_ns - self._since_ns > WINDOW_NS:
            self._least_ns, self._before_ns = None, self._least_ns
        if self._least_ns is None:
            self._least_ns, self._since_ns = delay_ns, arrived_ns
        self._least_ns = min(self._least_ns, delay_ns)
        return self._least_ns if self._before_ns is None else min(self._least_ns, self._before_ns)
