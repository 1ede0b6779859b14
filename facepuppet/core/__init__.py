"""Messages, errors, time, threads, files and geometry: what everything else stands on."""
