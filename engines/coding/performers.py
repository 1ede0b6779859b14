"""Whose expressions teach the code, and whose judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engines.data.people import Split, read_people
from engines.voice.films import read_films
from engines.voice.take import load_take
from facepuppet.core import F32

Takes = Mapping[str, Sequence[F32]]  # of each person the weights (k, 52) of every clip
_EVERY = 4  # person of the films, by name, who is left out for judging


def read_performers(folders: Sequence[Path], films: Path) -> tuple[Takes, Takes]:
    """Return the people to learn from and those to judge by; nobody is among both.

    Args:
        folders: of takes, as `engines.voice.take` saves them, named like their clips.
        films: the table of people in films; those of people.toml are known besides. A take that neither
            lists is left out: it may show somebody to judge by.
    """
    listed, filmed = read_people(), read_films(films)
    whose = {clip: person.name for clip, person in listed.items()}
    whose |= {film.file: film.person for film in filmed}
    out = {person.name for person in listed.values() if person.split is Split.UNUSED}
    judges = {whose[clip] for clip, person in listed.items() if person.split is Split.VALIDATION}
    judges |= set(sorted({film.person for film in filmed})[1::_EVERY])
    taken: dict[str, list[F32]] = {}
    seen: set[str] = set()
    for path in sorted(path for folder in folders for path in folder.glob("*.npz")):
        person = whose.get(path.stem)
        if person is not None and path.stem not in seen and person not in out:
            seen.add(path.stem)
            taken.setdefault(person, []).append(load_take(path).weights)
    learnt = {person: takes for person, takes in taken.items() if person not in judges}
    return learnt, {person: takes for person, takes in taken.items() if person in judges}
