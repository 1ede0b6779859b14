"""What is kept of a run: how each avatar follows and looks, and what belongs to a camera.

The words are those of the verbs (`verbs`), and so are the bounds. The label's corner is kept, but not that it
was switched off: every run begins with a label on its pictures, unless its command line says otherwise.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from facepuppet.character.style import Style
from facepuppet.core.errors import FacepuppetError, SettingsError
from facepuppet.drivers.base import Driver
from facepuppet.drivers.camera.acquaintance import camera_named
from facepuppet.frames.cpu.compose.label import Corner
from facepuppet.frames.cpu.compose.scene import Scene
from facepuppet.retarget.manner import REGIONS, Manner
from facepuppet.session.commands import (
    Command,
    SetBackdrop,
    SetGain,
    SetHeadSpeed,
    SetLabel,
    SetMirror,
    SetSmoothing,
    SetStill,
    SetStyle,
)
from facepuppet.session.settings_file import Keys, Value
from facepuppet.session.verbs import NO_STYLE, VERBS

Values = dict[Keys, Value]
Tell = Callable[[FacepuppetError], None]
_OF_AVATAR = ("gain", "still", "head-speed", "background", "label", "style")
_OF_CAMERA = ("smoothing", "mirror")
KEPT = (*_OF_AVATAR, *_OF_CAMERA)  # verbs all


def avatar_values(manner: Manner, scene: Scene, style: Style | None) -> Values:
    """Return the settings of an avatar; what cannot be kept is left out."""
    speed = manner.head_speed_rad_s
    values: Values = {("gain", region): round(getattr(manner.gains, region), 4) for region in REGIONS}
    values["style",] = NO_STYLE if style is None else style.word
    values["still",] = tuple(sorted(manner.still))
    values["head-speed",] = "off" if speed is None else round(math.degrees(speed), 3)
    if scene.label is not Corner.OFF:
        values["label",] = scene.label.value
    backdrop = scene.backdrop
    if backdrop.image_rgb is None:
        values["background",] = backdrop.word
    elif os.path.isfile(backdrop.word):  # noqa: PTH113 - unlike Path's, it takes any word
        values["background",] = str(Path(backdrop.word).absolute())  # the next run may start elsewhere
    return values


def camera_values(smoothing: float, scene: Scene) -> Values:
    """Return the settings of a camera."""
    return {("smoothing",): round(smoothing, 4), ("mirror",): scene.mirror}


def camera_name(driver: Driver) -> str | None:
    """Return what a driver's camera is called, whatever its number is today; None where there is no camera.

    Of a stream, the address without what may be secret in it.
    """
    if not driver.live:
        return None
    return camera_named(driver.description)


def with_avatar_settings(
    manner: Manner, scene: Scene, style: Style | None, table: Mapping[str, Any], tell: Tell
) -> tuple[Manner, Scene, Style | None]:
    """Return how an avatar follows and looks by its kept settings; what does not fit is told."""
    for command in _commands(table, _OF_AVATAR, tell):
        match command:
            case SetGain(region, amount):
                manner = replace(manner, gains=replace(manner.gains, **{region: amount}))
            case SetStill(region):
                manner = replace(manner, still=manner.still | {region})
            case SetHeadSpeed(most_rad_s):
                manner = replace(manner, head_speed_rad_s=most_rad_s)
            case SetBackdrop(backdrop):
                scene = replace(scene, backdrop=backdrop)
            case SetLabel(corner):
                scene = replace(scene, label=corner)
            case SetStyle(style):
                pass
    return manner, scene, style


def camera_commands(table: Mapping[str, Any], tell: Tell) -> Iterator[SetSmoothing | SetMirror]:
    """Yield what a camera's kept settings ask for; what does not fit is told."""
    for command in _commands(table, _OF_CAMERA, tell):
        if isinstance(command, SetSmoothing | SetMirror):
            yield command


def _commands(table: Mapping[str, Any], names: Collection[str], tell: Tell) -> Iterator[Command]:
    for name in names:
        for values in _said(name, table[name]) if name in table else ():
            try:
                if values == {"corner": Corner.OFF.value}:
                    raise _unfit(name, "off", "a corner: without a label only where --label off says so")
                yield VERBS[name].command(values)
            except FacepuppetError as problem:
                tell(problem)


def _said(name: str, value: Any) -> Iterator[dict[str, Any]]:
    """Yield the values that a verb is called with: once for each region where it has regions."""
    if name == "gain":
        amounts = value if isinstance(value, dict) else {str(value): 1.0}
        yield from ({"region": region, "amount": amount} for region, amount in amounts.items())
    elif name == "still":
        regions = value if isinstance(value, list) else [value]
        yield from ({"region": region, "on": True} for region in regions)
    else:
        yield {VERBS[name].parameters[0].name: value}


def _unfit(name: str, value: Any, expected: str) -> SettingsError:
    return SettingsError(f"{name} {str(value)[:60]!r}", expected, "Correct the value.")
