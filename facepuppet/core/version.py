"""The version of the installed distribution, which pyproject.toml tells once."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("facepuppet")
