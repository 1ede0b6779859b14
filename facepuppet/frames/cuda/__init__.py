"""The frame path on an NVIDIA GPU: what `render`, `compose` and `watermark` do, as CUDA kernels.

Each stage here uploads once what its counterpart on the CPU prepared, tells the GPU a few numbers a
frame (`parameters`), and enqueues always the same kernels, so that a whole frame is one CUDA graph:
one upload of a motion, one download of a marked picture. The CPU path stays the reference.
"""
