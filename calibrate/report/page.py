"""From a report to a file that a browser opens without fetching anything."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from importlib.resources import files
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup
from PIL import Image

from calibrate.report.model import Report
from facepuppet.core import U8, OutputUnwritableError, __version__, write_whole

MAX_SIDE_PX = 900  # of the pictures in a page: it should be sent by mail without trouble
_QUALITY = 86


def render_page(report: Report) -> str:
    """Return the HTML page.

    Nothing in it is fetched, and a policy forbids to: pictures are data URIs, there are no scripts, and the
    one style sheet is known by its digest.
    """
    data = files("calibrate") / "data"
    style = (data / "report.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["data_uri"] = data_uri
    template = environment.from_string((data / "report.html").read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return template.render(
        report=report,
        style=Markup(style),
        style_sha256=digest,
        version=__version__,
    )


def data_uri(rgb: U8) -> str:
    """Return an (H, W, 3) RGB picture as a JPEG data URI, reduced when it is large."""
    picture = Image.fromarray(np.ascontiguousarray(rgb))
    picture.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode()


def check_page_name(path: Path) -> None:
    """Refuse a name that no browser would take for a page, before any work is done.

    Raises:
        OutputUnwritableError: it does not end in .html.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise OutputUnwritableError(f"'{path}' for a report", "a name that ends in .html", "Rename it.")


def save_page(report: Report, path: Path) -> tuple[Path, Path]:
    """Write the page, and its facts as JSON beside it; returns both names.

    Raises:
        OutputUnwritableError: they cannot be written.
    """
    check_page_name(path)
    beside = path.with_suffix(".json")
    write_whole(path, render_page(report).encode())
    write_whole(beside, (json.dumps(report.to_json(), indent=2) + "\n").encode())
    return path, beside
