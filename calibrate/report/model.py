"""What a report consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from facepuppet.core import U8


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its caption.

    Attributes:
        rgb: (H, W, 3) uint8 RGB.
        caption: below it.
        good: whether it is within limits; None where there are none.
    """

    rgb: U8
    caption: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures in a row, with a name before them."""

    name: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing with its title.

    Attributes:
        title: above it.
        svg: one <svg> element, already safe.
        note: below it.
    """

    title: str
    svg: Markup
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A table's row; good is None where nothing is judged."""

    cells: tuple[str, ...]
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first column names, the others are figures or words."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page.

    Attributes:
        key: its anchor; letters and hyphens.
        title: its heading.
        words: one paragraph that says what is seen.
        facts: the same as plain JSON values.
    """

    key: str
    title: str
    words: str = ""
    pictures: tuple[Picture, ...] = ()
    table: Table | None = None
    charts: tuple[Chart, ...] = ()
    strips: tuple[Strip, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Report:
    """A page.

    Attributes:
        title: its heading.
        subtitle: one line below.
        sections: in order; their keys differ.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]

    def to_json(self) -> dict[str, Any]:
        """Return all facts as plain JSON values, by the sections' keys."""
        return {
            "title": self.title,
            "subtitle": self.subtitle,
            **{section.key: dict(section.facts) for section in self.sections if section.facts},
        }
