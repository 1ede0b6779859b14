"""All that is known of a live run at one moment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from facepuppet.core.metrics import RunStats
from facepuppet.session.control import ControlState


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A live run at one moment.

    Attributes:
        state: which puppet is shown, and what was commanded.
        stats: figures of the run so far.
    """

    state: ControlState
    stats: RunStats

    def to_json(self) -> dict[str, Any]:
        """Return plain values for json.dumps."""
        state = {**asdict(self.state), "presence": self.state.presence.value}
        return {"state": state, "stats": self.stats.to_json()}
