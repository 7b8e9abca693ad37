"""The stages in their order, for a run that performs them and for a plan that does not."""

from typing import TYPE_CHECKING

from flows.settings import Settings
from flows.train_network import train_network
from tasks.cache.key import NotInKey
from tasks.cache.store import SourceFile
from tasks.champion.drift import refuse_drift
from tasks.evaluate import evaluate
from tasks.ingest import ingest
from tasks.runs.plan import Plan
from tasks.shuffle_split import shuffle_split
from tasks.stage_outputs import StageOutputs
from tasks.training.dask_cluster import dask_cluster
from tasks.training.initial_network import find_initial_network

if TYPE_CHECKING:
    from tasks.runs.run import Run


def stages(run: "Run | Plan", settings: Settings) -> StageOutputs:
    """Call every stage with a run or a plan; only what changed runs again."""
    training, classes = settings.training, settings.data.classes
    csv = SourceFile.of(settings.csv)
    initial = find_initial_network(settings.initial_weights, settings.artifacts, training, classes)
    ingested = ingest(run, csv, settings.data)
    run.check(refuse_drift, ingested.profile, settings.fail_on_drift)
    split = shuffle_split(run, ingested.digits, settings.split, settings.seed)
    with dask_cluster(settings.dask if training.partitions else "") as cluster:
        where = NotInKey(cluster) if cluster else None
        trained = train_network(run, split.train, training, settings.seed, initial, where)
    evaluated = evaluate(
        run, trained, split, training.l2, training.distortion, training.average_shifts
    )
    weights = initial.weights if initial else None
    return StageOutputs(csv, weights, ingested, split, trained, evaluated)
