"""Check a wheel before it is published: its size, its version against the tag, and the data it must carry.

    python -m build && python tools/check_release.py dist/*.whl --tag v0.1.0

Needs nothing but Python. What is wrong is told line by line, and the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import email
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAX_WHEEL_BYTES = 40_000_000  # so that trying the program stays a matter of seconds

# What is no Python and still needed. Of each pattern every file of the source tree must be in the wheel.
DATA = (
    "facepuppet/py.typed",
    "facepuppet/**/*.pyi",  # names are loaded by them, so nothing works without
    "facepuppet/face/data/*",
    "facepuppet/frames/cuda/kernels/*.cu",
    "facepuppet/portrait/consent/*.json",
    "facepuppet/portrait/data/*",
    "facepuppet/watermark/*.jinja",
    "facepuppet/**/SPEC.md",
    "engines/*.toml",
    "engines/weights/*",
    "engines/NOTICE-*",  # what the weights' licence asks for
    "calibrate/data/*",
)


def main() -> int:
    """Check the wheel named on the command line; the exit status is 1 when something is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--tag", help="the release's tag, v and the version; left out, no version is checked")
    arguments = parser.parse_args()
    problems = find_problems(arguments.wheel, arguments.tag)
    for problem in problems:
        print(f"{arguments.wheel.name}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{arguments.wheel.name}: {_megabytes(arguments.wheel.stat().st_size)}, nothing missing")
    return 1 if problems else 0


def find_problems(wheel: Path, tag: str | None = None, root: Path = ROOT) -> list[str]:
    """Say in a sentence each why a wheel must not be published.

    Args:
        wheel: the file.
        tag: what was tagged, such as "v0.1.0"; None checks no version.
        root: the source tree that the wheel was built from.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
            version = _version(archive)
    except (OSError, zipfile.BadZipFile) as error:
        return [f"cannot be read ({error})"]
    problems = _missing_data(names, root)
    size = wheel.stat().st_size
    if size > MAX_WHEEL_BYTES:
        problems.append(f"has {_megabytes(size)}, expected at most {_megabytes(MAX_WHEEL_BYTES)}")
    if tag is not None and tag != f"v{version}":
        problems.append(f"is version {version}, expected the tag {tag} to be v{version}")
    return problems


def _version(archive: zipfile.ZipFile) -> str | None:
    for name in archive.namelist():
        if name.endswith(".dist-info/METADATA"):
            return email.message_from_bytes(archive.read(name))["Version"]
    return None


def _missing_data(names: set[str], root: Path) -> list[str]:
    problems = []
    for pattern in DATA:
        wanted = sorted(path.relative_to(root).as_posix() for path in root.glob(pattern) if path.is_file())
        if not wanted:  # the data moved, and nobody told this list
            problems.append(f"cannot be checked: no file of the source tree is named {pattern}")
        problems += [
            f"lacks {name}; see package-data in pyproject.toml" for name in wanted if name not in names
        ]
    return problems


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
