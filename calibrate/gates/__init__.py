"""What a portrait measures against what it must keep: one number and one plain sentence each.

gate.py     the result: a measure, its limit, how grave a miss is and what will suffer
shape.py        size, pose, lids, how much of the face is in the picture
exposure.py     sharpness and exposure
occlusion.py    eyes and mouth in sight
other_faces.py  other faces, and whether the tracker is sure
judge.py        all of them with what `facepuppet.portrait` remarks, and the verdict
"""

from calibrate.gates.gate import Gate, Severity
from calibrate.gates.judge import admit, measure_gates

__all__ = ["Gate", "Severity", "admit", "measure_gates"]
