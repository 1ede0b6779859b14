"""Views as members of a pack, and back from members that nobody trusts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from facepuppet.core.types import N_LANDMARKS
from facepuppet.face.canonical import is_face
from facepuppet.portrait.pack_members import array_from, npy_of, picture_from, png_of
from facepuppet.portrait.pack_zip import refused
from facepuppet.portrait.views import MAX_VIEWS, View, view_box


def members_of_views(views: Sequence[View]) -> dict[str, bytes]:
    """Return the members view_N.png and view_N.npy of a pack."""
    members = {}
    for number, view in enumerate(views):
        members[f"view_{number}.png"] = png_of(view.rgb)
        members[f"view_{number}.npy"] = npy_of(view.landmarks_px)
    return members


def views_from_members(members: Mapping[str, bytes]) -> tuple[View, ...]:
    """Read the views of a pack back.

    Args:
        members: those of the pack that start with view_.

    Raises:
        AvatarPackError: some are missing, damaged, too many, or show no face.
    """
    count = len(members) // 2
    expected = {f"view_{number}{suffix}" for number in range(count) for suffix in (".png", ".npy")}
    if set(members) != expected or count > MAX_VIEWS:
        raise refused(f"a pack with views {', '.join(sorted(members))[:80]}")
    return tuple(_view_from(members, f"view_{number}") for number in range(count))


def _view_from(members: Mapping[str, bytes], name: str) -> View:
    landmarks_px = array_from(members, f"{name}.npy", (N_LANDMARKS, 3))
    rgb = picture_from(members, f"{name}.png")
    _, _, width, height = view_box(landmarks_px)
    if rgb.shape[:2] != (height, width) or not is_face(landmarks_px):
        raise refused(f"a pack whose {name}.npy is no face in {name}.png")
    return View(landmarks_px, rgb)
