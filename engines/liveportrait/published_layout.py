"""Names and shapes of the published weights (version 1.0 and 1.1, people; 130 M numbers).

The sizes are those of the paper's supplement: 21 keypoints; a feature volume of 32 channels, 16 deep, 64 x
64.
"""

from __future__ import annotations

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]

KEYPOINTS = 21
CHANNELS, DEPTH, SIDE = 32, 16, 64  # of the feature volume
RESIDUAL_BLOCKS = 6  # that the volume goes through
BINS = 66  # that each angle is a softmax over
STAGES = ((96, 3), (192, 3), (384, 9), (768, 3))  # ConvNeXt V2 "tiny": width and blocks
HOURGLASS = (64, 128, 256, 512, 1024)  # widths on its way down
COMPRESSED = 4  # channels of the volume that the hourglass sees
HOURGLASS_INPUT = (KEYPOINTS + 1) * (COMPRESSED + 1)
HOURGLASS_OUTPUT = HOURGLASS[0] // 2 + HOURGLASS_INPUT
MIDDLE_BLOCKS = 6  # of the decoder
WARPED = 256  # channels of what the decoder is given
STYLE = 128  # channels within a spatially-adaptive norm
# Widths of the three heads, input first. (In the file the mouth's is that of the lips.)
HEADS = {
    "retarget_shoulder": (6 * KEYPOINTS, 128, 128, 64, 3 * KEYPOINTS + 2),
    "retarget_mouth": (3 * KEYPOINTS + 2, 128, 128, 64, 3 * KEYPOINTS),
    "retarget_eye": (3 * KEYPOINTS + 3, 256, 256, 128, 128, 64, 3 * KEYPOINTS),
}


def published_layout() -> dict[str, Shapes]:
    """Return the shapes of all weights by file (less its suffix) and name.

    Counters of batches, which training leaves behind, are not among them; the parts of the file of heads are
    told by a prefix and a dot.
    """
    return {
        "appearance_feature_extractor": _appearance(),
        "motion_extractor": _motion(),
        "warping_module": _warping(),
        "spade_generator": _decoder(),
        "stitching_retargeting_module": _heads(),
    }


def _conv(
    name: str, outputs: int, inputs: int, *kernel: int, bias: bool = True
) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": (outputs, inputs, *kernel)}
    return {**shapes, f"{name}.bias": (outputs,)} if bias else shapes


def _norm(name: str, width: int, running: bool = True) -> dict[str, tuple[int, ...]]:
    kinds = ("weight", "bias", "running_mean", "running_var") if running else ("weight", "bias")
    return {f"{name}.{kind}": (width,) for kind in kinds}


def _normed(name: str, outputs: int, inputs: int, *kernel: int) -> dict[str, tuple[int, ...]]:
    """A convolution followed by a batch norm."""
    return {**_conv(f"{name}.conv", outputs, inputs, *kernel), **_norm(f"{name}.norm", outputs)}


def _appearance() -> Shapes:
    shapes = {**_normed("first", 64, 3, 3, 3)}
    shapes |= _normed("down_blocks.0", 128, 64, 3, 3) | _normed("down_blocks.1", 256, 128, 3, 3)
    shapes |= _conv("second", CHANNELS * DEPTH, 256, 1, 1)
    for i in range(RESIDUAL_BLOCKS):
        for n in (1, 2):
            shapes |= _conv(f"resblocks_3d.3dr{i}.conv{n}", CHANNELS, CHANNELS, 3, 3, 3)
            shapes |= _norm(f"resblocks_3d.3dr{i}.norm{n}", CHANNELS)
    return shapes


def _motion() -> Shapes:
    shapes: dict[str, tuple[int, ...]] = {}
    before = 3
    for i, (width, blocks) in enumerate(STAGES):
        down = f"detector.downsample_layers.{i}"
        if i == 0:
            shapes |= _conv(f"{down}.0", width, before, 4, 4) | _norm(f"{down}.1", width, running=False)
        else:
            shapes |= _norm(f"{down}.0", before, running=False) | _conv(f"{down}.1", width, before, 2, 2)
        for j in range(blocks):
            block = f"detector.stages.{i}.{j}"
            shapes |= _conv(f"{block}.dwconv", width, 1, 7, 7) | _norm(f"{block}.norm", width, running=False)
            shapes |= _conv(f"{block}.pwconv1", 4 * width, width) | _conv(
                f"{block}.pwconv2", width, 4 * width
            )
            shapes |= {f"{block}.grn.{kind}": (1, 1, 1, 4 * width) for kind in ("gamma", "beta")}
        before = width
    shapes |= _norm("detector.norm", before, running=False)
    angles = dict.fromkeys(("pitch", "yaw", "roll"), BINS)
    for name, outputs in {"kp": 3 * KEYPOINTS, "scale": 1, **angles, "t": 3, "exp": 3 * KEYPOINTS}.items():
        shapes |= _conv(f"detector.fc_{name}", outputs, before)
    return shapes


def _warping() -> Shapes:
    dense, shapes, before = "dense_motion_network", dict[str, tuple[int, ...]](), HOURGLASS_INPUT
    for i, width in enumerate(HOURGLASS):
        shapes |= _normed(f"{dense}.hourglass.encoder.down_blocks.{i}", width, before, 3, 3, 3)
        before = width
    for i, width in enumerate(reversed(HOURGLASS)):
        inputs = width if i == 0 else 2 * width  # beside what came up lies what went down
        shapes |= _normed(f"{dense}.hourglass.decoder.up_blocks.{i}", width // 2, inputs, 3, 3, 3)
    shapes |= _normed(f"{dense}.hourglass.decoder", HOURGLASS_OUTPUT, HOURGLASS_OUTPUT, 3, 3, 3)
    shapes |= _conv(f"{dense}.mask", KEYPOINTS + 1, HOURGLASS_OUTPUT, 7, 7, 7)
    shapes |= _conv(f"{dense}.compress", COMPRESSED, CHANNELS, 1, 1, 1) | _norm(f"{dense}.norm", COMPRESSED)
    shapes |= _conv(f"{dense}.occlusion", 1, HOURGLASS_OUTPUT * DEPTH, 7, 7)
    return shapes | _normed("third", WARPED, CHANNELS * DEPTH, 3, 3) | _conv("fourth", WARPED, WARPED, 1, 1)


def _decoder() -> Shapes:
    shapes = _conv("fc", 2 * WARPED, WARPED, 3, 3)
    for i in range(MIDDLE_BLOCKS):
        shapes |= _spade_block(f"G_middle_{i}", 2 * WARPED, 2 * WARPED)
    shapes |= _spade_block("up_0", WARPED, 2 * WARPED) | _spade_block("up_1", 64, WARPED)
    return shapes | _conv("conv_img.0", 3 * 2 * 2, 64, 3, 3)


def _spade_block(name: str, outputs: int, inputs: int) -> dict[str, tuple[int, ...]]:
    between = min(outputs, inputs)
    shapes = _spectral(f"{name}.conv_0", between, inputs, 3) | _spectral(
        f"{name}.conv_1", outputs, between, 3
    )
    norms = {"norm_0": inputs, "norm_1": between}
    if outputs != inputs:
        shapes |= _spectral(f"{name}.conv_s", outputs, inputs, 1, bias=False)
        norms["norm_s"] = inputs
    for norm, width in norms.items():
        shapes |= _conv(f"{name}.{norm}.mlp_shared.0", STYLE, WARPED, 3, 3)
        shapes |= _conv(f"{name}.{norm}.mlp_gamma", width, STYLE, 3, 3)
        shapes |= _conv(f"{name}.{norm}.mlp_beta", width, STYLE, 3, 3)
    return shapes


def _spectral(
    name: str, outputs: int, inputs: int, side: int, bias: bool = True
) -> dict[str, tuple[int, ...]]:
    """A convolution that is divided by its largest singular value, of which both vectors are kept."""
    shapes: dict[str, tuple[int, ...]] = {
        f"{name}.weight_orig": (outputs, inputs, side, side),
        f"{name}.weight_u": (outputs,),
        f"{name}.weight_v": (inputs * side * side,),
    }
    return {**shapes, f"{name}.bias": (outputs,)} if bias else shapes


def _heads() -> Shapes:
    shapes: dict[str, tuple[int, ...]] = {}
    for head, widths in HEADS.items():
        for i in range(len(widths) - 1):
            shapes |= _conv(f"{head}.mlp.{2 * i}", widths[i + 1], widths[i])
    return shapes
