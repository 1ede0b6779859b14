"""The painters, one a file; see facepuppet/render/painter.py for their inputs and outputs."""
