"""`facepuppet engines`: build, list, verify and clean the engines of a GPU; import networks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.engines_import import import_engines
from facepuppet.cli.options import ENGINE_WORDS, JsonOption

if TYPE_CHECKING:
    from facepuppet.diagnose.verify import Comparison
    from facepuppet.inference.builder import Outcome
    from facepuppet.inference.manifest import Network

app = typer.Typer(
    name="engines",
    help="Build and check the engines that run the painters' networks on a GPU.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("import")(import_engines)

FolderOption = Annotated[
    Path | None,
    typer.Option("--networks", help="Folder with a manifest.toml, in place of the installed networks."),
]


@app.command()
def build(
    targets: Annotated[
        str | None,
        typer.Option("--for", help="Compute capabilities, as sm86,sm89,sm120; the local GPU by default."),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", help="tensorrt, tensorrt-rtx, or auto: the one that fits.")
    ] = "auto",
    fp32: Annotated[bool, typer.Option("--fp32", help="Build without fp16.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Build also what is there already.")] = False,
    networks: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build every painter's engine, and an imported LivePortrait's. With TensorRT-RTX that needs no GPU."""
    from facepuppet.cli.progress import progress_bar
    from facepuppet.inference.builder import build_all, choose_flavour, choose_targets
    from facepuppet.inference.engine_cache import EngineCache
    from facepuppet.inference.imported_networks import imported_networks
    from facepuppet.inference.manifest import read_manifest

    names = [word.strip().lower() for word in (targets or "").split(",") if word.strip()]
    listed = (*read_manifest(networks), *(imported_networks() if networks is None else ()))
    cache = EngineCache()
    flavour = choose_flavour(engine, names)
    wanted = choose_targets(flavour, names)
    precision = "fp32" if fp32 else None
    outcomes: list[Outcome] = []
    with progress_bar() as show:
        show("build", 0, len(listed) * len(wanted))
        for outcome in build_all(listed, flavour, wanted, cache, precision=precision, anew=anew):
            outcomes.append(outcome)
            show("build", len(outcomes), len(listed) * len(wanted))
    if as_json:
        typer.echo(json.dumps([asdict(outcome) for outcome in outcomes], indent=2))
        return
    for outcome in outcomes:
        typer.echo(_built_line(outcome))
    typer.echo(f"{len(outcomes)} engines by {flavour.label} in {cache.folder}" if outcomes else _NOTHING)


@app.command("list")
def list_engines(networks: FolderOption = None, as_json: JsonOption = False) -> None:
    """Show every engine in the cache, and what it is good for on this machine."""
    from facepuppet.inference.builder import survey
    from facepuppet.inference.engine_cache import EngineCache
    from facepuppet.inference.engine_file import KERNELS
    from facepuppet.inference.imported_networks import imported_networks

    cache = EngineCache()
    found = list(survey(cache, _known(networks)))
    if as_json:
        told = [
            {
                "path": str(entry.path),
                "state": state.value,
                "size": entry.size,
                **(asdict(entry.key) if entry.key else {}),
            }
            for entry, state in found
        ]
        typer.echo(json.dumps(told, indent=2))
        return
    for entry, state in found:
        what = entry.path.name
        if entry.key is not None:
            key = entry.key
            what = f"{key.network:<23} {key.target:<6} {key.precision}  {key.flavour} {key.version}"
            what += f"  kernels for {key.gpu}" if key.kind == KERNELS else ""
        typer.echo(f"{what}  {entry.size / 1e6:.1f} MB  {state.value}")
    typer.echo(f"{len(found)} files in {cache.folder}")
    if imported := imported_networks():
        size = sum(network.size for network in imported)
        typer.echo(f"LivePortrait, imported: {size / 1e6:.0f} MB in {imported[0].path.parent}")


@app.command()
def clean(
    everything: Annotated[bool, typer.Option("--all", help="Delete those that are still good, too.")] = False,
    networks: FolderOption = None,
) -> None:
    """Delete engines that are damaged, or whose network or TensorRT was replaced."""
    from facepuppet.inference.builder import survey
    from facepuppet.inference.engine_cache import EngineCache, State

    cache = EngineCache()
    useless = {State.STALE, State.DAMAGED}
    found = [entry for entry, state in survey(cache, _known(networks)) if everything or state in useless]
    for entry in found:
        cache.remove(entry)
    freed = sum(entry.size for entry in found) / 1e6
    typer.echo(f"{len(found)} files deleted from {cache.folder} ({freed:.1f} MB)")


@app.command()
def verify(
    engine: Annotated[
        list[str] | None,
        typer.Option("--engine", help="Engine to examine (repeatable); all that are installed by default."),
    ] = None,
    networks: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every engine with ONNX Runtime in fp32. Exit status 1 when one is too far off."""
    from facepuppet.cli.progress import progress_bar
    from facepuppet.diagnose.verify import HALF
    from facepuppet.diagnose.verify import verify as compare
    from facepuppet.inference.runtime import candidates

    for word in engine or ():
        if word not in ENGINE_WORDS[1:]:
            raise typer.BadParameter(f"got {word!r}, expected one of {', '.join(ENGINE_WORDS[1:])}")
    with progress_bar() as show:
        comparisons = compare(engine or (HALF, *candidates()), networks, show)
    if as_json:
        typer.echo(json.dumps([comparison.to_json() for comparison in comparisons], indent=2))
    else:
        for comparison in comparisons:
            typer.echo(_verified_line(comparison))
        if not comparisons:
            typer.echo(_NOTHING)
    wanted = [comparison.passes for comparison in comparisons if engine or comparison.passes is not None]
    raise typer.Exit(0 if all(wanted) else 1)


_NOTHING = "The manifest lists no network: there is nothing to do."


def _known(networks: Path | None) -> tuple[Network, ...]:
    """Every network that an engine may be of: a folder's or the installed ones, and the user's import."""
    from facepuppet.inference.imported_networks import imported_networks
    from facepuppet.inference.manifest import read_all

    return (*read_all(networks), *imported_networks())


def _built_line(outcome: Outcome) -> str:
    how = f"{outcome.seconds:.1f} s" if outcome.seconds else "was there"
    note = f"  ({outcome.note})" if outcome.note else ""
    size = f"{outcome.size / 1e6:.1f} MB"
    return f"{outcome.network:<23} {outcome.target:<6} {outcome.precision}  {size}  {how}{note}"


def _verified_line(comparison: Comparison) -> str:
    if comparison.deviation is None:
        return f"--    {comparison.network:<23} {comparison.engine}: not run. {comparison.reason}"
    verdict = "ok  " if comparison.passes else "FAIL"
    ran = f"{comparison.engine} ({comparison.description})"
    return f"{verdict}  {comparison.network:<23} {ran}: {comparison.deviation}"
