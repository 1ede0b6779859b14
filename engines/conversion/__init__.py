"""Turns MediaPipe's TFLite networks into the ONNX files that the tracker runs.

`tflite_file` reads, `rewrites` and `branches` make the same cheaper, `operators` and `mediapipe_operators`
translate one operator each, `graph` collects what they say, `mediapipe_networks` lists what is converted and
what of it is kept. The command is engines/convert_mediapipe.py.
"""
