"""`facepuppet-calibrate report`: one page about packs and driver profiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.portrait import PACK_SUFFIX

if TYPE_CHECKING:
    from calibrate.report.model import Report

ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE.html", help="Page to write about it, and FILE.json beside it."),
]
OpenOption = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]


def report(
    source: Annotated[
        Path,
        typer.Argument(metavar="PACK|PROFILE", help=f"A {PACK_SUFFIX} file or a driver profile (.toml)."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Page to write, and a .json beside it.  [default: beside the source]"),
    ] = None,
    show: OpenOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts as JSON and write no page.")
    ] = False,
) -> None:
    """Write one self-contained HTML page: pictures, gates, safe range, sweep, gains, or a driver's ranges."""
    from facepuppet.cli import check_outputs, refuse_clobbering

    page = report_page(out, source, True)
    if not as_json:
        refuse_clobbering(*page_files(page), read=[source])
        check_outputs(*page_files(page))
    made = _read(source)
    if as_json or page is None:
        typer.echo(json.dumps(made.to_json(), indent=2))
    else:
        write_report(made, page, show)


def report_page(asked: Path | None, about: Path, wanted: bool) -> Path | None:
    """Return the page to write: the one asked for, or one beside what it is about if one is wanted.

    Raises:
        OutputUnwritableError: its name does not end in .html.
    """
    from calibrate.report.page import check_page_name

    if asked is None:
        return about.with_name(f"{about.stem}-report.html") if wanted else None
    check_page_name(asked)
    return asked


def page_files(page: Path | None) -> tuple[Path, ...]:
    """Return every file that is written with a page."""
    return () if page is None else (page, page.with_suffix(".json"))


def write_report(made: Report, page: Path, show: bool) -> None:
    """Write a page, say so, and open it in the browser if asked to."""
    from calibrate.report.page import save_page

    _, beside = save_page(made, page)
    typer.echo(f"Wrote {page} and {beside.name}.")
    if show:
        import webbrowser

        if not webbrowser.open(page.resolve().as_uri()):
            typer.echo(f"No browser was found; open {page} yourself.", err=True)


def _read(source: Path) -> Report:
    from calibrate.report.make_report import report_on_driver, report_on_pack
    from facepuppet.drivers import load_profile
    from facepuppet.portrait import load_pack

    if source.suffix.lower() == ".toml":
        return report_on_driver(load_profile(source), source.stem)
    return report_on_pack(load_pack(source))
