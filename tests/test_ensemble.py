"""Ensembles: each member is a cached stage of its own, and `merge` makes one network of them."""

import distributed
import numpy as np
import pytest
from examples.runs import changed, manifest, run

from flows.settings import Settings
from flows.stages import stages
from network.weights import load_weights
from tasks.cache.store import Store
from tasks.runs.plan import Plan
from tasks.training import dask_cluster
from tasks.verify import verify

pytestmark = pytest.mark.usefixtures("server")


def test_an_ensemble_that_grows_trains_only_what_is_new(settings: Settings) -> None:
    """The single network is the first member; the plan says beforehand what runs."""
    for members in (2, 3):
        larger = changed(settings, training={"members": members})
        plan = Plan(settings.artifacts)
        stages(plan, larger)
        published = run(larger)
        new = {f"train-{members}", "merge", "evaluate"}
        assert {name for name, state in published.stages.items() if state == "ran"} == new
        assert {each.stage for each in plan.stages if each.state == "would run"} == new
        assert [each.stage for each in plan.stages] == list(published.stages)
    described = manifest(published)["stages"]
    assert described["train-3"]["reason"] == "the latest run had no train-3"
    assert "input members.2.weights is new" in described["merge"]["reason"]
    assert verify(published.directory, Store(folder=settings.artifacts)).problems == []
    (hidden, _) = load_weights(published.directory / "weights.pkl")
    assert len(hidden) == 3 * 40
    assert not np.array_equal(hidden[:40], hidden[40:80])


def test_a_refreshed_training_is_that_of_all_members(settings: Settings) -> None:
    """`--refresh train` trains each of them again, to the same bytes."""
    ensemble = changed(settings, training={"members": 2})
    run(ensemble)
    published = run(changed(ensemble, refresh=("train",)))
    assert [name for name, state in published.stages.items() if state == "ran"] == [
        "train",
        "train-2",
    ]


def test_members_share_a_cluster_of_dask(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started once for all of them, and not at all where none of them is trained."""
    started = []

    def local_cluster(workers: int, *_: object, **__: object) -> distributed.LocalCluster:
        cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers, processes=False, dashboard_address="127.0.0.1:0"
        )
        started.append(cluster)
        return cluster

    monkeypatch.setattr(dask_cluster, "local_cluster", local_cluster)
    run(changed(settings, training={"members": 2, "partitions": 1}, dask="1"))
    with dask_cluster.dask_cluster("1"):
        pass
    assert [cluster.status.name for cluster in started] == ["closed"]
