"""From pictures to a pack: read, check, analyse, add what more pictures show, measure, sign."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from calibrate.painter_check import with_painters_judged
from calibrate.portrait import open_portrait
from calibrate.preview import pack_preview
from calibrate.range_words import range_lines
from calibrate.sweep import sweep
from calibrate.views.collect import add_views
from facepuppet.portrait import Avatar, Consent, Pack

Tell = Callable[[str], None]


def make_pack(
    photos: Sequence[Path],
    consent: Consent,
    *,
    tell: Tell,
    force: bool = False,
    landmarks: Path | None = None,
) -> Pack:
    """Make a pack of one person's pictures; nothing is written.

    Args:
        photos: the portrait to animate first, then more pictures and videos of the same person.
        consent: the statement of right to use the first.
        tell: told each step and finding in a line.
        force: take a portrait beyond the gates' limits.
        landmarks: a file of hand-placed landmarks of the portrait, for faces that the tracker does not see.

    Raises:
        PortraitError: a picture will not do.
        ConsentError: the statement is about another portrait.
    """
    portrait, *more = photos
    made = open_portrait(portrait, force=force, landmarks=landmarks, tell=tell)
    consent.check_portrait(made.source_sha256)
    made, _ = add_views(made, more, tell)
    made = with_safe_range(with_painters_judged(made, tell), tell)
    return Pack(made, consent.to_json(), preview_rgb=pack_preview(made))


def with_safe_range(avatar: Avatar, tell: Tell) -> Avatar:
    """Return the avatar with its safe range measured, views included."""
    tell("Measuring how far it bears to be moved …")
    found = sweep(avatar)
    if not found.tracked:
        tell("  the tracker does not see this face: limits are those of any portrait, or nearer")
    for line in range_lines(found.safe_range):
        tell(line)
    return dataclasses.replace(avatar, safe_range=found.safe_range)
