"""`facepuppet detect`: exit statuses, JSON and the HTML report."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from facepuppet.cli.app import app
from facepuppet.core.types import Composed
from facepuppet.watermark import PUBLIC_KEY, Detection, Key, Marker, Payload, detect
from facepuppet.watermark.detection_report import render_report, write_report
from facepuppet.watermark.finding import Finding

PAYLOAD = Payload(avatar=0xFACE, session=1)
SECRET = b"a private secret of 32 bytes ..."


def _picture(path: Path, key: Key | None) -> Path:
    wall = np.full((360, 640, 3), 128, np.uint8)
    rgb = wall if key is None else Marker(key, PAYLOAD, size_px=(640, 360)).mark(Composed(wall, 0, 0)).rgb
    cv2.imwrite(str(path), rgb)
    return path


def _run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["detect", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_marked_is_status_0_with_every_field(tmp_path: Path) -> None:
    status, output = _run(_picture(tmp_path / "marked.png", PUBLIC_KEY), "--json")
    answer = json.loads(output)
    assert status == 0
    assert answer["marked"] is True
    assert answer["p_value"] < 1e-6
    assert answer["key"] == PUBLIC_KEY.name
    assert answer["payload"] == PAYLOAD.hex
    assert answer["first_seen_s"] == 0.0


def test_unmarked_is_status_1_and_claims_nothing(tmp_path: Path) -> None:
    path = _picture(tmp_path / "plain.png", None)
    status, output = _run(path, "--json")
    answer = json.loads(output)
    assert status == 1
    assert (answer["marked"], answer["key"], answer["payload"], answer["first_seen_s"]) == (
        False,
        None,
        None,
        None,
    )
    status, output = _run(path)
    assert status == 1
    assert "does not prove" in output


def test_errors_are_status_2_in_words_and_json(tmp_path: Path) -> None:
    assert _run(tmp_path / "nothing.mp4")[0] == 2
    status, output = _run(tmp_path / "nothing.mp4", "--json")
    assert status == 2
    assert "nothing.mp4" in json.loads(output)["error"]


def test_a_private_key_is_found_by_its_file_alone(tmp_path: Path) -> None:
    key_file = tmp_path / "acme.key"
    key_file.write_bytes(SECRET)
    path = _picture(tmp_path / "private.png", Key.from_file(key_file))
    assert _run(path)[0] == 1
    status, output = _run(path, "--key", key_file, "--json")
    assert status == 0
    assert json.loads(output)["key"] == "acme"


@pytest.mark.parametrize("key", [PUBLIC_KEY, None], ids=["marked", "unmarked"])
def test_report_is_well_formed_and_escapes_the_source(tmp_path: Path, key: Key | None) -> None:
    detection = detect(_picture(tmp_path / "picture.png", key))
    page = render_report("<script>.mp4", detection)
    assert "<script>" not in page
    chart = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert len(chart.findall("polyline")) == 2
    assert ("Marked as synthetic" in page) == detection.marked


def test_report_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    path = _picture(tmp_path / "picture.png", None)
    assert _run(path, "--report", tmp_path / "no" / "such" / "report.html")[0] == 2


class Cells(HTMLParser):
    """The tags of a page, and the text of its table's cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "td":
            self.texts.append("")
        self._inside = tag == "td"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data


@pytest.mark.parametrize(
    "name",
    [
        "</td><script>alert(1)</script>.mp4",
        '"><img src=x onerror="alert(1)">.png',
        "&lt;b&gt; 'quoted'.png",
        "{{ 7 * 7 }}{% raw %}{curly}.png",
    ],
)
def test_a_hostile_file_name_is_only_text(name: str) -> None:
    detection = Detection((Finding("a key", 0.0, None, None, None, None, ()),), 1, 0.0)
    cells = Cells(render_report(name, detection))
    assert cells.texts[:2] == ["Source", name]
    assert cells.tags == {"html", "meta", "title", "style", "h1", "table", "tr", "td", "p"}


def test_a_file_name_that_is_no_text_can_be_reported(tmp_path: Path) -> None:
    detection = Detection((Finding("a key", 0.0, None, None, None, None, ()),), 1, 0.0)
    write_report(tmp_path / "report.html", b"caf\xe9.png".decode("utf-8", "surrogateescape"), detection)
    assert r"caf\udce9.png" in (tmp_path / "report.html").read_text(encoding="utf-8")
