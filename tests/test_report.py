"""Reports: one page that holds everything, fetches nothing, and lets no name become markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from avatars import hopper
from pictures import canvas, hopper_rgb
from PIL import Image
from scripted_faces import tracking_at
from typer.testing import CliRunner

from calibrate.cli import app
from calibrate.driver_profile import make_profile
from calibrate.reduce import reduced
from calibrate.report.make_report import report_on_driver, report_on_pack
from calibrate.report.model import Picture, Report, Row, Section, Strip, Table
from calibrate.report.of_avatar import _right
from calibrate.report.page import render_page, save_page
from facepuppet.core.errors import AvatarPackError, FacepuppetError, OutputUnwritableError, ProfileError
from facepuppet.drivers.camera.channels import CHANNELS
from facepuppet.drivers.camera.profile import DriverProfile
from facepuppet.drivers.camera.profile_file import save_profile
from facepuppet.portrait.load import sample_portrait_path
from facepuppet.portrait.pack import Pack
from facepuppet.portrait.safe_range import SafeRange
from facepuppet.portrait.views import View, view_box

VOID = {"meta", "img", "br", "hr", "link", "input"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;{{ 7*7 }}"


@cache
def pack() -> Pack:
    avatar = reduced(hopper(), 320)  # small is quick
    x, y, width, height = view_box(avatar.landmarks_px)
    view = View(avatar.landmarks_px, avatar.portrait_rgb[y : y + height, x : x + width].copy())
    return Pack(replace(avatar, views=(view, view)))


@cache
def avatar_report() -> Report:
    return report_on_pack(pack())


@cache
def driver_profile() -> DriverProfile:
    return make_profile([tracking_at(i / 15, i) for i in range(180)], "the piece")


class Page(HTMLParser):
    """Parses strictly: every element is closed in its place."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.thorough
def test_an_avatar_s_page_has_every_section_with_its_content() -> None:
    page = Page(render_page(avatar_report()))
    keys = [section["id"] for section in page.all("section")]
    assert keys == ["pictures", "gates", "right", "safe-range", "sweep", "gains", "painter"]
    assert [link["href"] for link in page.all("a")] == [f"#{key}" for key in keys]
    assert len(page.all("svg")) == 7  # one chart a field of the safe range
    thumbs = len(avatar_report().to_json()["safe-range"]["samples"])
    assert thumbs > 40 and len(page.all("img")) == 5 + thumbs  # portrait, person, background, two views
    text = " ".join(page.text)
    for words in (
        "face",
        "met",
        "further picture 2",
        "Further picture 1",
        "Turn, left",
        "levels (at most",
        "grace_hopper",
    ):
        assert words in text


def test_a_driver_s_page_tells_every_channel_s_range() -> None:
    report = report_on_driver(driver_profile(), "me")
    page = Page(render_page(report))
    text = " ".join(page.text)
    for name, channel in CHANNELS.items():
        assert channel.label in text
        told = report.to_json()["driver-ranges"][name]
        assert told["low"] <= told["rest"] <= told["high"]
    assert len(page.all("svg")) == 1 + len(CHANNELS)
    assert not page.all("img")  # a profile holds no picture


def test_the_statement_of_right_is_told_in_full_or_its_fault() -> None:
    told = _right(
        {"id": "24aa732", "sentence": "It is so.", "grant": {"name": "Ann", "document": None}, "x": None}
    )
    assert told.words == "It is so." and told.table is not None
    assert [row.cells for row in told.table.rows] == [("id", "24aa732"), ("grant", "name Ann")]
    assert "does not hold: changed" in _right({"problem": "changed"}).words
    assert "Not stated" in _right(None).words


def test_a_profile_without_ranges_says_so() -> None:
    old = DriverProfile(driver_profile().neutral, {})
    assert "older version" in render_page(report_on_driver(old, "me"))


@pytest.mark.thorough
def test_the_page_fetches_nothing_and_its_policy_forbids_to() -> None:
    html = render_page(avatar_report())
    page = Page(html)
    assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in page.all("img"))
    assert not {"script", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    assert "http:" not in html and "https:" not in html and "url(" not in html
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None and policy is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy and policy.startswith("default-src 'none'")


def test_hostile_names_stay_text() -> None:
    grey = np.full((8, 8, 3), 128, np.uint8)
    section = Section(
        "hostile",
        HOSTILE,
        HOSTILE,
        pictures=(Picture(grey, HOSTILE),),
        table=Table((HOSTILE,), (Row((HOSTILE, HOSTILE), False),)),
        strips=(Strip(HOSTILE, (Picture(grey, HOSTILE, False),)),),
    )
    page = Page(render_page(Report(HOSTILE, HOSTILE, (section,))))
    assert not page.all("script")
    assert all(str(image["src"]).startswith("data:") and "onerror" not in image for image in page.all("img"))
    text = "".join(page.text)
    assert "<script>alert(1)</script>" in text and "{{ 7*7 }}" in text


def test_a_hostile_pack_s_name_stays_text() -> None:
    named = replace(pack(), avatar=replace(pack().avatar, name=HOSTILE, views=()))
    sections = avatar_report().sections[:1]
    page = Page(render_page(Report(named.avatar.name, "", sections)))
    assert not page.all("script") and len(page.all("img")) == 5


def test_the_command_writes_page_and_json_or_prints(tmp_path: Path) -> None:
    source, out = tmp_path / "me.toml", tmp_path / "page.html"
    save_profile(source, driver_profile())
    result = CliRunner().invoke(app, ["report", str(source), "--out", str(out)])
    assert result.exit_code == 0 and "page.html and page.json" in result.output
    printed = CliRunner().invoke(app, ["report", str(source), "--json"]).output
    assert json.loads(printed) == json.loads((tmp_path / "page.json").read_text())
    assert Page(out.read_text(encoding="utf-8")).all("svg")


def test_making_a_pack_writes_its_page_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known_range: SafeRange
) -> None:
    about: list[Pack] = []

    def quick(made: Pack) -> Report:  # what is in a page is tested above; measuring takes long
        about.append(made)
        return Report(made.avatar.name, "", ())

    monkeypatch.setattr("calibrate.report.make_report.report_on_pack", quick)
    portrait, out, page = sample_portrait_path(), tmp_path / "grace.puppet", tmp_path / "grace.html"
    words = ["avatar", str(portrait), "--out", str(out), "--report", str(page)]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0 and "grace.html and grace.json" in result.output
    assert out.is_file() and "grace_hopper" in page.read_text(encoding="utf-8")
    assert about[0].avatar.safe_range == known_range
    with pytest.raises(OutputUnwritableError, match=r"ends in \.html"):
        CliRunner().invoke(app, [*words[:-1], str(tmp_path / "page.doc")], catch_exceptions=False)


def test_a_profile_s_page_is_written_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    Image.fromarray(canvas((hopper_rgb(), (640, 330), 1.0, 0.0))).save(folder / "0.png")
    for i in range(1, 6):
        shutil.copy(folder / "0.png", folder / f"{i}.png")
    out, page = tmp_path / "me.toml", tmp_path / "me.html"
    words = ["driver", "--camera", str(folder), "--out", str(out), "--report", str(page)]
    assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    assert "How far the driver goes" in page.read_text(encoding="utf-8") and out.is_file()


def test_open_hands_the_page_to_the_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda uri: bool(opened.append(uri)))
    source = tmp_path / "me.toml"
    save_profile(source, driver_profile())
    result = CliRunner().invoke(app, ["report", str(source), "--open"])
    assert opened == [(tmp_path / "me-report.html").as_uri()]
    assert "open" in result.output  # this browser would not


@pytest.mark.parametrize(
    ("source", "out", "error", "said"),
    [
        ("none.puppet", "a.html", AvatarPackError, "no such file"),
        ("text.puppet", "a.html", AvatarPackError, "no intact zip"),
        ("text.toml", "a.html", ProfileError, "not TOML"),
        ("me.toml", "a.pdf", OutputUnwritableError, "ends in .html"),
        ("me.toml", "nowhere/a.html", OutputUnwritableError, "nowhere"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    out: str,
    error: type[FacepuppetError],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("text.puppet", "text.toml"):
        Path(name).write_text("hello there")
    save_profile(Path("me.toml"), driver_profile())
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=f"(?i){said}"):
        CliRunner().invoke(app, ["report", source, "--out", out], catch_exceptions=False)
    assert sorted(tmp_path.iterdir()) == before


def browser() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.mark.thorough
@pytest.mark.skipif(browser() is None, reason="needs Chromium or Chrome")
@pytest.mark.parametrize("made", [avatar_report, lambda: report_on_driver(driver_profile(), "me")])
def test_a_real_browser_draws_it(tmp_path: Path, made) -> None:  # type: ignore[no-untyped-def]
    """The style sheet passes the page's own policy (else paper is white), and charts have their colours."""
    page, _ = save_page(made(), tmp_path / "page.html")
    shot = tmp_path / "page.png"
    command = [
        *(str(browser()), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--force-device-scale-factor=1", "--window-size=1100,2600", f"--user-data-dir={tmp_path / 'user'}"),
        *(f"--screenshot={shot}", page.as_uri()),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    with Image.open(shot) as picture:
        rgb = np.asarray(picture.convert("RGB"), dtype=int)
    assert rgb.shape == (2600, 1100, 3)
    paper, accent, soft = (252, 252, 251), (47, 111, 143), (220, 235, 241)
    assert tuple(rgb[2, 2]) == paper
    assert (np.abs(rgb - accent).max(-1) < 3).sum() > 200
    if made is avatar_report:
        assert (np.abs(rgb - soft).max(-1) < 3).sum() > 5000  # shaded safe ranges
        assert rgb[300:650, 80:330].std() > 30  # the portrait
