"""Which films teach the listener, of whom, from where: engines/films.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engines.voice.take import Take, load_take, save_take, watch


@dataclass(frozen=True, slots=True)
class Film:
    """One film of a person who speaks.

    Attributes:
        file: its stem.
        person: who; of one person all films are trained on or none.
        sound_late_s: by which the film's sound comes after its lips.
    """

    file: str
    person: str
    sound_late_s: float = 0.0


def read_films(path: Path) -> tuple[Film, ...]:
    """Read the table.

    Raises:
        ValueError: it says what is not understood.
    """
    people: Mapping[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    films: list[Film] = []
    for person, told in people.items():
        match told:
            case {"clips": list(clips), "licence": str(), "origin": str(), **rest}:
                late = rest.get("sound_late_s", 0.0)
                if not isinstance(late, float) or set(rest) - {"sound_late_s"}:
                    raise ValueError(
                        f"got {rest} of {person} in {path}, expected sound_late_s in seconds at most"
                    )
                films += [Film(str(clip), person, late) for clip in clips]
            case _:
                raise ValueError(f"got {told!r} for {person} in {path}, expected clips, licence and origin")
    return tuple(films)


def take_of(film: Film, folders: Sequence[Path], kept: Path) -> Take | None:
    """Return a film's take, tracked once and kept; None where no folder has the film.

    Args:
        film: which.
        folders: where films lie.
        kept: where takes are kept.
    """
    path = kept / f"{film.file}.npz"
    if not path.exists():
        found = [file for folder in folders for file in sorted(folder.glob(f"{film.file}.*"))]
        if not found:
            return None
        kept.mkdir(parents=True, exist_ok=True)
        save_take(watch(found[0]), path)
    take = load_take(path)
    return replace(take, t_s=take.t_s + film.sound_late_s)
