"""facepuppet: your face drives a portrait in a live video call, and every frame says it is synthetic.

    puppet = Puppet(load_avatar("portrait.jpg"))
    with open_driver(0) as driver, open_sink("virtual", puppet.canvas_px, 30) as sink:
        with LivePipeline(driver, puppet, [sink]) as live:
            live.run()

Names are listed in `__init__.pyi` and loaded when they are first used, so `import facepuppet` costs nothing.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
