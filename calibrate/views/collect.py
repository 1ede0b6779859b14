"""From files to an avatar with views."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from calibrate.views.align import as_view
from calibrate.views.candidates import Candidate, read_again, read_picture, read_video
from calibrate.views.choose import calmest, most_varied, what_it_shows
from calibrate.views.layout import lay_out
from calibrate.views.likeness import LEAST_LIKENESS, SURE_LIKENESS, light_gain, likeness
from calibrate.views.view_gain import ViewGain, measure_gains
from facepuppet.core import OtherPersonError, PortraitError
from facepuppet.media import is_video
from facepuppet.portrait import MAX_VIEWS, Avatar, FaceState, StateReader

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Extra:
    """One more picture that an avatar now uses.

    Attributes:
        name: of its file, with the time within it for videos.
        shows: what, in a few words.
        likeness: correlation of its features with the portrait's, in [−1, 1].
        gain: what it brings.
    """

    name: str
    shows: str
    likeness: float
    gain: ViewGain


def portrait_first(photos: Sequence[Path]) -> list[Path]:
    """Return the files with the best portrait first: frontal, mouth shut, eyes open, large.

    Raises:
        PortraitError: a picture will not do, or there are only videos.
    """
    stills = [path for path in photos if not is_video(path)]
    if not stills:
        raise PortraitError(
            "only videos", "at least one picture of the person", "Add a photo: it becomes the portrait."
        )
    best = stills[0] if len(stills) == 1 else stills[calmest([read_picture(path) for path in stills])]
    return [best, *(path for path in photos if path != best)]


def add_views(avatar: Avatar, more: Sequence[Path], tell: Tell) -> tuple[Avatar, tuple[Extra, ...]]:
    """Give an avatar more pictures of its person.

    Args:
        avatar: the portrait.
        more: pictures and videos, in any order; at most MAX_VIEWS are kept, stills before video frames.
        tell: told what each shows and brings.

    Raises:
        PortraitError: a picture will not do, or shows somebody else.
    """
    if not more:
        return avatar, ()
    tell(f"Looking at {len(more)} more picture{'s' if len(more) > 1 else ''} …")
    found = FaceFinder(avatar).find(more, tell)
    ours = lay_out(avatar.portrait_rgb, avatar.landmarks_px)
    views = tuple(
        as_view(item.face, avatar, light_gain(lay_out(item.face.rgb, item.face.landmarks_px), ours))
        for item in found
    )
    avatar = dataclasses.replace(avatar, views=views)
    extras = tuple(
        Extra(item.face.name, what_it_shows(item.face, item.state), round(item.likeness, 3), gain)
        for item, gain in zip(found, measure_gains(avatar), strict=True)
    )
    for extra in extras:
        tell(f"  {_sentence(extra)}")
    return avatar, extras


@dataclass(frozen=True, slots=True)
class Found:
    """A face to use.

    Attributes:
        face: the picture it is in.
        state: what it does, seen from the portrait.
        likeness: correlation of its features with the portrait's, in [−1, 1].
    """

    face: Candidate
    state: FaceState
    likeness: float


class FaceFinder:
    """Finds and checks the faces to use, for one portrait."""

    def __init__(self, avatar: Avatar) -> None:
        self._reader = StateReader(avatar)
        self._portrait = lay_out(avatar.portrait_rgb, avatar.landmarks_px)

    def find(self, more: Sequence[Path], tell: Tell) -> list[Found]:
        """Return at most MAX_VIEWS faces, stills before video frames.

        Raises:
            PortraitError: a picture will not do, or shows somebody else.
        """
        stills = [self._still(path, tell) for path in more if not is_video(path)]
        frames = [frame for path in more if is_video(path) for frame in self._frames(path)]
        if len(stills) > MAX_VIEWS:
            tell(f"  only {MAX_VIEWS} can be used; those that differ most are taken")
            stills = self._varied(stills, [], MAX_VIEWS)
        chosen = self._varied(frames, stills, MAX_VIEWS - len(stills))
        return stills + [self._measure(read_again(frame.face)) for frame in chosen]

    def _still(self, path: Path, tell: Tell) -> Found:
        found = self._measure(read_picture(path))
        if found.likeness < LEAST_LIKENESS:
            raise _somebody_else(found)
        if found.likeness < SURE_LIKENESS:
            tell(f"  {path.name} is only {found.likeness:.2f} like the portrait: is it the same person?")
        return found

    def _frames(self, path: Path) -> list[Found]:
        frames = [self._measure(candidate) for candidate in read_video(path)]
        alike = [frame for frame in frames if frame.likeness >= LEAST_LIKENESS]
        if not alike:
            raise _somebody_else(max(frames, key=lambda frame: frame.likeness))
        return alike

    def _measure(self, face: Candidate) -> Found:
        like = likeness(lay_out(face.rgb, face.landmarks_px), self._portrait)
        return Found(face, self._reader.of_face(face.landmarks_px), like)

    def _varied(self, items: list[Found], known: list[Found], count: int) -> list[Found]:
        if not items:
            return []
        states = [self._reader.rest, *(item.state for item in known)]
        return [items[i] for i in most_varied([item.state for item in items], states, count)]


def _somebody_else(found: Found) -> OtherPersonError:
    return OtherPersonError(
        f"{found.face.name}, whose face is {found.likeness:.2f} like the portrait's",
        f"another picture of the same person (at least {LEAST_LIKENESS:.2f})",
        "Leave it out; if it is the same person, use a picture less turned, or in light more alike.",
    )


def _sentence(extra: Extra) -> str:
    if not extra.gain.gain:
        return f"{extra.name}: {extra.shows}"
    parts = ", ".join(f"{part} {100 * share:+.0f} %" for part, share in extra.gain.gain.items())
    return f"{extra.name}: {extra.shows}; what it takes off the others' error: {parts}"
