"""One HTML page that fetches nothing, and PNG sheets, of columns beside each other."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image
from reenactment import motion_series

from facepuppet.core import U8
from side_by_side.columns import Column
from side_by_side.cuts import CUTS, whole

_HERE = Path(__file__).parent
_QUALITY = 88
_CELL_PX = 260  # width of a picture in a sheet
_WHOLE = "whole"
_GAP_PX, _PAPER = 4, 245


class Cell(NamedTuple):
    """One picture of one column."""

    name: str
    rgb: U8


class Row(NamedTuple):
    """One part of the picture, in all columns."""

    name: str
    cells: tuple[Cell, ...]


class Moment(NamedTuple):
    """One frame."""

    name: str
    frame: int
    rows: tuple[Row, ...]


class Table(NamedTuple):
    """Figures: names of the columns, and rows of which the first cell says what it is."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One portrait and one driver.

    Attributes:
        title: of the section.
        moments: in the order of `moments_of`.
        table: how well each output follows the driver.
    """

    title: str
    moments: tuple[Moment, ...]
    table: Table


def look_at(
    title: str, portrait: Column, driver: Column, outputs: Sequence[Column], moments: Mapping[str, int]
) -> Look:
    """Set a portrait, its driver and what was made of them side by side, at some frames."""
    columns = (portrait, driver, *outputs)
    shown = tuple(Moment(name, frame, tuple(_rows(columns, frame))) for name, frame in moments.items())
    return Look(title, shown, _figures(driver, outputs))


def page_of(title: str, looks: Sequence[Look]) -> str:
    """The HTML page; pictures are data URIs, and a policy forbids to fetch anything."""
    style = (_HERE / "page_of_pictures.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["data_uri"] = _data_uri
    template = environment.from_string((_HERE / "page_of_pictures.html").read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return template.render(title=title, looks=looks, style=Markup(style), style_sha256=digest)


def sheets_of(look: Look) -> dict[str, U8]:
    """One picture for each part, by its name: a row for each moment."""
    rows = look.moments[0].rows
    head = _head([cell.name for cell in rows[0].cells])
    return {
        row.name: np.vstack([head, *(_strip(moment.name, moment.rows[at]) for moment in look.moments)])
        for at, row in enumerate(rows)
    }


def _rows(columns: Sequence[Column], frame: int) -> list[Row]:
    pairs = [(column.name, *column.at(frame)) for column in columns]
    rows = [Row(_WHOLE, tuple(Cell(name, whole(rgb)) for name, rgb, _ in pairs))]
    for part, cut in CUTS.items():
        rows.append(Row(part, tuple(Cell(n, cut.of_picture(rgb, points)) for n, rgb, points in pairs)))
    return rows


def _figures(driver: Column, outputs: Sequence[Column]) -> Table:
    """Correlation and gain of every channel, and jitter, of each output beside the driver."""
    n = min(len(column.landmarks_px) for column in (driver, *outputs))
    wanted = motion_series.channels_of(driver.landmarks_px[:n])
    shown = [motion_series.channels_of(output.landmarks_px[:n]) for output in outputs]
    rows = []
    for name in motion_series.CHANNELS:
        pairs = [(wanted[name], series[name]) for series in shown]
        cells = (f"{motion_series.correlation(*p):.3f} × {motion_series.gain(*p):.2f}" for p in pairs)
        rows.append((f"{name}, correlation × gain", *cells))
    still = max(motion_series.jitter(driver.landmarks_px[:n]), 1e-6)
    trembles = (motion_series.jitter(output.landmarks_px[:n]) / still for output in outputs)
    rows.append(("jitter", *(f"{tremble:.2f}" for tremble in trembles)))
    return Table(tuple(output.name for output in outputs), tuple(rows))


def _data_uri(rgb: U8) -> str:
    picture = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(picture, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(picture.getvalue()).decode()


def _head(names: Sequence[str]) -> U8:
    head = np.full((20, len(names) * (_CELL_PX + _GAP_PX), 3), _PAPER, np.uint8)
    for n, name in enumerate(names):
        _write(head, name, n * (_CELL_PX + _GAP_PX) + 4)
    return head


def _strip(name: str, row: Row) -> U8:
    cells = [_small(cell.rgb) for cell in row.cells]
    height = max(cell.shape[0] for cell in cells)
    strip = np.hstack([_padded(cell, height) for cell in cells])
    _write(strip, name, 4)
    return strip


def _write(rgb: U8, words: str, left: int) -> None:
    for colour, thickness in (((255, 255, 255), 3), ((20, 20, 20), 1)):
        where, font = (left, 14), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(rgb, words, where, font, 0.45, colour, thickness, cv2.LINE_AA)


def _small(rgb: U8) -> U8:
    scale = _CELL_PX / max(rgb.shape[1], rgb.shape[0])
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _padded(rgb: U8, height: int) -> U8:
    below, beside = height - rgb.shape[0] + _GAP_PX, _CELL_PX - rgb.shape[1] + _GAP_PX
    return np.pad(rgb, ((0, below), (0, beside), (0, 0)), constant_values=_PAPER)
