#!/usr/bin/env bash
# A python-osc server that meets a bundle whose time tag lies ahead sleeps until then, in the thread that receives: its
# blocking server hears nothing else meanwhile, and what comes waits in the kernel's buffer, which keeps the oldest. The
# clock of a sender that is an hour ahead stops such a receiver for an hour, with one datagram.
# (`Dispatcher(strict_timing=False)`, since 1.10, calls at once.)
#
# Where users of facepuppet would meet it: performers of VMC on another machine, whose clock is another. So `wires/vmc.py`
# takes python-osc's packets apart, without its server, and lets every message count when it comes.
#
# Seen on Linux x86-64, Python 3.11, python-osc 1.10.2:
#   a bundle due in 1.0 s, then a message: strict, the message comes 1.00 s after it was sent; else at once.
# Needs Python 3.10 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-osc==1.10.2 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import socket
import threading
import time
from importlib.metadata import version

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_server import BlockingOSCUDPServer

AHEAD_S = 1.0


def waited(**how):
    """Seconds that a message without a time waits behind a bundle of the future."""
    last = threading.Event()
    dispatcher = Dispatcher(**how)
    dispatcher.map("/later", lambda address: None)
    dispatcher.map("/now", lambda address: last.set())
    with BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.connect(server.server_address)
            bundle = OscBundleBuilder(time.time() + AHEAD_S)
            bundle.add_content(OscMessageBuilder("/later").build())
            begun_s = time.monotonic()
            sender.send(bundle.build().dgram)
            sender.send(OscMessageBuilder("/now").build().dgram)
            assert last.wait(10), "nothing was heard"
            passed_s = time.monotonic() - begun_s
        server.shutdown()
    return passed_s


strict_s, loose_s = waited(), waited(strict_timing=False)
print(f"python-osc {version('python-osc')}: strict {strict_s:.2f} s, not strict {loose_s:.2f} s")
assert strict_s > 0.9 * AHEAD_S, "a bundle of the future holds nobody up"
assert loose_s < 0.5 * AHEAD_S
PYTHON
