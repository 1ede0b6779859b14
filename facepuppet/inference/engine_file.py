"""One file an engine, or its compiled kernels: a line of JSON that says what it is, then the thing itself.

TensorRT's own plan says neither which network it was made from nor whether it is whole, and a
damaged one can take the process down when it is loaded.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from facepuppet.core.errors import EngineError
from facepuppet.core.files import write_whole

ENGINE, KERNELS = "engine", "kernels"  # kinds of files, and their suffixes
_MAGIC = b"facepuppet engine 1\n"
_LONGEST_HEADER = 4096


@dataclass(frozen=True, slots=True)
class EngineKey:
    """All that an engine depends on; two engines with the same key are interchangeable.

    Attributes:
        network: name in the manifest.
        onnx_sha256: of the network's file.
        flavour: "tensorrt" or "tensorrt-rtx".
        version: of that library.
        target: compute capability as "sm89".
        gpu: the model it was built on, for what is tuned to it; else empty.
        precision: "fp16" or "fp32".
        options: of the builder.
        kind: ENGINE, or KERNELS that were compiled from it.
    """

    network: str
    onnx_sha256: str
    flavour: str
    version: str
    target: str
    gpu: str
    precision: str
    options: str
    kind: str = ENGINE

    @property
    def file_name(self) -> str:
        """Readable, and unique by digest."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        network = re.sub(r"[^\w-]", "_", self.network)[:40]  # a name is no path
        return f"{network}-{self.flavour}-{self.target}-{self.precision}-{digest[:16]}.{self.kind}"


def write_engine(path: Path, key: EngineKey, plan: bytes) -> None:
    """Write an engine or its kernels whole or not at all.

    Raises:
        OutputUnwritableError: the folder cannot be written, or the disk is full.
    """
    header = {**asdict(key), "sha256": hashlib.sha256(plan).hexdigest()}
    write_whole(path, _MAGIC + json.dumps(header).encode() + b"\n" + plan)


def read_engine(path: Path) -> tuple[EngineKey, bytes]:
    """Return what a file is of, and its content.

    Raises:
        EngineError: unreadable, no such file, or damaged.
    """
    try:
        with path.open("rb") as file:
            magic, header, plan = file.readline(64), file.readline(_LONGEST_HEADER), file.read()
        told = json.loads(header) if magic == _MAGIC else {}
        digest = told.pop("sha256")
        key = EngineKey(**told)
        whole = digest == hashlib.sha256(plan).hexdigest() and all(isinstance(v, str) for v in told.values())
    except OSError as problem:
        raise _refused(path, problem.strerror or str(problem)) from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise _refused(path, "not an engine file, or damaged") from problem
    if not whole:
        raise _refused(path, "damaged")
    return key, plan


def _refused(path: Path, why: str) -> EngineError:
    return EngineError(
        f"{path.suffix[1:]} {path.name} ({why})",
        "one that `facepuppet engines build` wrote",
        "Run `facepuppet engines build`.",
    )
