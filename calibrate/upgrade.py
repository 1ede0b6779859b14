"""From a pack of an older version to one of the current."""

from __future__ import annotations

from calibrate.make_pack import Tell, with_safe_range
from calibrate.painter_check import with_painters_judged
from calibrate.preview import pack_preview
from facepuppet.core import PortraitError
from facepuppet.portrait import Avatar, Consent, Pack, analyse_portrait


def upgraded(old: Pack, consent: Consent, *, tell: Tell) -> Pack:
    """Return the pack as this version makes it from the portrait that is stored in it.

    Args:
        old: of any older version.
        consent: the statement of right to use its portrait.
        tell: told each step and finding in a line.

    Raises:
        ConsentError: the statement is about another portrait.
    """
    consent.check_portrait(old.avatar.source_sha256)
    avatar = with_painters_judged(_analysed_anew(old.avatar, tell), tell)
    avatar = with_safe_range(avatar, tell)
    return Pack(avatar, consent.to_json(), preview_rgb=pack_preview(avatar))


def _analysed_anew(kept: Avatar, tell: Tell) -> Avatar:
    """Analyse the stored portrait; one that today's gates refuse keeps its old analysis."""
    try:
        return analyse_portrait(kept.portrait_rgb, name=kept.name, source_sha256=kept.source_sha256)
    except PortraitError as error:
        tell(f"The stored portrait would not pass today, its old analysis is kept. {error}")
        return kept
