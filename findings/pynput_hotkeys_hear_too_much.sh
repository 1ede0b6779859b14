#!/usr/bin/env bash
# pynput's GlobalHotKeys on X11:
# 1. Ctrl+Alt+Shift+P fires <ctrl>+<alt>+p as well as <ctrl>+<alt>+<shift>+p: a combination is heard within every
#    larger one. Who has "on" on one and "off" on the other gets both, in the order in which they were named.
# 2. A key that goes up and down again under held modifiers fires each time, however short it was up. So X tells its
#    clients of a key that is held (here xdotool does, as Xvfb repeats none), and what a key turns over flutters.
# 3. When the display has gone, its thread ends with a traceback, `running` stays true, and stop() raises
#    ConnectionClosedError in whoever wanted to tidy up.
#
# Where users of facepuppet would meet it: panic on one key and its end on another, a key held a moment too long, a
# desktop session that ends before the run. So facepuppet takes pynput's listener alone, and looks itself which keys
# are down (`facepuppet/cli/hotkeys.py`).
#
# Seen on Linux x86-64, Python 3.11, pynput 1.8.2, python-xlib 0.33, Xvfb of X.Org 21.1:
#   1. ['small', 'large']; 2. four times for one key let up and down again three times; 3. as above.
# Needs Xvfb and xdotool. Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet six==1.17.0 python-xlib==0.33
"$folder/venv/bin/pip" install --quiet --no-deps pynput==1.8.2 # without evdev, which would have to be compiled
"$folder/venv/bin/python" - 2>"$folder/chatter" <<'PYTHON' || { cat "$folder/chatter"; exit 1; }
import os
import subprocess
import time

reading, writing = os.pipe()
server = subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=[writing])
os.close(writing)
os.environ["DISPLAY"] = f":{os.fdopen(reading).readline().strip()}"

from pynput import keyboard  # noqa: E402 - looks for the display


def press(words):
    heard.clear()
    subprocess.run(["xdotool", *words.split()], check=True)
    time.sleep(0.5)
    return list(heard)


heard = []
keys = keyboard.GlobalHotKeys(
    {"<ctrl>+<alt>+p": lambda: heard.append("small"), "<ctrl>+<alt>+<shift>+p": lambda: heard.append("large")}
)
try:
    keys.start()
    keys.wait()
    time.sleep(0.5)
    both = press("key ctrl+alt+shift+p")
    print("1. Ctrl+Alt+Shift+P is heard as", both)
    assert both == ["small", "large"], both
    again = "keyup --delay 0 p keydown --delay 0 p "
    held = press("keydown --delay 0 ctrl keydown --delay 0 alt keydown --delay 0 p " + 3 * again)
    print("2. a held Ctrl+Alt+P fires", len(held), "times")
    assert held == ["small"] * 4, held
finally:
    server.terminate()
    server.wait()
keys.join(10)
print(f"3. without a display: alive {keys.is_alive()}, running {keys.running}")
assert keys.running and not keys.is_alive()
try:
    keys.stop()
except Exception as error:
    print("   stop() raises", type(error).__name__)
else:
    raise SystemExit("stop() does not raise any more")
PYTHON
