"""From motions to marked pictures, all behind `FrameMaker`."""
