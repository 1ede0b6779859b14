"""Leading a person through thirty seconds before the camera, with a check of every step.

checks.py     what a step waits for, and what it says until then
obstacles.py  what keeps any step from going on: no face, too dark, too far
steps.py      the steps, in order
guide.py      goes through them: trackings in, prompts out; knows no clock, camera or screen
terminal.py   shows prompts in a terminal
window.py     shows prompts in a window, over a drawing of the face
"""
