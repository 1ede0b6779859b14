"""Who is in which clip: splits are by person, so that validation shows strangers only."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from facepuppet.core import FacepuppetError
from facepuppet.media import VIDEO_SUFFIXES

DEFAULT_TABLE = Path(__file__).resolve().parents[1] / "people.toml"


class TrainingDataError(FacepuppetError):
    """The data given for training will not do."""


class Split(Enum):
    """What a person's clips are used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Person:
    """One person and the split all of their clips belong to."""

    name: str
    split: Split


def read_people(table: Path = DEFAULT_TABLE) -> dict[str, Person]:
    """Return clip stem → person.

    Raises:
        TrainingDataError: unreadable, an unknown split, or one clip under two people.
    """
    try:
        data = tomllib.loads(table.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise TrainingDataError(
            f"{table}: {problem}", "a table of people", "See engines/people.toml."
        ) from problem
    people: dict[str, Person] = {}
    for name, entry in data.items():
        clips, split = (entry.get("clips"), entry.get("split")) if isinstance(entry, dict) else (None, None)
        if not isinstance(clips, list) or split not in {s.value for s in Split}:
            raise TrainingDataError(
                f"person {name!r} with clips {clips!r} and split {split!r} in {table}",
                f"a list of clips and a split of {[s.value for s in Split]}",
                "Correct the entry.",
            )
        for clip in clips:
            if clip in people:
                raise TrainingDataError(
                    f"clip {clip!r} under {people[clip].name!r} and {name!r} in {table}",
                    "one person a clip",
                    "A person in both splits would make validation worthless: list the clip once.",
                )
            people[clip] = Person(name, Split(split))
    return people


def clips_of(folder: Path, split: Split, people: dict[str, Person]) -> Sequence[tuple[Path, Person]]:
    """Return the clips of a folder that belong to a split, in order of name.

    Raises:
        TrainingDataError: there is none.
    """
    named = [(path, people.get(path.stem, Person(path.stem, Split.TRAIN))) for path in _videos(folder)]
    chosen = [(path, person) for path, person in named if person.split is split]
    if not chosen:
        raise TrainingDataError(
            f"{folder} with {len(named)} videos, none of them for {split.value}",
            "a folder of .mp4, .mov or .webm clips, each of one person's face",
            "Check the folder and the table of people.",
        )
    return chosen


def _videos(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
