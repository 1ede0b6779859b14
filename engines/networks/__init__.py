"""The painters, one a file; see facepuppet/frames/cpu/render/painter.py for their inputs and outputs."""
