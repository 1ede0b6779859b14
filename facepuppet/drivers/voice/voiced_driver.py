"""What the drivers of a voice share: how it moves the face, and what mood is heard in it."""

from __future__ import annotations

from facepuppet.drivers.base import Driver
from facepuppet.drivers.voice.heard_face import HeardFace
from facepuppet.voice.speaking_face import SpeakingFace
from facepuppet.voice.voice_manner import VoiceManner


class VoicedDriver(Driver):
    """A driver with the face of a voice, which a subclass sets."""

    _face: SpeakingFace | HeardFace

    @property
    def voice(self) -> VoiceManner | None:
        """How the voice moves the face."""
        return self._face.manner

    @property
    def mood(self) -> tuple[float, float] | None:
        """Valence and arousal heard in the voice."""
        return self._face.mood

    def set_voice(self, manner: VoiceManner) -> None:
        """Let it move the face in another way, from the next moment on."""
        self._face.manner = manner
