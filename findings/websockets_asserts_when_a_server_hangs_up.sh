#!/usr/bin/env bash
# websockets' synchronous `connect` raises a bare AssertionError, without a message, when the other side answers something
# else and hangs up just while the handshake is about to be sent. The same server, asked again and again, gives three
# errors: InvalidMessage and ConnectionClosedError, which are WebSocketExceptions, and now and then that one, which is neither
# such nor an OSError: `except (OSError, WebSocketException)`, as its documentation lists them, lets it through.
#
# Where users of facepuppet would meet it: `run --send vts`, while another program has VTube Studio's port; the thread that
# goes on trying would end at such a moment, and nothing more be told. So `senders/vtube_session.py` takes it for a lost
# connection.
#
# Seen on Linux x86-64, Python 3.11, websockets 17.4: 27 of 300, 3 of 300 tries.
# Needs Python 3.10 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet websockets==17.4 2>"$folder/chatter" || { cat "$folder/chatter"; exit 1; }
"$folder/venv/bin/python" - <<'PYTHON'
import collections
import contextlib
import logging
import socket
import threading

import websockets
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

TRIES = 20_000
logging.disable()
listening = socket.create_server(("127.0.0.1", 0))
port = listening.getsockname()[1]


def hang_up():
    while True:
        connection, _ = listening.accept()
        with contextlib.suppress(OSError):
            connection.sendall(b"SSH-2.0-other\r\n\r\n")
        connection.close()


threading.Thread(target=hang_up, daemon=True).start()
seen = collections.Counter()
for _ in range(TRIES):
    try:
        connect(f"ws://127.0.0.1:{port}", proxy=None)
    except (OSError, WebSocketException) as error:
        seen[type(error).__name__] += 1
    except AssertionError:
        seen["AssertionError"] += 1
        if sum(seen.values()) > 100:
            break
print("websockets", websockets.__version__, dict(seen))
assert seen["AssertionError"], "what fails is told as a WebSocketException or an OSError"
PYTHON
