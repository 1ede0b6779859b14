"""Where frames come from: webcams, video files, image folders, URLs."""
