"""The manifest: what is written comes back, and no byte of it changes unseen."""

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tasks.cache.key import StageKey
from tasks.errors import InputError
from tasks.runs.manifest import StageAccount, seal_damage, seal_manifest
from tasks.runs.stage_run import StageRun

NAMES = st.text(max_size=20)
DIGESTS = st.dictionaries(NAMES, st.text("0123456789abcdef", min_size=64, max_size=64), max_size=4)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAMES
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
STAGES = st.builds(
    StageRun,
    key=st.builds(
        StageKey,
        stage=NAMES,
        inputs=DIGESTS,
        settings=st.dictionaries(NAMES, VALUES, max_size=4),
        code=DIGESTS,
    ),
    state=st.sampled_from(["ran", "cached"]),
    reason=NAMES,
    seconds=st.floats(0, 1e6),
    outputs=DIGESTS,
)


@given(STAGES)
def test_a_stage_s_key_can_be_read_from_the_manifest(stage: StageRun) -> None:
    """Described, written as JSON and read again, a stage has the parts and the key it had."""
    described = json.loads(json.dumps(stage.described()))
    assert StageKey.model_validate({"stage": stage.key.stage, **described}) == stage.key
    account = StageAccount.model_validate(described)
    assert account.key_from_parts(stage.key.stage) == account.key == stage.key.digest
    assert account.outputs == stage.outputs


@given(
    st.dictionaries(NAMES, VALUES, min_size=1),
    st.integers(min_value=0),
    st.integers(1, 255),
)
def test_a_sealed_manifest_shows_any_changed_byte(
    manifest: dict[str, object], place: int, bits: int
) -> None:
    """A manifest reads as it was written; one changed byte, wherever, breaks JSON or seal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.json"
        seal_manifest(path, manifest)
        whole = path.read_bytes()
        seal = json.loads(whole)["manifest_sha256"]
        assert json.loads(whole) == {**manifest, "manifest_sha256": seal}
        assert seal_damage(path) is None
        place %= len(whole)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
        try:
            damage = seal_damage(path)
        except InputError:  # no JSON any more
            return
        assert damage is not None
