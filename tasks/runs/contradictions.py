"""Where a manifest contradicts itself, which one that was written by a run never does."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.runs.manifest import Manifest, StageAccount

# Where each input of each stage comes from: a stage, and the name its output was kept under.
_CHAIN: dict[str, dict[str, tuple[str, str]]] = {
    "ingest": {},  # its one input is the source
    "shuffle_split": {"digits": ("ingest", "digits.parquet")},
    "train": {"train": ("shuffle_split", "train.parquet")},
    "evaluate": {
        "trained.weights": ("train", "weights.pkl"),
        "trained.history": ("train", "history.parquet"),
        "split.train": ("shuffle_split", "train.parquet"),
        "split.test": ("shuffle_split", "test.parquet"),
    },
}


def contradictions(manifest: Manifest) -> Iterator[str]:
    """Yield what does not fit together: keys, settings, and what each stage was given."""
    settings = manifest.flat_settings
    if missing := _CHAIN.keys() - manifest.stages.keys():
        yield f"has no stage {', '.join(sorted(missing))}"
    for name, stage in manifest.stages.items():
        if stage.key_from_parts(name) != stage.key:
            yield f"has a key of {name} that its inputs, settings and code do not give"
        for setting, value in stage.settings.items():
            if value not in _meant(settings, setting, value):
                yield f"has {name} run with {setting} {value!r}, which is not the run's setting"
        yield from _unfitting_inputs(manifest, name, stage)
    weights = manifest.output("train", "weights.pkl")
    if weights and manifest.files.get("weights.pkl") != weights[1]:
        yield "names other weights than train made"


def _unfitting_inputs(manifest: Manifest, name: str, stage: StageAccount) -> Iterator[str]:
    if name == "ingest" and stage.inputs.get("csv") != manifest.source.sha256:
        yield "has ingest given another csv than the source"
    initial = manifest.initial_weights and manifest.initial_weights.sha256
    if name == "train" and stage.inputs.get("initial.weights") != initial:
        yield "has train start from other weights than the initial ones"
    for argument, (maker, file) in _CHAIN.get(name, {}).items():
        made = manifest.output(maker, file)
        if made is None:
            yield f"has no output {file} of {maker}"
        elif stage.inputs.get(argument) != made[1]:
            yield f"has {name} given another {argument} than {maker} made"


def _meant(settings: Mapping[str, Any], name: str, otherwise: Any) -> list[Any]:
    """Return the settings that a stage's setting may be: some stages drop the group's name."""
    name = name.replace("trained.activation", "training.activation")  # handed on by train's record
    found = [value for each, value in settings.items() if f".{each}".endswith(f".{name}")]
    return found or [otherwise]
