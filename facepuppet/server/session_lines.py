"""What people are told of their session, a line each: what happened, and what to do."""

from __future__ import annotations

from facepuppet.server.picture_steps import PictureStep
from facepuppet.session.governor import Why

LEFT = "You have left."
LOST = "The server ended the session. Join again."
NEVER_CAME = "No connection came about: a firewall or NAT lies between. Try another network, or ask for TURN."
SILENT = "You are connected, but nothing came from your camera or microphone. Check them, and join again."
NO_PICTURES = "Nothing comes from your camera: see that it is on, and that no other program holds it."
GONE = "Nothing came from you for some seconds. Join again."
LARGE = "Your camera sends pictures of more than 1920x1080, which are not used: let it send 640x360."


def step_line(step: PictureStep, why: Why) -> str:
    """Tell that pictures are sent in another way from now on."""
    width, height = step.size_px
    how = f"{width}x{height} at {step.fps:.0f} pictures a second"
    if why is Why.ROOM:
        return f"The server has room again: pictures are now {how}."
    return f"The server is busy: pictures are now {how}."
