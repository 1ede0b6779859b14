"""Runs pieces of work in this process and tells which of them tried to reach the network.

    python tests/closed_network.py FOLDER hook|packets JOB...

With `hook`, Python refuses and notes every name asked for and every connection, except to sockets of this
machine that have a path. With `packets`, for a network namespace where every address leads back to the
namespace itself, the packets that passed are counted, native code's too. Prints JSON: both, by job.
"""

from __future__ import annotations

import ctypes
import json
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

REACHING = {
    "socket.connect",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
}
NOBODY = "192.0.2.1", 80  # an address for documentation, RFC 5737


def main() -> None:
    """Run the jobs named on the command line, in their order."""
    folder, how, *names = sys.argv[1:]
    attempts: list[str] = []
    if how == "hook":
        sys.addaudithook(lambda event, arguments: _refuse(event, arguments, attempts))
    told: dict[str, dict[str, Any]] = {}
    for name in names:
        attempts.clear()
        before = _packets()
        JOBS[name](Path(folder))
        told[name] = {"attempts": list(attempts), "packets": _packets() - before}
    print(json.dumps(told))


def _refuse(event: str, arguments: tuple[Any, ...], attempts: list[str]) -> None:
    if event not in REACHING or (isinstance(arguments[-1], str | bytes) and event == "socket.connect"):
        return  # the address of a socket with a path is no pair of host and port
    attempts.append(f"{event} {arguments}")
    raise OSError("the network is closed")


def _packets() -> int:
    """Packets that the loopback device has received; in a new namespace there is no other."""
    devices = Path("/proc/net/dev")
    if not devices.exists():
        return 0
    return sum(
        int(line.split()[2]) for line in devices.read_text().splitlines() if line.strip().startswith("lo:")
    )


def _program(*words: str) -> None:
    from facepuppet.cli import main as program

    try:
        program(list(words))
    except SystemExit as left:
        if left.code and words[0] != "doctor":  # which finds something to say about most machines
            raise RuntimeError(f"{words} left with {left.code}") from left


def _analyse(folder: Path) -> None:
    from facepuppet.portrait.load import load_avatar, sample_portrait_path

    load_avatar(sample_portrait_path(), cache=False)


def _portrait() -> str:
    from facepuppet.portrait.load import sample_portrait_path

    return str(sample_portrait_path())


def _render(folder: Path) -> None:
    words = ("--avatar", _portrait(), "--right", "public-domain", "--canvas", "320x180")
    _program("render", *words, "--input", str(folder / "demo.mp4"), "--output", str(folder / "rendered.mp4"))


def _run(folder: Path) -> None:
    words = ("--avatar", _portrait(), "--right", "public-domain", "--canvas", "320x180", "--seconds", "1")
    _program("run", *words, "--camera", str(folder / "demo.mp4"), "--sink", str(folder / "live.mp4"))


def _python_connects(folder: Path) -> None:
    with suppress(OSError):  # as a library does that reports its use and does not mind if nobody listens
        socket.create_connection(NOBODY, timeout=2).close()


def _python_asks_for_a_name(folder: Path) -> None:
    with suppress(OSError):
        socket.getaddrinfo("example.org", 443)


def _native_code_connects(folder: Path) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    one = socket.socket()
    address = struct.pack("!H4s8x", NOBODY[1], socket.inet_aton(NOBODY[0]))
    address = struct.pack("=H", socket.AF_INET) + address
    library.connect(one.fileno(), address, len(address))
    one.close()


JOBS: dict[str, Callable[[Path], None]] = {
    "demo": lambda folder: _program("demo", "--out", str(folder), "--seconds", "0.5"),
    "analyse": _analyse,
    "render": _render,
    "run": _run,
    "doctor": lambda folder: _program("doctor"),
    "python connects": _python_connects,
    "python asks for a name": _python_asks_for_a_name,
    "native code connects": _native_code_connects,
}

if __name__ == "__main__":
    main()
