"""`facepuppet engines import`: networks that are not shipped, from weights that the user brings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

KINDS = ("liveportrait",)


def import_engines(
    kind: Annotated[str, typer.Argument(help=f"Whose networks: {', '.join(KINDS)}.")],
    folder: Annotated[Path, typer.Argument(help="Folder with the published weights (.pth or .safetensors).")],
    into: Annotated[
        Path | None, typer.Option("--into", help="Folder to write, in place of that where `run` looks.")
    ] = None,
) -> None:
    """Turn published weights into networks that every engine runs. Nothing in the files is executed."""
    if kind not in KINDS:
        raise typer.BadParameter(f"got {kind!r}, expected one of {', '.join(KINDS)}")
    from facepuppet.cli.progress import progress_bar
    from facepuppet.core.errors import EngineError
    from facepuppet.inference import silent_onnxruntime  # noqa: F401  before the exporter loads it
    from facepuppet.inference.imported_networks import liveportrait_folder

    try:
        from engines.liveportrait.importing import import_liveportrait
    except ImportError as problem:
        raise EngineError(
            f"no usable {problem.name}",
            "PyTorch and onnx, which this command alone needs",
            "pip install 'facepuppet[train]'",
        ) from problem
    into = into or liveportrait_folder()
    with progress_bar() as show:
        was_new = import_liveportrait(folder, into.absolute(), show)
    size = sum(path.stat().st_size for path in into.iterdir()) / 1e6
    typer.echo(f"{into}: {size:.0f} MB, {'imported' if was_new else 'imported already'}")
