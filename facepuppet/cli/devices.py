"""`facepuppet devices`: what there is to capture from and to send to."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from facepuppet.cli.options import JsonOption


def devices(as_json: JsonOption = False) -> None:
    """List cameras and virtual cameras of this machine, without opening any."""
    from facepuppet.media.devices import list_cameras, list_virtual_cameras
    from facepuppet.sinks.advice import virtual_camera_advice

    cameras, virtual = list_cameras(), list_virtual_cameras()
    if as_json:
        told = {"cameras": [asdict(c) for c in cameras], "virtual_cameras": [asdict(v) for v in virtual]}
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo("Cameras:")
    for camera in cameras:
        typer.echo(f"  {camera}")
    if not cameras:
        typer.echo("  none; plug one in, or use --camera FILE")
    typer.echo("Virtual cameras:")
    for device in virtual:
        typer.echo(f"  {device.device} ({device.name})" + (f": {device.warning}" if device.warning else ""))
    if not virtual:
        typer.echo(f"  none. {virtual_camera_advice()}")
