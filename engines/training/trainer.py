"""One painter's training: steps, validation, checkpoints; resumes where it stopped."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from engines.data.samples import Samples
from engines.networks.build import build_network, network_from_onnx
from engines.networks.painter_network import painted
from engines.training.batches import Batch, batches, plain
from engines.training.losses import Critic, FeatureDistance, critic_loss, laplacian_l1, masked_l1

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out, besides the data.

    Attributes:
        region: "mouth", "eye" or "frame".
        profile: "cpu" or "gpu".
        steps: of the optimiser, in all.
        batch: pictures a step.
        learning_rate: peak; rises over `warmup` steps and falls as a cosine.
        warmup: steps.
        perceptual: weight of the feature distance.
        adversarial: weight of the critic's opinion, from `critic_from` (a share of all steps) on.
        critic_from: share of the steps before the critic speaks.
        average: decay of the running mean of weights, which is what is exported.
        seed: of weights and draws.
    """

    region: str
    profile: str = "cpu"
    steps: int = 5000
    batch: int = 12
    learning_rate: float = 6e-4
    warmup: int = 200
    perceptual: float = 0.15
    adversarial: float = 0.01
    critic_from: float = 0.6
    average: float = 0.997
    seed: int = 1


class Trainer:
    """Trains one painter; all state travels through `checkpoint.pt`.

    Args:
        recipe: what to do.
        train: samples of the people to learn from.
        validation: samples of other people.
        out: folder for checkpoint, log and pictures.
        start: an exported network to go on from, where there is no checkpoint; new weights if None.

    Raises:
        TrainingDataError: `start` is no network of this region.
    """

    def __init__(
        self, recipe: Recipe, train: Samples, validation: Samples, out: Path, start: bytes | None = None
    ) -> None:
        self.recipe, self.out = recipe, out
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(recipe.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = (
            build_network(recipe.region, recipe.profile)
            if start is None
            else network_from_onnx(recipe.region, start)
        ).to(self.device)
        self.averaged = copy.deepcopy(self.network)
        self.critic = Critic().to(self.device)
        self.features = FeatureDistance().to(self.device)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), recipe.learning_rate, weight_decay=1e-4)
        self.critic_optimiser = torch.optim.Adam(self.critic.parameters(), 4e-4, betas=(0.0, 0.99))
        self.step = 0
        self._train, self._validation = train, validation
        self._resume()

    def run(self, until: int | None = None, every: int = 250) -> dict[str, float]:
        """Train to the recipe's last step (or `until`), validating and saving every so many steps.

        Returns:
            the last validation's figures.
        """
        last = min(until or self.recipe.steps, self.recipe.steps)
        mirrored = self.recipe.region != "eye"
        source = batches(
            self._train,
            self.recipe.batch,
            self.recipe.seed + 1000 * self.step,
            mirrored=mirrored,
            bared=self.recipe.region == "mouth",
        )
        figures: dict[str, float] = {}
        losses: list[float] = []
        begun_s = time.perf_counter()
        while self.step < last:
            losses.append(self._one_step(self._moved(next(source))))
            self.step += 1
            if self.step % every == 0 or self.step == last:
                figures = self.validate()
                figures["loss"] = float(np.mean(losses))
                figures["seconds"] = time.perf_counter() - begun_s
                losses.clear()
                self._save(figures)
        return figures

    @torch.no_grad()
    def validate(self, count: int = 240) -> dict[str, float]:
        """Compare warp and paint with the truth on people never trained on; writes a picture of some."""
        self.averaged.eval()
        rng = np.random.default_rng(0)
        moving = np.argsort(-np.abs(self._validation.closing))[: max(count, len(self._validation) // 2)]
        chosen = np.sort(rng.choice(moving, min(count, len(moving)), replace=False))
        sums: dict[str, list[float]] = {}
        tiles = []
        for start in range(0, len(chosen), 24):
            batch = self._moved(plain(self._validation, [int(i) for i in chosen[start : start + 24]]))
            out, mask = painted(self.averaged, batch.warped, batch.source, batch.contours)
            for name, picture in (("warp", batch.warped), ("paint", out)):
                for figure, value in self._figures(picture, batch, mask).items():
                    sums.setdefault(f"{name}_{figure}", []).append(value)
            tiles.append(torch.cat([batch.source, batch.warped, out.clamp(0, 1), batch.target], 3)[::4])
        _save_tiles(torch.cat(tiles), self.out / f"validation_{self.step:06d}.jpg")
        return {name: float(np.mean(values)) for name, values in sums.items()}

    def _figures(self, picture: torch.Tensor, batch: Batch, mask: torch.Tensor) -> dict[str, float]:
        contrast = [
            float((x - nn.functional.avg_pool2d(x, 3, 1, 1)).mul(mask).abs().sum())
            for x in (picture, batch.target)
        ]
        return {
            "l1": float(masked_l1(picture, batch.target, mask)),
            "laplacian": float(laplacian_l1(picture, batch.target, mask)),
            "perceptual": float(self.features(picture, batch.target, mask)),
            "sharpness": contrast[0] / max(contrast[1], 1e-6),
        }

    def _one_step(self, batch: Batch) -> float:
        recipe = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * self._schedule()
        critical = recipe.adversarial > 0 and self.step >= recipe.critic_from * recipe.steps
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            out, mask = painted(self.network, batch.warped, batch.source, batch.contours)
            out = out.float()
            loss = masked_l1(out, batch.target, mask) + laplacian_l1(out, batch.target, mask)
            if recipe.perceptual:
                loss = loss + recipe.perceptual * self.features(out, batch.target, mask)
            plain_loss = float(loss.detach())
            if critical:
                loss = loss - recipe.adversarial * self.critic(out, mask).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        if critical:
            self._teach_critic(out.detach(), batch.target, mask.detach())
        decay = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.data.lerp_(now.data, 1 - decay)
        return plain_loss

    def _teach_critic(self, fake: torch.Tensor, real: torch.Tensor, mask: torch.Tensor) -> None:
        loss = critic_loss(self.critic(real, mask), self.critic(fake, mask))
        self.critic_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.critic_optimiser.step()

    def _schedule(self) -> float:
        if self.step < self.recipe.warmup:
            return (self.step + 1) / self.recipe.warmup
        done = (self.step - self.recipe.warmup) / max(self.recipe.steps - self.recipe.warmup, 1)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def _moved(self, batch: Batch) -> Batch:
        return Batch(*(getattr(batch, name).to(self.device) for name in Batch.__slots__))

    def _save(self, figures: dict[str, float]) -> None:
        state = {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "critic": self.critic.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict(),
            "figures": figures,
        }
        part = self.out / "checkpoint.part"
        torch.save(state, part)
        part.replace(self.out / "checkpoint.pt")
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.step, **{k: round(v, 5) for k, v in figures.items()}}) + "\n")
        log.info("step %d: %s", self.step, {k: round(v, 4) for k, v in figures.items()})

    def _resume(self) -> None:
        path = self.out / "checkpoint.pt"
        if not path.is_file():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        for name in ("network", "averaged", "critic", "optimiser", "critic_optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.step = int(state["step"])
        log.info("resumed at step %d", self.step)


def _save_tiles(rows: torch.Tensor, path: Path, columns: int = 3) -> None:
    """Write source, warp, paint and truth side by side."""
    pictures = rows[: 15 * columns].mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    padded = [np.pad(p, ((0, 3), (0, 6), (0, 0))) for p in pictures]
    padded += [np.zeros_like(padded[0])] * (-len(padded) % columns)
    lines = [np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)]
    Image.fromarray(np.vstack(lines)).save(path, quality=92)
