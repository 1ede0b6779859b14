"""Which words let a voice drive: known without opening anything but a file that may be sound."""

from __future__ import annotations

from pathlib import Path

from facepuppet.core.errors import MediaUnreadableError

VOICE = "voice:"  # before the name of a file whose sound shall drive, though it may have pictures
MIC = "mic"


def is_mic(spec: str | int | Path) -> bool:
    """Whether a word means a microphone: "mic", or "mic:" and the word for one."""
    return isinstance(spec, str) and (spec == MIC or spec.startswith(f"{MIC}:"))


def mic_word(spec: str) -> str | None:
    """Return which microphone a word means, for `sound.endpoints`; None where it names none."""
    return spec.partition(":")[2] or None


def voice_file(spec: str | int | Path) -> Path | None:
    """Return the file whose sound shall drive; None where a word means something else.

    That is "voice:" and the name of any file with sound, or the name of a file of sound alone.

    Raises:
        MediaUnreadableError: no name comes after "voice:".
    """
    if isinstance(spec, str) and spec.startswith(VOICE):
        name = spec.removeprefix(VOICE)
        if not name:
            raise MediaUnreadableError(f"'{VOICE}' without a name", f"{VOICE}FILE", "Name a file with sound.")
        return Path(name).expanduser()
    if isinstance(spec, int) or (isinstance(spec, str) and (spec.isdigit() or "://" in spec)):
        return None
    path = Path(spec).expanduser()
    if not (path.is_file() or path.suffix):
        return None
    from facepuppet.media.sound_reader import is_sound  # FFmpeg, which a camera starts without

    return path if is_sound(path) else None
