"""More pictures of the portrait's person: read, checked, matched, chosen, and their gain measured.

candidates.py faces in pictures and videos
layout.py     faces laid out alike, whatever their pose
likeness.py   whether two faces are one person's, and how their light differs
align.py      a candidate as a view of a portrait, and as a motion of it
choose.py     which picture to animate, and which of many to keep
gains.py      what each view brings
collect.py    from files to an avatar with views
"""
