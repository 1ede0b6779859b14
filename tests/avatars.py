"""Analysed portraits for tests, from public-domain pictures that arrive with dependencies."""

from __future__ import annotations

from functools import cache

from facepuppet.portrait.avatar import Avatar
from facepuppet.portrait.load import load_avatar, sample_portrait_path


@cache
def hopper() -> Avatar:
    """Rear Admiral Grace Hopper, 512x600, analysed afresh (the user's cache is not touched)."""
    return load_avatar(sample_portrait_path(), cache=False)
