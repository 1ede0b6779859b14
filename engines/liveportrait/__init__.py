"""LivePortrait's networks, in modules of our own, for weights that the user brings.

Written from the papers (LivePortrait, arXiv 2407.03168; face-vid2vid, 2011.15126; SPADE, 1903.07291; ConvNeXt
V2, 2301.00808) and from the names and shapes of the published weights; what these leave open was
found by watching which operations the published code runs. Each network is built from such
weights at once in the form that is cheapest to run: norms that are constants are folded into convolutions,
what follows an enlargement is computed before it. tools/liveportrait_parity.py holds it against the published
code.
"""
