from __future__ import annotations

import pytest

from facepuppet.core.errors import ServerError
from facepuppet.server.sizes import Sizes


@pytest.mark.parametrize(
    ("cores", "share", "hosts"), [(2, 0.9, 2), (1, 0.9, 1), (4, 0.5, 8), (3, 1.0, 3), (16, 1.6, 10)]
)
def test_a_machine_gets_as_many_hosts_as_its_cores_hold(cores: int, share: float, hosts: int) -> None:
    sizes = Sizes.of_machine(cores, share)
    options = sizes.deployment_options()
    assert (sizes.warm, sizes.most, sizes.sessions) == (hosts, hosts, 1)
    assert options["num_replicas"] == hosts and options["max_ongoing_requests"] == 1
    assert hosts * options["ray_actor_options"]["num_cpus"] <= cores


def test_sessions_share_a_gpu_and_state_what_they_take_of_cores() -> None:
    options = Sizes.of_machine(8, 0.5, gpus=2, sessions_per_gpu=6).deployment_options()
    assert options["num_replicas"] == 2 and options["max_ongoing_requests"] == 6
    assert options["ray_actor_options"] == {"num_cpus": 3.0, "num_gpus": 1.0}
    assert Sizes.of_machine(4, 0.5, gpus=2, sessions_per_gpu=6).warm == 1  # cores for one GPU's sessions only


@pytest.mark.parametrize(("cores", "gpus", "per_gpu"), [(1, 0, 0), (8, 0, 4), (1, 1, 4)])
def test_a_machine_without_room_for_one_host_is_refused(cores: int, gpus: int, per_gpu: int) -> None:
    with pytest.raises(ServerError, match="smaller --share"):
        Sizes.of_machine(cores, 1.5, gpus, per_gpu)


def test_a_cluster_grows_before_the_last_place_is_taken() -> None:
    sizes = Sizes.of_cluster(3, 50, sessions_per_gpu=4)
    scaling = sizes.deployment_options()["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (1, 13)
    assert scaling["target_ongoing_requests"] == pytest.approx(3.2)  # of four
    with pytest.raises(ServerError, match="--most"):
        Sizes.of_cluster(3, 2)
