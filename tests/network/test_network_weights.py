"""Weights as a file: what is written anyone can read, and what is read can do no harm."""

import builtins
import hashlib
import os
import pickle
import pickletools
import struct
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network.weights import WeightsError, check_weights, dump_weights, load_weights

TERABYTE = 1 << 40


def layers(dtype: str = "float32") -> list[np.ndarray]:
    """Return the layers of a network of 3 inputs, 4 hidden neurons and 2 outputs."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=(4, 4)).astype(dtype), rng.normal(size=(2, 5)).astype(dtype)]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], list[np.ndarray]]:
    """Read a weights file of these bytes."""
    path = tmp_path_factory.mktemp("weights") / "weights.pkl"

    def write_and_load(content: bytes) -> list[np.ndarray]:
        path.write_bytes(content)
        return load_weights(path)

    return write_and_load


Load = Callable[[bytes], list[np.ndarray]]


def assert_same(loaded: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Compare values bit by bit, types and memory layout."""
    assert len(loaded) == len(expected)
    for layer, same in zip(loaded, expected, strict=True):
        assert layer.dtype == same.dtype.newbyteorder("=")
        assert layer.flags.c_contiguous
        np.testing.assert_array_equal(layer, same)


# ---- what is written ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_plain_pickle_reads_what_is_written(dtype: str) -> None:
    """A file of ours is a pickled list of arrays, for anyone with Python and NumPy."""
    loaded = pickle.loads(dump_weights(layers(dtype)))
    assert type(loaded) is list
    assert_same(loaded, layers(dtype))


def test_what_is_written_is_read(load: Load) -> None:
    """Out and in again changes no bit."""
    assert_same(load(dump_weights(layers())), layers())


def test_same_weights_give_the_same_bytes(load: Load) -> None:
    """Bytes depend on the values alone, not on where the arrays come from or lie in memory."""
    content = dump_weights(layers())
    first, second = layers()
    wide = np.repeat(second, 2, axis=1)
    assert dump_weights(load(content)) == content
    assert dump_weights(pickle.loads(content)) == content
    assert dump_weights([first, pickle.loads(content)[1]]) == content
    assert dump_weights([np.asfortranarray(first), wide[:, ::2]]) == content
    assert dump_weights((first, second)) == content
    noted = [layer.astype(np.dtype(layer.dtype, metadata={"by": "us"})) for layer in layers()]
    assert dump_weights(noted) == content
    square = np.ones((3, 4), np.float32)  # its outputs are the inputs of a layer like it
    assert dump_weights([square, square]) == dump_weights([square, square.copy()])


def test_weights_that_could_not_be_read_are_not_written() -> None:
    """A file is refused when it is made, not a month later."""
    broken = layers()
    broken[1][0, 0] = np.nan
    with pytest.raises(WeightsError, match="layer 2 holds NaN"):
        dump_weights(broken)


# ---- what is read ---------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", ">f8"])
@pytest.mark.parametrize("container", [list, tuple])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_pickle_of_float_arrays_is_read(
    load: Load, order: str, container: type, dtype: str, protocol: int
) -> None:
    """Every protocol, number type, byte order and memory order, in a list or a tuple."""
    arrays = [np.array(layer, dtype, order=order) for layer in layers()]
    assert_same(load(pickle.dumps(container(arrays), protocol=protocol)), arrays)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_slices_and_read_only_arrays_are_read(load: Load, protocol: int) -> None:
    """An array that is part of another, or can't be written to, is pickled in other ways."""
    first, second = np.repeat(layers()[0], 2, axis=1)[:, ::2], layers()[1]
    second.flags.writeable = False
    loaded = load(pickle.dumps([first, second], protocol=protocol))
    assert_same(loaded, layers())
    loaded[1][0, 0] = 1.0  # what is read can be trained on


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_files_of_numpy_1_are_read(load: Load, protocol: int) -> None:
    """NumPy 1 kept its functions in numpy.core, where NumPy 2 says numpy._core."""
    content = _renamed(pickle.dumps(layers("float64"), protocol=protocol))
    assert b"numpy.core." in content
    assert b"numpy._core" not in content
    assert_same(load(content), layers("float64"))


def _renamed(content: bytes) -> bytes:
    # Pickles of protocol 4 and 5 give a name's length in a byte before it, and frames theirs.
    for module in ("multiarray", "numeric"):
        new, old = f"numpy._core.{module}", f"numpy.core.{module}"
        content = content.replace(
            b"\x8c" + bytes([len(new)]) + new.encode(), b"\x8c" + bytes([len(old)]) + old.encode()
        )
    return pickletools.optimize(content.replace(b"numpy._core.", b"numpy.core."))


def test_mixed_float_types_become_the_wider(load: Load) -> None:
    """Weights are all of one type; none loses digits."""
    first, second = layers("float32")[0], layers("float64")[1]
    loaded = load(pickle.dumps([first, second]))
    assert [layer.dtype for layer in loaded] == [np.float64, np.float64]
    np.testing.assert_array_equal(loaded[0], first)
    np.testing.assert_array_equal(loaded[1], second)


def test_fifty_layers_are_read(load: Load) -> None:
    """The bound on a file's length in instructions is far above any network's."""
    many = [np.full((3, 4), number, np.float32) for number in range(50)]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert_same(load(pickle.dumps(many, protocol=protocol)), many)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not a list of arrays"),
        ((), "not a list of arrays"),
        (3, "not a list of arrays"),
        ("weights", "not a list of arrays"),
        (None, "not a list of arrays"),
        (np.ones((2, 3)), "not a list of arrays"),
        ([1.5], "it holds BINFLOAT"),
        ([None], "layer 1 is not an array"),
        ([[np.ones((2, 3))]], "layer 1 is not an array"),
        ({"weights": np.ones((2, 3))}, "it holds EMPTY_DICT"),
        ([np.ones((2, 3)), None], "layer 2 is not an array"),
        ([np.ones((2, 3), int)], "float32 or float64"),
        ([np.ones((2, 3), np.float16)], "float32 or float64"),
        ([np.ones((2, 3), np.longdouble)], "float32 or float64"),
        ([np.ones((2, 3), complex)], "float32 or float64"),
        ([np.ones((2, 3), bool)], "float32 or float64"),
        ([np.array([["a", "b"]])], "float32 or float64"),
        ([np.array([[None, 1.0]])], "array"),
        ([np.zeros((2, 3), [("x", "f4")])], "it holds"),
        ([np.float32(1.0)], "refused"),
        ([np.ma.ones((2, 3))], "refused"),
        ([np.ones(6)], "two dimensions"),
        ([np.ones((1, 2, 3))], "two dimensions"),
        ([np.ones(())], "two dimensions"),
        ([np.ones((0, 3))], "array"),
        ([np.ones((3, 0))], "array"),
        ([np.ones((3, 1))], r"layer 1 has shape \(3, 1\)"),
        ([np.ones((4, 4)), np.ones((2, 4))], r"layer 2 .* \(2, 4\), .* 4 outputs, so 5 columns"),
        ([np.ones((4, 4)), np.ones((2, 6))], r"layer 2 .* \(2, 6\), .* 4 outputs, so 5 columns"),
        ([np.array([[1.0, np.nan]])], "layer 1 holds NaN or infinity"),
        ([np.array([[1.0, -np.inf]])], "layer 1 holds NaN or infinity"),
    ],
)
def test_anything_but_layers_that_fit_is_refused_by_name(
    load: Load, content: object, message: str
) -> None:
    """The error says which layer and what was found, in which file, and what is allowed."""
    with pytest.raises(WeightsError, match=message) as caught:
        load(pickle.dumps(content))
    assert "weights.pkl: " in str(caught.value)
    assert "Allowed is a pickled list of float arrays, one a layer" in str(caught.value)


def test_check_weights_judges_arrays_in_memory_alike() -> None:
    """What is refused from a file is refused from a caller too."""
    for content in ([], [np.ones(3)], [np.ones((2, 3), int)], [[[1.0, 2.0]]], "ab"):
        with pytest.raises(WeightsError):
            check_weights(content)
    assert_same(check_weights(tuple(layers())), layers())


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A missing file and a folder are distinguished from a damaged file."""
    with pytest.raises(WeightsError, match=r"nothing\.pkl: can't be read: No such file"):
        load_weights(tmp_path / "nothing.pkl")
    with pytest.raises(WeightsError, match=r"not a file|Is a directory"):
        load_weights(tmp_path)


# ---- what must do no harm -------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_truncated_at_any_length_is_refused(load: Load, protocol: int) -> None:
    """A file that was not copied to its end is an error wherever it was cut."""
    content = pickle.dumps(layers(), protocol=protocol)
    for length in range(len(content)):
        with pytest.raises(WeightsError):
            load(content[:length])


class _Call:
    """Pickles as a call of any function, optionally with a state to be set afterwards."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


def _never(mark: str) -> None:
    raise AssertionError(f"{mark}: this was called from a weights file")


def _text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def _name(module: str, name: str) -> bytes:
    """Return the instruction that asks for a name, by way of the stack."""
    return _text(module) + _text(name) + b"\x93"


def _hostile() -> dict[str, bytes]:
    touch = "open('harmed', 'w').close()"
    header, array_of = b"\x80\x04", _name("numpy._core.multiarray", "_reconstruct")
    dtype = _name("numpy", "dtype")
    pickles = {
        f"{name}, protocol {protocol}": pickle.dumps(content, protocol=protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        for name, content in {
            "os.system": _Call(os.system, "touch harmed"),
            "os.system in the list": [*layers(), _Call(os.system, "touch harmed")],
            "eval": [_Call(builtins.eval, touch)],
            "exec": [_Call(builtins.exec, touch)],
            "nested": [_Call(getattr, _Call(__import__, "os"), "system")],
            "open": [_Call(open, "harmed", "w")],
            "subprocess": (_Call(subprocess.Popen, ["touch", "harmed"]),),
            "own function": [_Call(_never, "own")],
        }.items()
    }
    return pickles | {
        # A name within an allowed one: its dots are steps to whatever hangs on it.
        "dots": header + _name("numpy", "dtype.__init__.__globals__") + b".",
        "dots into builtins": header + _name("numpy", "ndarray.__class__") + b".",
        "find_class of our own module": header
        + _name("network.weights", "load_weights") + _text("harmed") + b"\x85R.",
        # Instructions that make instances without REDUCE.
        "INST": b"(Vtouch harmed\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\nX\x0c\0\0\0touch harmedo.",
        "NEWOBJ": header + dtype + b")\x81.",
        "NEWOBJ_EX": header + dtype + b")N\x92.",
        "EXT1": header + b"\x82\x01.",
        "PERSID": b"Pharmed\n.",
        "BINPERSID": header + _text("harmed") + b"Q.",
        # BUILD sets attributes: of a class, with a state that is none, of a function, of an
        # array before it is one.
        "BUILD on a class": header + dtype + b"}" + _text("__setstate__")
        + _name("os", "system") + b"sb.",
        "BUILD with DICT": header + dtype + b"(d" + b"b.",
        "BUILD with slots": header + dtype + b"N}" + _text("code") + _text("harmed") + b"s\x86b.",
        "BUILD on a class, no dict": header + dtype + b"NN\x86b.",
        "BUILD on a number": header + b"K\x01K\x02b.",
        "BUILD a shape that is a call": header + array_of + _name("numpy", "ndarray")
        + b"K\0\x85C\x01b\x87R(K\x01" + _name("os", "system") + _text("x") + b"\x85Rtb.",
        "BUILD twice": header + b"]" + dtype + _text("f4") + b"\x85R" + b"(K\x03" + dtype
        + b"tb(K\x03K\x04tba.",
        "calling what was made": header + dtype + _text("f4") + b"\x85R" + _text("x") + b"\x85R.",
        "calling a text": header + _text("system") + _text("touch harmed") + b"\x85R.",
        "array type called": header + b"]" + _name("numpy", "ndarray") + b"K\x02\x85Ra.",
        "another encoding": header + b"]" + _name("_codecs", "encode") + _text("6861726d6564")
        + _text("hex") + b"\x86Ra.",
        "two pickles in one": header + b"]." + pickle.dumps(_Call(os.system, "touch harmed")),
    }  # fmt: skip


HOSTILE = _hostile()


@pytest.mark.parametrize("name", HOSTILE)
def test_no_code_in_a_file_is_ever_run(
    load: Load, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a pickle asks for beyond arrays, the answer is an error and nothing else."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError):
        load(HOSTILE[name])
    assert list(tmp_path.iterdir()) == []


def test_the_hostile_pickles_are_hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain pickle.load runs them, so refusing them means something."""
    monkeypatch.chdir(tmp_path)
    for name in ("os.system", "eval", "exec"):
        pickle.loads(HOSTILE[f"{name}, protocol 4"])
        assert (tmp_path / "harmed").exists(), name
        (tmp_path / "harmed").unlink()
    with pytest.raises(AssertionError, match="this was called"):
        pickle.loads(HOSTILE["own function, protocol 4"])


PLENTY = 100_000  # bytes
F4 = b"cnumpy\ndtype\nX\2\0\0\0f4\x85R"
ARRAY = b"cnumpy.core.numeric\n_frombuffer\n"  # called with a buffer, type, shape and order
C_ORDER = b"X\1\0\0\0C"
SHAPE = b"K\5M\x88\x13\x86"  # 5 × 5000 float32 are PLENTY
BUFFER = b"B" + struct.pack("<I", PLENTY) + bytes(PLENTY)
# A number in a tuple three times, that in a tuple three times, and so on: in 200 bytes what takes
# 50 MB to print.
TRIPLED = b"K\1q\0" + b"".join(
    bytes([ord("h"), number, ord("h"), number, 0x87, ord("q"), number + 1]) for number in range(15)
)
BOMBS = {
    # Lengths that the file does not keep to.
    "BYTEARRAY8": b"\x80\5\x96" + struct.pack("<Q", TERABYTE) + b"abc.",
    "BINBYTES8": b"\x80\4\x8e" + struct.pack("<Q", TERABYTE) + b"abc.",
    "BINUNICODE8": b"\x80\4\x8d" + struct.pack("<Q", TERABYTE) + b"abc.",
    "BINBYTES": b"\x80\3B" + struct.pack("<I", 2**32 - 1) + b"abc.",
    "LONG4": b"\x80\2\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",
    "FRAME": b"\x80\4\x95" + struct.pack("<Q", TERABYTE) + b"].",
    "FRAME within": b"\x80\5]\x95" + struct.pack("<Q", TERABYTE) + b"K\1a.",
    # Remembered under a number that takes a table of gigabytes.
    "LONG_BINPUT": b"\x80\2]r" + struct.pack("<I", 2**31) + b".",
    "LONG_BINPUT of millions": b"\x80\2]r" + struct.pack("<I", 20_000_000) + b".",
    "PUT": b"]p" + b"9" * 18 + b"\n.",
    "PUT of millions": b"]p20000000\n.",
    # Numbers of many digits, which take long to turn into binary.
    "INT": b"I" + b"9" * PLENTY + b"\n.",
    "LONG": b"L" + b"9" * PLENTY + b"L\n.",
    # A few bytes, named often.
    "one text encoded a thousand times": b"\x80\2X" + struct.pack("<I", PLENTY) + b"a" * PLENTY
    + b"q\0cnumpy\ndtype\nq\1X\6\0\0\0latin1q\2c_codecs\nencode\nq\3]("
    + b"h\3h\0h\2\x86R" * 1000 + b"e.",
    "one buffer in many arrays": b"\x80\5" + BUFFER + b"q\0" + F4 + b"q\1" + ARRAY + b"q\2]("
    + (b"h\2(h\0h\1" + SHAPE + C_ORDER + b"tR") * 300 + b"e.",
    "one array a thousand times": b"\x80\5](" + ARRAY + b"(" + BUFFER + F4 + SHAPE + C_ORDER
    + b"tRq\0" + b"h\0" * 1000 + b"e.",
    # Depth and length.
    "deep lists": b"\x80\2" + b"]" * 4500 + b"a" * 4499 + b".",
    "very deep lists": b"\x80\2" + b"]" * 500_000 + b"a" * 499_999 + b".",
    "deep tuples": b"\x80\2)" + b"\x85" * 9000 + b".",
    "deep shape": b"\x80\5](" + ARRAY + b"(C\4abcd" + F4 + b")" + b"\x85" * 5000
    + C_ORDER + b"tRe.",
    "marks": b"(" * 1_000_000 + b".",
    "numbers": b"\x80\2](" + b"K\1" * 1_000_000 + b"e.",
    # What must not be put into an error message.
    "huge shape": b"\x80\5](" + ARRAY + b"(C\4abcd" + F4 + TRIPLED + C_ORDER + b"tRe.",
    "huge row count": b"\x80\5](" + ARRAY + b"(C\4abcd" + F4 + TRIPLED + b"K\1\x86"
    + C_ORDER + b"tRe.",
    "huge type": b"\x80\5](" + ARRAY + b"(C\4abcdcnumpy\ndtype\n" + TRIPLED + b"\x85RK\1K\1\x86"
    + C_ORDER + b"tRe.",
    "huge order": b"\x80\5](" + ARRAY + b"(C\4abcd" + F4 + b"K\1K\1\x86" + TRIPLED + b"tRe.",
    "huge content": b"\x80\5](" + TRIPLED + b"e.",
    "huge encoding": b"\x80\2](c_codecs\nencode\nX\1\0\0\0a" + TRIPLED + b"\x86Re.",
    "long name": b"c" + b"a" * PLENTY + b"\n" + b"b" * PLENTY + b"\n.",
    # Products that a 64-bit number can't hold.
    "shape beyond 64 bits": b"\x80\5](" + ARRAY + b"(C\4abcd" + F4
    + (b"\x8a\x09" + (2**63).to_bytes(9, "little")) * 2 + b"\x86" + C_ORDER + b"tRe.",
    "negative shape": b"\x80\5](" + ARRAY + b"(C\4abcd" + F4 + b"J\xff\xff\xff\xff" * 2 + b"\x86"
    + C_ORDER + b"tRe.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_no_small_file_takes_much_memory(load: Load, name: str) -> None:
    """Memory taken is a few times the file's size, whatever sizes the file speaks of."""
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError) as caught:
            load(BOMBS[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(BOMBS[name]) + 2_000_000
    assert len(str(caught.value)) < 1000


def test_pieces_of_the_bombs_make_an_array(load: Load) -> None:
    """The bombs fail for what is wrong in them, not for a slip in how they are put together."""
    array = b"\x80\5](" + ARRAY + b"(" + BUFFER + F4 + SHAPE + C_ORDER + b"tRe."
    assert_same(load(array), [np.zeros((5, 5000), np.float32)])
    nested = pickle.loads(b"\x80\2" + TRIPLED + b".")
    for _ in range(15):
        assert len(nested) == 3
        nested = nested[0]
    assert nested == 1


def test_large_file_takes_a_few_times_its_size(load: Load) -> None:
    """An honest file is read in memory in proportion to it, in every protocol."""
    large = [np.ones((500, 1000), np.float32)]  # 2 MB
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps(large, protocol=protocol)
        tracemalloc.start()
        try:
            assert_same(load(content), large)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 6 * len(content) + 2_000_000


ANY_WEIGHTS = [
    pickle.dumps(content, protocol=protocol)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    for content in (layers(), tuple(layers(">f8")), [np.asfortranarray(layers()[0])])
]
# Instructions of which arrays are made, whole calls and parts of them.
PIECES = [
    b"(", b")", b"]", b"N", b"\x88", b"K\0", b"K\1", b"K\2", b"K\3", b"J\xff\xff\xff\xff",
    b"t", b"\x85", b"\x86", b"\x87", b"e", b"a", b"l", b"R", b"b", b"q\0", b"h\0", b"\x94",
    b"C\x10" + b"\0" * 16, b"X\2\0\0\0f4", b"X\2\0\0\0O8", b"X\1\0\0\0<", b"X\1\0\0\0C",
    b"X\6\0\0\0latin1", b"\x93", b"cnumpy\ndtype\n", b"cnumpy\nndarray\n",
    b"c_codecs\nencode\n", b"cnumpy.core.multiarray\n_reconstruct\n", ARRAY, F4,
    ARRAY + b"(C\x10" + b"\0" * 16 + F4 + b"K\1K\4\x86" + C_ORDER + b"tR",
]  # fmt: skip


def _weights_or_refusal(load: Load, content: bytes) -> None:
    try:
        loaded = load(content)
    except WeightsError:
        return
    assert dump_weights(loaded) == dump_weights(check_weights(loaded))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_weights_or_refused(load: Load, content: bytes) -> None:
    """No bytes whatever raise anything but WeightsError."""
    _weights_or_refusal(load, content)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_program_of_known_instructions_is_weights_or_refused(
    load: Load, program: list[bytes]
) -> None:
    """Instructions that are allowed one by one do no harm in any order."""
    _weights_or_refusal(load, b"\x80\5" + b"".join(program) + b".")


@settings(max_examples=300, deadline=None)
@given(
    content=st.sampled_from(ANY_WEIGHTS),
    changes=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 2), st.binary(max_size=3)), max_size=4
    ),
)
def test_damaged_weights_are_weights_or_refused(
    load: Load, content: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    """A valid file with bytes changed, lost or added raises nothing but WeightsError."""
    for where, lost, added in changes:
        place = int(where * len(content))
        content = content[:place] + added + content[place + lost :]
    _weights_or_refusal(load, content)


def test_the_bytes_that_are_read_have_the_digest(tmp_path: Path) -> None:
    """A file that changed after its digest was taken is refused, whole network or not."""
    path = tmp_path / "weights.pkl"
    path.write_bytes(dump_weights([np.zeros((2, 3), np.float32)]))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(load_weights(path, sha256)) == 1
    path.write_bytes(dump_weights([np.ones((2, 3), np.float32)]))
    with pytest.raises(WeightsError, match="changed since its digest was taken"):
        load_weights(path, sha256)
