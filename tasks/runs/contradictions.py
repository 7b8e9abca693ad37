"""Where a manifest contradicts itself, which one that was written by a run never does."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.cache.key import stage_of
from tasks.runs.manifest import Manifest, StageAccount

_NETWORK = "(network)"  # stands for the stage that made the network: merge, or train
# Where each input of each stage comes from: a stage, and the name its output was kept under.
_CHAIN: dict[str, dict[str, tuple[str, str]]] = {
    "ingest": {},  # its one input is the source
    "shuffle_split": {"digits": ("ingest", "digits.parquet")},
    "train": {"train": ("shuffle_split", "train.parquet")},
    "evaluate": {
        "trained.weights": (_NETWORK, "weights.pkl"),
        "trained.history": (_NETWORK, "history.parquet"),
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
        if stage.key_from_parts(stage_of(name)) != stage.key:
            yield f"has a key of {name} that its inputs, settings and code do not give"
        for setting, value in stage.settings.items():
            if value not in _meant(settings, setting, value):
                yield f"has {name} run with {setting} {value!r}, which is not the run's setting"
        yield from _unfitting_inputs(manifest, name, stage)
    weights = manifest.output(manifest.network_stage, "weights.pkl")
    if weights and manifest.files.get("weights.pkl") != weights[1]:
        yield f"names other weights than {manifest.network_stage} made"


def _unfitting_inputs(manifest: Manifest, name: str, stage: StageAccount) -> Iterator[str]:
    if name == "ingest" and stage.inputs.get("csv") != manifest.source.sha256:
        yield "has ingest given another csv than the source"
    initial = manifest.initial_weights and manifest.initial_weights.sha256
    if stage_of(name) == "train" and stage.inputs.get("initial.weights") != initial:
        yield f"has {name} start from other weights than the initial ones"
    for argument, (maker, file) in _inputs(manifest, name).items():
        made = manifest.output(maker, file)
        if made is None:
            yield f"has no output {file} of {maker}"
        elif stage.inputs.get(argument) != made[1]:
            yield f"has {name} given another {argument} than {maker} made"


def _inputs(manifest: Manifest, name: str) -> dict[str, tuple[str, str]]:
    """Return where each input of a stage of a run comes from."""
    if name == "merge":
        members = [each for each in manifest.stages if stage_of(each) == "train"]
        return {
            f"members.{number}.{part}": (member, file)
            for number, member in enumerate(members)
            for part, file in (("weights", "weights.pkl"), ("history", "history.parquet"))
        }
    return {
        argument: (manifest.network_stage if maker == _NETWORK else maker, file)
        for argument, (maker, file) in _CHAIN.get(stage_of(name), {}).items()
    }


def _meant(settings: Mapping[str, Any], name: str, otherwise: Any) -> list[Any]:
    """Return the settings that a stage's setting may be: some stages drop the group's name."""
    if name == "training.members":
        return [1]  # each network of an ensemble is trained as if it were the only one
    if name == "training.average_shifts":
        return [False]  # no training depends on it
    name = name.replace("trained.activation", "training.activation")  # handed on by train's record
    found = [value for each, value in settings.items() if f".{each}".endswith(f".{name}")]
    return found or [otherwise]
