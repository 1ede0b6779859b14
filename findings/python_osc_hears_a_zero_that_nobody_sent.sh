#!/usr/bin/env bash
# python-osc calls a handler with 0.0 for a float that a message announces and does not hold: where the datagram ends
# after the type tags, a float is read as 0.0 (an integer as an error, which its server swallows). OSC 1.0 knows no
# such default, and the handler cannot tell.
#
# Where users of facepuppet would meet it: a VMC performer's `/VMC/Ext/Blend/Val jawOpen 0.9`, cut short on its way or by
# a sender with a bug, would shut the mouth for a frame. So `wires/vmc.py` compares each message with the length that its
# type tags need, and drops shorter ones.
#
# Seen on Linux x86-64, Python 3.11, python-osc 1.10.2:
#   whole ('jawOpen', 0.9); four bytes short ('jawOpen', 0.0); an integer four bytes short: no call.
# Needs Python 3.10 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-osc==1.10.2 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import socket
import threading
from importlib.metadata import version

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_server import BlockingOSCUDPServer


def message(name, value):
    builder = OscMessageBuilder("/value")
    builder.add_arg(name)
    builder.add_arg(value)
    return builder.build().dgram


heard, last = [], threading.Event()
dispatcher = Dispatcher()
dispatcher.map("/value", lambda address, *values: heard.append(values))
dispatcher.map("/last", lambda address: last.set())
with BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(server.server_address)
        sender.send(message("jawOpen", 0.9))
        sender.send(message("jawOpen", 0.9)[:-4])
        sender.send(message("jawOpen", 9)[:-4])
        sender.send(OscMessageBuilder("/last").build().dgram)
        assert last.wait(10), "nothing was heard"
    server.shutdown()
print("python-osc", version("python-osc"), heard)
assert [values[0] for values in heard[:1]] == ["jawOpen"] and abs(heard[0][1] - 0.9) < 1e-6
assert heard[1:] == [("jawOpen", 0.0)], "a float that is not there is told of in another way"
PYTHON
