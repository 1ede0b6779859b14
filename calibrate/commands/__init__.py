"""The commands of `facepuppet-calibrate`, one a module; each module holds a function of its own name."""
