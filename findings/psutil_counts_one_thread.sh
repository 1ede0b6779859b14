#!/usr/bin/env bash
# psutil's Process.num_ctx_switches(), "the number of voluntary and involuntary context switches performed by this
# process", counts those of its main thread only on Linux: it reads /proc/PID/status, where the kernel writes what that
# one thread did. cpu_times() of the same object is of all threads. A process whose threads wait a thousand times a
# second, while its main thread waits for them, seems to sleep soundly.
# (Known since 2019, still open: giampaolo/psutil, issue 1467.)
#
# Where users of facepuppet would meet it: the wake-ups a frame that `facepuppet bench --cpu` prints would be those of a
# thread that does nothing (0 to 1 instead of 30). So facepuppet asks getrusage(), which knows ended threads, too, and
# reads each thread's own /proc/self/task/ID/status (`facepuppet/core/cpu_use.py`).
#
# Seen on Linux x86-64 (6.18), Python 3.11, psutil 7.2.2; three threads that sleep 500 times each:
#   psutil 5 voluntary switches; getrusage 1512; sum over /proc/self/task while the threads live 1512.
# Needs Linux and Python 3.8 or newer (PYTHON names one). Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet psutil==7.2.2
"$folder/venv/bin/python" - <<'PYTHON'
import re
import resource
import threading
import time
from pathlib import Path

import psutil

THREADS, NAPS = 3, 500
print("psutil", psutil.__version__)


def counted():
    """Voluntary switches by psutil, by getrusage(), and by the status of each living thread."""
    tasks = [path.read_text() for path in Path("/proc/self/task").glob("*/status")]
    return (
        psutil.Process().num_ctx_switches().voluntary,
        resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw,
        sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", task, re.M)[1]) for task in tasks),
    )


def nap():
    for _ in range(NAPS):
        time.sleep(0.001)
    done.wait()


done = threading.Barrier(THREADS + 1)
leave = threading.Event()
threads = [threading.Thread(target=lambda: (nap(), leave.wait())) for _ in range(THREADS)]
before = counted()
for thread in threads:
    thread.start()
done.wait()
by_psutil, by_getrusage, by_tasks = (now - then for now, then in zip(counted(), before))
leave.set()
for thread in threads:
    thread.join()
print(f"  {THREADS} threads, {NAPS} naps each: psutil {by_psutil}, getrusage {by_getrusage}, tasks {by_tasks}")
assert by_getrusage >= THREADS * NAPS and by_tasks >= THREADS * NAPS
assert by_psutil < 0.1 * THREADS * NAPS, "psutil counts them now"
remembered = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before[1]
print(f"  after the threads have ended: getrusage {remembered}")
assert remembered >= THREADS * NAPS, "getrusage forgets threads that ended"
PYTHON
