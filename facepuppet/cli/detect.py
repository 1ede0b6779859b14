"""`facepuppet detect`: is a picture marked, by which key, with what payload."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.options import check_outputs, finite, refuse_clobbering
from facepuppet.core.errors import FacepuppetError

if TYPE_CHECKING:
    from facepuppet.watermark import Detection, Key
    from facepuppet.watermark.provenance import Provenance

MARKED, NOT_MARKED, ERROR = 0, 1, 2


def detect(
    source: Annotated[
        str, typer.Argument(help="Video, image, folder of images, camera:N, screen or screen:X,Y,W,H.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    key_file: Annotated[
        list[Path] | None, typer.Option("--key", help="Private key file to look for as well (repeatable).")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(callback=finite, min=0.04, help="Examine at most this much.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page with the evidence curve.")] = None,
) -> None:
    """Look for the invisible mark. Exit status: 0 marked, 1 not marked, 2 could not be examined."""
    from facepuppet.watermark import PUBLIC_KEY, Key
    from facepuppet.watermark.detection_report import write_report
    from facepuppet.watermark.provenance import read_provenance

    try:
        refuse_clobbering(report, read=[source, *(key_file or ())])
        check_outputs(report)
        keys = (PUBLIC_KEY, *(Key.from_file(path) for path in key_file or ()))
        result = _examine(source, keys, seconds, quiet=as_json)
        provenance = read_provenance(Path(source)) if Path(source).is_file() else None
        if report is not None:
            write_report(report, source, result, provenance)
    except FacepuppetError as error:
        if as_json:
            typer.echo(json.dumps({"marked": None, "error": str(error)}))
        typer.echo(f"facepuppet: {error}", err=True)
        raise typer.Exit(ERROR) from error
    typer.echo(_json(result, provenance) if as_json else _sentences(source, result, provenance))
    raise typer.Exit(MARKED if result.marked else NOT_MARKED)


def _examine(source: str, keys: tuple[Key, ...], seconds: float | None, *, quiet: bool) -> Detection:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from facepuppet.watermark import detect as examine

    columns = (TextColumn("Examining"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
        task = progress.add_task("examine", total=None)

        def show(share: float | None) -> None:
            progress.update(task, total=None if share is None else 1.0, completed=share or 0.0)

        return examine(source, keys, max_s=seconds, on_progress=show)


def _json(result: Detection, provenance: Provenance | None) -> str:
    manifest = None
    if provenance is not None:
        manifest = {**asdict(provenance), "agrees": provenance.payload == result.payload}
    return json.dumps({**result.as_dict(), "c2pa": manifest})


def _sentences(source: str, result: Detection, provenance: Provenance | None) -> str:
    from facepuppet.watermark.provenance import lack_of_manifest

    lines = [_mark_sentence(result)]
    if provenance is not None:
        lines.append(provenance.sentence(result.payload))
    elif result.marked and Path(source).is_file() and (lack := lack_of_manifest(Path(source))):
        lines.append(lack)
    return "\n".join(lines)


def _mark_sentence(result: Detection) -> str:
    best = result.best
    p_value = f"p = 10^{best.log10_p:.1f}"
    if not result.marked:
        seen = f"{result.n_frames} frames ({result.duration_s:.1f} s)"
        return f"No mark found in {seen}; {p_value}. That does not prove the picture real."
    payload = f"payload {result.payload}" if result.payload else "payload not readable"
    if result.consent_id is not None:
        payload += f" (consent record {result.consent_id})"
    return f"Marked by {result.key}: {payload}, {p_value}, certain after {result.first_seen_s:.1f} s."
