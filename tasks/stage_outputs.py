"""What the stages of one run made, in their order."""

from typing import NamedTuple

from tasks.cache.store import SourceFile
from tasks.evaluate import Evaluated
from tasks.ingest import Ingested
from tasks.shuffle_split import Split
from tasks.train import Trained


class StageOutputs(NamedTuple):
    """The files a run began with, and the record of each stage."""

    csv: SourceFile
    initial_weights: SourceFile | None
    ingested: Ingested
    split: Split
    trained: Trained
    evaluated: Evaluated
