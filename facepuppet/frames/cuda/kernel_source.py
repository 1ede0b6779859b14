"""The CUDA source of all kernels, as one text."""

from __future__ import annotations

from importlib.resources import files

from facepuppet.frames.cuda.parameters import c_struct

# What comes first is used by what follows.
FILES = ("common", "flow", "folds", "flesh", "views", "shapes", "features", "painters", "compose", "mark")


def source() -> str:
    """Return the whole source; it includes no header, so the compiler needs none."""
    folder = files("facepuppet.frames.cuda") / "kernels"
    return c_struct() + "".join((folder / f"{name}.cu").read_text("utf-8") for name in FILES)
