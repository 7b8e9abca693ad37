"""The test digits that changed sides between two runs: right in one, wrong in the other."""

from pydantic import BaseModel, ConfigDict

from tasks.cache.store import Store, damage
from tasks.remote.results import download_stored
from tasks.runs.manifest import Manifest


class ChangedDigit(BaseModel):
    """A test digit that one of two runs recognises and the other does not."""

    model_config = ConfigDict(frozen=True)

    row: int  # of the test split, from 0
    label: int
    read_by_a: int
    read_by_b: int


class ChangedDigits(BaseModel):
    """The test digits that changed sides from run A to run B."""

    model_config = ConfigDict(frozen=True)

    right_to_wrong: list[ChangedDigit]
    wrong_to_right: list[ChangedDigit]


def obstacle(a: Manifest, b: Manifest, store: Store) -> str | None:
    """Return why the predictions of two runs can't be compared digit by digit; None if they can."""
    test = a.output("shuffle_split", "test.parquet")
    if test is None or test != b.output("shuffle_split", "test.parquet"):
        return "the runs were tested on different test splits"
    for manifest in (a, b):
        output = manifest.output("evaluate", "predictions.parquet")
        if output is None:
            return f"{manifest.run} names no predictions"
        download_stored(store, *output)
        if wrong := damage(store.files / output[0], output[1]):
            return f"store/{output[0]}, the predictions of {manifest.run}, {wrong}"
    return None


def changed_digits(a: Manifest, b: Manifest, store: Store) -> ChangedDigits:
    """Return the test digits that one run recognises and the other does not.

    Args:
        a: manifest of the one run.
        b: manifest of the other; there must be no `obstacle`.
        store: where their predictions are.
    """
    import pandas as pd  # here: slow, and most commands that know of a comparison make none

    names = [output[0] for m in (a, b) if (output := m.output("evaluate", "predictions.parquet"))]
    before, now = (pd.read_parquet(store.files / name) for name in names)
    table = pd.DataFrame(
        {
            "row": before["row"],
            "label": before["label"],
            "read_by_a": before["prediction"],
            "read_by_b": now["prediction"],
        }
    )
    right_a, right_b = (table[each] == table["label"] for each in ("read_by_a", "read_by_b"))
    right_to_wrong, wrong_to_right = (
        [ChangedDigit.model_validate(row) for row in table[rows].to_dict(orient="records")]
        for rows in (right_a & ~right_b, right_b & ~right_a)
    )
    return ChangedDigits(right_to_wrong=right_to_wrong, wrong_to_right=wrong_to_right)
