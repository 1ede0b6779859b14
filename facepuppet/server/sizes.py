"""How many hosts there are, and what each of them is stated to take of a machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from facepuppet.core.errors import ServerError

SHARE = 0.9  # of a core: a session at 640x360 and 30 frames a second, its codec with it
SPARE = 0.8  # a cluster grows when more of its places than this are taken

_SCALING = {
    "metrics_interval_s": 1.0,
    "look_back_period_s": 2.0,
    "upscale_delay_s": 1.0,  # somebody stands in line
    "downscale_delay_s": 300.0,  # a host takes seconds to begin; people come back
}
_LONGEST_S = 12 * 3600.0  # that a host which shall go waits for its last session


@dataclass(frozen=True, slots=True)
class Sizes:
    """Hosts, and their places.

    Attributes:
        warm: host replicas that are there when nobody is.
        most: host replicas that there may be.
        share: of a core, for each session.
        sessions: places in each replica; more than 1 only where they share a GPU.
        gpus: of each replica.
    """

    warm: int
    most: int
    share: float = SHARE
    sessions: int = 1
    gpus: float = 0.0

    @classmethod
    def of_machine(cls, cores: int, share: float = SHARE, gpus: int = 0, sessions_per_gpu: int = 0) -> Sizes:
        """Fill one machine: as many hosts as its cores, or its GPUs, hold.

        Raises:
            ServerError: not one fits.
        """
        if sessions_per_gpu:
            replicas = min(gpus, int(cores / (share * sessions_per_gpu) + 1e-6))
            sizes = cls(replicas, replicas, share, sessions_per_gpu, 1.0)
        else:
            replicas = int(cores / share + 1e-6)
            sizes = cls(replicas, replicas, share)
        if not replicas:
            raise ServerError(
                f"a machine of {cores} cores and {gpus} GPUs, with {share:g} of a core for a session"
                + (f" and {sessions_per_gpu} sessions a GPU" if sessions_per_gpu else ""),
                "room for one host",
                "Choose a smaller --share or --sessions-per-gpu.",
            )
        return sizes

    @classmethod
    def of_cluster(cls, warm: int, most: int, share: float = SHARE, sessions_per_gpu: int = 0) -> Sizes:
        """Let a cluster grow and shrink between two numbers of places.

        Raises:
            ServerError: warm is above most.
        """
        if warm > most:
            raise ServerError(
                f"--warm {warm} and --most {most}", "no more warm places than there may be", "Raise --most."
            )
        sessions = sessions_per_gpu or 1
        return cls(
            math.ceil(warm / sessions),
            math.ceil(most / sessions),
            share,
            sessions,
            1.0 if sessions_per_gpu else 0.0,
        )

    def deployment_options(self) -> dict[str, Any]:
        """Return what Ray Serve is told of the hosts."""
        scaling: dict[str, Any] = (
            {"num_replicas": self.warm}
            if self.warm == self.most
            else {
                "autoscaling_config": {
                    "min_replicas": self.warm,
                    "initial_replicas": self.warm,
                    "max_replicas": self.most,
                    "target_ongoing_requests": SPARE * self.sessions,
                    **_SCALING,
                }
            }
        )
        return {
            **scaling,
            "ray_actor_options": {"num_cpus": self.share * self.sessions, "num_gpus": self.gpus},
            "max_ongoing_requests": self.sessions,
            "graceful_shutdown_timeout_s": _LONGEST_S,
            "graceful_shutdown_wait_loop_s": 0.2,
            "health_check_period_s": 2.0,
            "health_check_timeout_s": 20.0,  # a host that opens its first portrait is busy for seconds
        }
