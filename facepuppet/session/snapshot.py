"""All that is known of a live run at one moment."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
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
        return {"state": state_to_json(self.state), "stats": self.stats.to_json()}


def state_to_json(state: ControlState) -> dict[str, Any]:
    """Return plain values; pictures are told by their words."""
    values = {field.name: getattr(state, field.name) for field in fields(state)}
    manner, scene, voice = values.pop("manner"), values.pop("scene"), values.pop("voice")
    style = values.pop("style")
    return {
        **values,
        "liveliness": None if voice is None else voice.liveliness,
        "voice_intensity": None if voice is None else voice.intensity,
        "voice_region": None if voice is None else voice.region.value,
        "emotion": None if voice is None else "on" if voice.emotion else "off",
        "style": "off" if style is None else style.word,
        "presence": state.presence.value,
        "gains": asdict(manner.gains),
        "still": sorted(manner.still),
        "head_speed_rad_s": manner.head_speed_rad_s,
        "backdrop": scene.backdrop.word,
        "mirror": scene.mirror,
        "label": scene.label.value,
    }
