"""facepuppet: your face drives a portrait in a live video call, and every frame says it is synthetic."""

__version__ = "0.1.0"
