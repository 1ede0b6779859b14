"""From a motion to a picture of the moved portrait: warp, eyes, mouth, painters."""
