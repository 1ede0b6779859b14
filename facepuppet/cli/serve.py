"""`facepuppet serve`: many puppets, for people in browsers."""

from __future__ import annotations

import logging
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facepuppet.cli.options import CanvasOption, EngineOption, FpsOption, canvas_px, finite
from facepuppet.cli.rights import RevokedOption
from facepuppet.core.errors import ServerError

if TYPE_CHECKING:
    from facepuppet.server.reception_settings import ReceptionSettings
    from facepuppet.server.serve_ray import Server
    from facepuppet.server.sizes import Sizes

_DRAIN_S = 30.0


def serve(
    address: Annotated[
        str, typer.Option("--address", help="HOST:PORT to listen on; 0.0.0.0:PORT for other machines, too.")
    ] = "127.0.0.1:8000",
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="HOST:PORT", help="Head of a Ray cluster; Ray on this machine without."
        ),
    ] = None,
    avatars: Annotated[
        Path | None,
        typer.Option(
            "--avatars", help="Folder of portraits and packs to choose from; built-in ones without."
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="Who may come in (.toml); one token is made and told without."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its private key (PEM).")] = None,
    revoked: RevokedOption = None,
    ice: Annotated[
        list[str] | None,
        typer.Option(
            "--ice-server",
            envvar="FACEPUPPET_ICE_SERVERS",
            help="stun:HOST:PORT or turn:USER:SECRET@HOST:PORT for peers behind NAT; several.",
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", help="Another site whose pages may use this server, https://HOST; several."),
    ] = None,
    canvas: CanvasOption = "640x360",
    fps: FpsOption = 30.0,
    engine: EngineOption = "auto",
    say: Annotated[
        str | None,
        typer.Option("--say", help="Command that reads out what people write; espeak-ng, if it is there."),
    ] = None,
    share: Annotated[
        float, typer.Option("--share", callback=finite, min=0.05, max=64, help="Cores that a session takes.")
    ] = 0.9,
    sessions_per_gpu: Annotated[
        int, typer.Option("--sessions-per-gpu", min=0, max=64, help="Let so many sessions share each GPU.")
    ] = 0,
    warm: Annotated[
        int, typer.Option("--warm", min=1, help="Places that a cluster keeps ready, with --ray.")
    ] = 2,
    most: Annotated[int, typer.Option("--most", min=1, help="Places that it grows to, with --ray.")] = 100,
    line: Annotated[int, typer.Option("--line", min=0, help="People who may wait for a place.")] = 100,
    drain: Annotated[
        float,
        typer.Option(
            "--drain", callback=finite, min=0, max=86400, help="Seconds that sessions have at the end."
        ),
    ] = _DRAIN_S,
    logs: Annotated[
        Path | None,
        typer.Option("--logs", help="Folder for JSON logs, on each node; Ray's own logs without."),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option("--metrics-port", min=1, max=65535, help="Port for Prometheus, without --ray."),
    ] = None,
) -> None:
    """Let people wear puppets in their browsers: they come to a page, and media goes by WebRTC.

    Needs the extra facepuppet[server]. facepuppet/server/GUIDE.md tells of several machines, NAT, TLS,
    tokens and what one machine holds. Ctrl-C lets sessions end in --drain seconds; a second one ends at once.
    """
    _check_extra()
    from facepuppet.server.peer_voices import speech_command
    from facepuppet.server.ray_start import Door, ray_on, stay

    door = Door.parse(address, tls_cert, tls_key)
    if ray is None:
        door.check_free()
    if say is not None:
        speech_command(say)  # each host looks again, but this one can tell
    settings, secret = _settings(avatars, token_file, revoked, ice, origin, canvas, fps, line)
    with ray_on(ray, metrics_port=metrics_port) as head:
        # Imports Ray, which has to be told by now how to be.
        from facepuppet.server.serve_ray import open_server
        from facepuppet.server.whole_server import server_parts

        sizes = _sizes(ray is None, share, sessions_per_gpu, warm, most)
        parts = server_parts(settings, sizes, engine, say, logs and logs.absolute())
        with open_server(parts, door, head, own_ray=ray is None) as server:
            typer.echo(_greeting(door.url, secret, sizes, metrics_port))
            with suppress(KeyboardInterrupt):
                stay(head)
            _drain(server, drain)


def _check_extra() -> None:
    missing = [name for name in ("aiortc", "ray") if find_spec(name) is None]
    if missing:
        raise ServerError(
            f"an installation without {' and '.join(missing)}",
            "the extra facepuppet[server]",
            "Run: pip install 'facepuppet[server]'",
        )


def _settings(
    avatars: Path | None,
    token_file: Path | None,
    revoked: Path | None,
    ice: list[str] | None,
    origin: list[str] | None,
    canvas: str,
    fps: float,
    line: int,
) -> tuple[ReceptionSettings, str | None]:
    """Read what the reception is told; with the token that was made, if there is no file of them."""
    from facepuppet.portrait.consent.revocation import Revocations
    from facepuppet.server.ice_word import ice_server
    from facepuppet.server.messages import Picture
    from facepuppet.server.reception_settings import ReceptionSettings
    from facepuppet.server.token_file import load_tokens, one_token

    if avatars is not None and not avatars.is_dir():
        raise ServerError(f"--avatars '{avatars}', which is no folder", "a folder", "Check its name.")
    size_px = canvas_px(canvas)
    if size_px is None or size_px[0] % 2 or size_px[1] % 2:
        raise ServerError(f"--canvas {canvas}", "even sides, such as 640x360", "Choose another size.")
    Revocations.load(revoked)  # of a list that cannot be read, whoever runs the server hears at once
    tokens, secret = (load_tokens(token_file), None) if token_file is not None else one_token()
    settings = ReceptionSettings(
        tokens=tokens,
        avatars=avatars and avatars.absolute(),
        revoked=revoked and revoked.absolute(),
        ice_servers=tuple(ice_server(text) for text in ice or ()),
        picture=Picture(size_px, fps),
        origins=tuple(origin or ()),
        most_waiting=line,
    )
    return settings, secret


def _sizes(alone: bool, share: float, sessions_per_gpu: int, warm: int, most: int) -> Sizes:
    from facepuppet.server.ray_start import resources
    from facepuppet.server.sizes import Sizes

    if not alone:
        return Sizes.of_cluster(warm, most, share, sessions_per_gpu)
    cores, gpus = resources()
    return Sizes.of_machine(cores, share, gpus, sessions_per_gpu)


def _greeting(url: str, secret: str | None, sizes: Sizes, metrics_port: int | None) -> str:
    places = sizes.warm * sizes.sessions
    most = f" to {sizes.most * sizes.sessions}" if sizes.most > sizes.warm else ""
    lines = [f"serving on {url} with {places}{most} place{'s' if places > 1 or most else ''}"]
    if secret is not None:
        lines.append(f"come in by {url}#token={secret}")
    if metrics_port is not None:
        lines.append(f"metrics on http://127.0.0.1:{metrics_port}/metrics")
    return "\n".join([*lines, "Ctrl-C ends it."])


def _drain(server: Server, seconds: float) -> None:
    try:
        typer.echo(f"ending within {seconds:.0f} s; Ctrl-C again ends at once")
        server.close(seconds)
    except KeyboardInterrupt:
        logging.getLogger(__name__).warning("sessions were cut off")
