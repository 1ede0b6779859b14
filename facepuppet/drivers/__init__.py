"""Who moves the puppet: a camera, a script, a recording, all behind `Driver`."""
