"""facepuppet: your face drives a portrait in a live video call, and every frame says it is synthetic.

    puppet = Puppet(load_avatar("portrait.jpg"))
    with open_source(0) as source, open_sink("virtual", puppet.canvas_px, 30) as sink:
        with LivePipeline(source, puppet, [sink]) as live:
            live.run()

Names are loaded when they are first used, so `import facepuppet` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facepuppet.avatar.load import load_avatar as load_avatar
    from facepuppet.avatar.load import sample_portrait_path as sample_portrait_path
    from facepuppet.avatar.model import Avatar as Avatar
    from facepuppet.capture import open_source as open_source
    from facepuppet.compose import Backdrop as Backdrop
    from facepuppet.compose import Composer as Composer
    from facepuppet.compose import Corner as Corner
    from facepuppet.compose import Framing as Framing
    from facepuppet.errors import FacepuppetError as FacepuppetError
    from facepuppet.offline import Neutral as Neutral
    from facepuppet.offline import render_video as render_video
    from facepuppet.pipeline import LivePipeline as LivePipeline
    from facepuppet.puppet import Puppet as Puppet
    from facepuppet.sinks import open_sink as open_sink
    from facepuppet.stats import RunStats as RunStats

__version__ = "0.1.0"

_HOMES = {
    "Avatar": "facepuppet.avatar.model",
    "Backdrop": "facepuppet.compose",
    "Composer": "facepuppet.compose",
    "Corner": "facepuppet.compose",
    "FacepuppetError": "facepuppet.errors",
    "Framing": "facepuppet.compose",
    "LivePipeline": "facepuppet.pipeline",
    "Neutral": "facepuppet.offline",
    "Puppet": "facepuppet.puppet",
    "RunStats": "facepuppet.stats",
    "load_avatar": "facepuppet.avatar.load",
    "open_sink": "facepuppet.sinks",
    "open_source": "facepuppet.capture",
    "render_video": "facepuppet.offline",
    "sample_portrait_path": "facepuppet.avatar.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'facepuppet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*_HOMES, "__version__"])
