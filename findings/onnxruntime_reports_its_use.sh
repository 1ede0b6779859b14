#!/usr/bin/env bash
# ONNX Runtime's wheels for Linux report their use to Microsoft by default, since 1.29: as soon as it is imported and a
# session is open, an identifier and a database are written to Microsoft/DeveloperTools/.onnxruntime in the user's
# cache folder, and seconds later mobile.events.data.microsoft.com is looked up to send them. Older wheels for Linux
# did not, and nothing is printed. `onnxruntime.disable_telemetry_events()`, the only switch of the Python API, comes
# too late: the identifier is there and something is sent all the same. The environment variable
# ORT_DISABLE_TELEMETRY=1, set before the import, prevents it all. (Told in the wheel's Privacy.md; asked about in microsoft/onnxruntime, issue 25573.)
#
# Where users of facepuppet would meet it: they are promised that nothing is sent anywhere. So ONNX Runtime is loaded
# in one place, with the variable set (`facepuppet/inference/silent_onnxruntime.py`), and tests/test_no_network.py
# counts packets.
#
# Seen on Linux x86-64, Python 3.11, onnx 1.19.1, numpy 2.3.5: ONNX Runtime 1.32.0 writes deviceid and onnxruntime.db,
# and sends within 15 s (16 packets: look-ups, and their refusals), with the call right after the import, too; with
# the variable there is neither file nor packet. ONNX Runtime 1.28.0: neither.
# Packets are counted where the system gives a network namespace that leads nowhere; elsewhere the files alone are
# looked at, and names are really looked up. Exits non-zero if any of this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/session.py" <<'PYTHON'
import sys
import time

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

if "call" in sys.argv:
    ort.disable_telemetry_events()
ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", ends[:1], ends[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
session.run(None, {"x": np.zeros(4, np.float32)})
time.sleep(15)
PYTHON
nowhere=(unshare --map-root-user --net sh -c
  'ip link set lo up && ip route add local default dev lo && "$0" "$@"; grep lo: /proc/net/dev >packets')
"${nowhere[@]}" true 2>/dev/null || nowhere=(env)

watch() { # what is expected, version, variable's value, further words
  local expected=$1 version=$2 variable=$3 cache
  shift 3
  cache=$(mktemp -d -p "$folder")
  (cd "$cache" && CI="" GITHUB_ACTIONS="" ORT_DISABLE_TELEMETRY="$variable" XDG_CACHE_HOME="$cache/cache" \
    "${nowhere[@]}" "$folder/$version/bin/python" "$folder/session.py" "$@")
  local files packets
  files=$(find "$cache/cache" -type f -printf '%f ' 2>/dev/null || true)
  packets=$(awk '{print $3}' "$cache/packets" 2>/dev/null || echo "not counted")
  echo "ONNX Runtime $version, ORT_DISABLE_TELEMETRY='$variable' $*: files [${files% }], packets $packets"
  case $expected in
  reports) [[ $files == *deviceid* && $packets != 0 ]] ;;
  identifier) [[ $files == *deviceid* ]] ;;
  nothing) [[ -z $files && ($packets == 0 || $packets == "not counted") ]] ;;
  esac
}

for version in 1.28.0 1.32.0; do
  "${PYTHON:-python3}" -m venv "$folder/$version"
  "$folder/$version/bin/pip" install --quiet "onnxruntime==$version" onnx==1.19.1 numpy==2.3.5
done
watch nothing 1.28.0 ""
watch reports 1.32.0 ""
watch identifier 1.32.0 "" call
watch nothing 1.32.0 1
