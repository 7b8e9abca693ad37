"""Weights as a file: a plain pickled list of arrays out, and only that back in.

Anyone's `pickle.load` reads what is written here. What is read here may come from anyone, and a
pickle is a program: so it is first scanned for instructions that a list of arrays never needs,
then run with stand-ins for the few NumPy names it may call. No code of the file's choosing runs,
and no memory is taken beyond a few times the file's size.
"""

import io
import pickle
import pickletools
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

MOST_INSTRUCTIONS = 10_000  # about 30 a layer
_PROTOCOL = 4  # read by every Python 3 since 3.4

# Numbers, text, bytes, lists, tuples, remembered values, and calls of the names below; no
# dictionaries, no instances, nothing that reaches outside the file.
_ALLOWED = frozenset(
    "PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 "
    "STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 "
    "BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_LIST LIST APPEND APPENDS "
    "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET "
    "GLOBAL STACK_GLOBAL REDUCE BUILD".split()  # noqa: SIM905  # a list would fill a page
)


class WeightsError(ValueError):
    """A weights file that is not a list of weight matrices; says why and what is allowed."""


def dump_weights(weights: Sequence[np.ndarray]) -> bytes:
    """Return weights as a plain pickled list, the same bytes for the same weights."""
    return pickle.dumps([np.array(layer, order="C") for layer in weights], protocol=_PROTOCOL)


def load_weights(path: Path) -> list[np.ndarray]:
    """Read a weights file from anywhere.

    Returns:
        One array a layer, (outputs, inputs + 1), bias in column 0, all float32 or all float64.

    Raises:
        WeightsError: it can't be read, is no pickle of NumPy float arrays in a list or tuple, or
            the arrays do not fit together.
    """
    try:
        return check_weights(_unpickle(path.read_bytes()))
    except OSError as error:
        raise WeightsError(f"{path}: can't be read: {error.strerror}.") from error
    except WeightsError as error:
        raise WeightsError(
            f"{path}: {error}. Allowed is a pickled list of float arrays, one a layer, "
            "(outputs, inputs + 1), bias in column 0."
        ) from error.__cause__


def check_weights(content: object) -> list[np.ndarray]:
    """Return the layers of a network, all of one type, if that is what `content` holds.

    Raises:
        WeightsError: it is not a list or tuple of finite two-dimensional float arrays, each as
            wide as the one before is high, and 1 more for the bias.
    """
    if not isinstance(content, list | tuple) or not content:
        raise WeightsError("no list of arrays")
    for number, layer in enumerate(content, start=1):
        if not isinstance(layer, np.ndarray) or layer.dtype not in (np.float32, np.float64):
            raise WeightsError(f"layer {number} is not an array of float32 or float64")
        if layer.ndim != 2 or layer.shape[0] < 1 or layer.shape[1] < 2:
            raise WeightsError(f"layer {number} has shape {layer.shape}")
        if not np.isfinite(layer).all():
            raise WeightsError(f"layer {number} holds NaN or infinity")
    for number, (before, layer) in enumerate(pairwise(content), start=2):
        if layer.shape[1] != before.shape[0] + 1:
            raise WeightsError(
                f"layer {number} has shape {layer.shape}, but layer {number - 1} has "
                f"{before.shape[0]} outputs, so {before.shape[0] + 1} columns are needed"
            )
    dtype = np.result_type(*content)
    return [np.ascontiguousarray(layer, dtype) for layer in content]


class _Dtype:
    """Stands in for numpy.dtype: remembers a type's code and byte order."""

    __slots__ = ("code", "order")

    def __init__(self, code: object, *_: object) -> None:
        self.code = code
        self.order = "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def real(self) -> np.dtype[Any]:
        if self.code not in ("f4", "f8") or self.order not in ("<", ">", "="):
            raise WeightsError(f"an array of type {str(self.code)[:20]!r}, not float32 or float64")
        return np.dtype(f"{self.order}{self.code}")


class _Array:
    """Stands in for an array until its bytes, type and shape are known to agree."""

    __slots__ = ("buffer", "dtype", "order", "shape")

    def __init__(self, *arguments: object) -> None:
        # Called as _frombuffer(buffer, dtype, shape, order), or as _reconstruct(type, (0,), code)
        # with the rest to come as a state.
        self.buffer, self.dtype, self.shape, self.order = (*arguments, None)[:4]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.dtype, fortran, self.buffer = state
        self.order = "F" if fortran else "C"

    def real(self) -> np.ndarray:
        if not isinstance(self.dtype, _Dtype) or self.order not in ("C", "F"):
            raise WeightsError("an array without a type")
        dtype = self.dtype.real()
        buffer = self.buffer.encode("latin1") if isinstance(self.buffer, str) else self.buffer
        if not isinstance(buffer, bytes | bytearray):
            raise WeightsError("an array without bytes")
        if not isinstance(self.shape, tuple) or len(self.shape) != 2:
            raise WeightsError(f"an array of shape {str(self.shape)[:40]}")
        rows, columns = self.shape
        if not (type(rows) is type(columns) is int and rows > 0 and columns > 0):
            raise WeightsError(f"an array of shape {str(self.shape)[:40]}")
        if rows * columns * dtype.itemsize != len(buffer):
            raise WeightsError(f"an array of shape {self.shape} with {len(buffer)} bytes")
        array = np.frombuffer(buffer, dtype).reshape(self.shape, order=self.order)
        return array.astype(dtype.newbyteorder("="))


class _ArrayType:
    """Stands in for numpy.ndarray, which is named in a file but never called."""

    __slots__ = ()


def _encode(text: object, encoding: object) -> bytes:
    # How protocols 0 to 2 write bytes.
    if not isinstance(text, str) or encoding != "latin1":
        raise WeightsError("text that is not bytes")
    return text.encode("latin1")


_STAND_INS = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _ArrayType,
    ("_codecs", "encode"): _encode,
} | {  # NumPy 1 says core, NumPy 2 says _core
    (f"numpy.{core}.{module}", function): _Array
    for core in ("core", "_core")
    for module, function in (("multiarray", "_reconstruct"), ("numeric", "_frombuffer"))
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise WeightsError(f"it asks for {module}.{name}, which is refused".replace("\n", " "))
        return _STAND_INS[module, name]


def _unpickle(content: bytes) -> object:
    try:
        _scan(content)
        loaded = _Unpickler(io.BytesIO(content), encoding="latin1").load()
        if not isinstance(loaded, list | tuple):
            return loaded
        arrays = [item for item in loaded if isinstance(item, _Array)]
        if sum(len(array.buffer) for array in arrays) > len(content):
            raise WeightsError("the same bytes serve as more than one array")
        return [item.real() if isinstance(item, _Array) else item for item in loaded]
    except WeightsError:
        raise
    except Exception as error:  # the unpickler raises nearly anything on damaged input
        raise WeightsError("truncated, damaged, or no pickle at all") from error


def _scan(content: bytes) -> None:
    """Refuse instructions that a list of arrays never needs, before any is carried out."""
    for count, (instruction, argument, _) in enumerate(pickletools.genops(content), start=1):
        if instruction.name not in _ALLOWED or count > MOST_INSTRUCTIONS:
            raise WeightsError(f"it holds {instruction.name}, which a list of arrays never needs")
        # The unpickler makes room for as many remembered values as the highest number says.
        if (
            instruction.name in ("PUT", "BINPUT", "LONG_BINPUT")
            and int(argument) > MOST_INSTRUCTIONS
        ):
            raise WeightsError("it remembers more values than it holds")
