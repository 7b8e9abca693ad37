"""Reading arrays from a pickle of unknown origin, without executing it.

A pickle is a program. So it is first scanned for instructions that a list of arrays never needs,
then run with harmless stand-ins for the few NumPy names it may call; arrays are made last, when
bytes, type and shape are known to agree. No code of the file's choosing runs, and no
memory is taken beyond a few times the file's size.
"""

import io
import pickle
import pickletools
from typing import Any

import numpy as np

MOST_INSTRUCTIONS = 10_000  # about 30 a layer

# Numbers, text, bytes, lists, tuples, remembered values, and calls of the names below; no
# dictionaries, no instances, nothing that reaches outside the file.
_NEEDED = """
PROTO FRAME STOP MARK NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4
BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_LIST LIST APPEND APPENDS
EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET
GLOBAL STACK_GLOBAL REDUCE BUILD
"""
_ALLOWED = frozenset(_NEEDED.split())


class RefusedPickleError(ValueError):
    """A pickle that is damaged, or holds more than float arrays; says what."""


def read_arrays(content: bytes) -> object:
    """Return what the pickle holds: arrays of float32 or float64 if it is a list or tuple of them.

    Arrays pickled by NumPy 1 and 2 with any protocol of Python 3 are read, in C or Fortran order
    and any byte order. A list comes back as a list; what else is in it is left for the caller to
    refuse.

    Raises:
        RefusedPickleError: it is damaged, or asks for anything but float arrays of two dimensions.
    """
    try:
        _scan(content)
        loaded = _Unpickler(io.BytesIO(content), encoding="latin1").load()
        if not isinstance(loaded, list | tuple):
            return None
        # Stand-ins cost nothing, arrays do: a few bytes must not become many by being named often.
        if sum(item.size() for item in loaded if isinstance(item, _Array)) > len(content):
            raise RefusedPickleError("the same bytes serve as more than one array")
        return [item.array() if isinstance(item, _Array) else None for item in loaded]
    except RefusedPickleError:
        raise
    except Exception as error:  # the unpickler raises nearly anything on damaged input
        raise RefusedPickleError("truncated, damaged, or no pickle at all") from error


def _scan(content: bytes) -> None:
    """Refuse instructions that a list of arrays never needs, before any is executed."""
    for count, (instruction, argument, _) in enumerate(pickletools.genops(content), start=1):
        if instruction.name not in _ALLOWED:
            raise RefusedPickleError(
                f"it holds {instruction.name}, which a list of arrays never needs"
            )
        if count > MOST_INSTRUCTIONS:
            raise RefusedPickleError("it has far more instructions than a list of arrays needs")
        # The unpickler makes room for as many remembered values as the highest number says.
        if instruction.name in ("PUT", "BINPUT", "LONG_BINPUT") and (
            not isinstance(argument, int) or argument > MOST_INSTRUCTIONS
        ):
            raise RefusedPickleError("it remembers more values than it holds")


class _Dtype:
    """Stands in for numpy.dtype: remembers a type's code and byte order."""

    __slots__ = ("code", "order")

    def __init__(self, code: object, *_: object) -> None:
        self.code = code
        self.order: object = "<"

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = state[1]

    def dtype(self) -> np.dtype[Any]:
        # What was found is left out: written out, nested tuples can fill all memory.
        if self.code not in ("f4", "f8") or self.order not in ("<", ">", "="):
            raise RefusedPickleError("an array of another type than float32 or float64")
        return np.dtype(f"{self.order}{self.code}")


class _Encoded:
    """Stands in for bytes as protocols 0 to 2 write them, a call of _codecs.encode."""

    __slots__ = ("text",)

    def __init__(self, text: object, encoding: object) -> None:
        if not isinstance(text, str) or encoding != "latin1":
            raise RefusedPickleError("text where the bytes of an array should be")
        self.text = text


class _Array:
    """Stands in for an array until its bytes, type and shape are known to agree."""

    __slots__ = ("buffer", "dtype", "order", "shape")

    def __init__(self, *arguments: object) -> None:
        # Called as _frombuffer(buffer, dtype, shape, order), or as _reconstruct(type, (0,), code)
        # with the rest to come as a state.
        self.buffer, self.dtype, self.shape, self.order = (*arguments, None)[:4]

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, self.shape, self.dtype, fortran, self.buffer = state
        self.order = "F" if fortran else "C"

    def text_or_bytes(self) -> str | bytes | bytearray:
        buffer = self.buffer.text if isinstance(self.buffer, _Encoded) else self.buffer
        if not isinstance(buffer, str | bytes | bytearray):
            raise RefusedPickleError("an array without bytes")
        return buffer

    def size(self) -> int:
        return len(self.text_or_bytes())

    def array(self) -> np.ndarray:
        if not isinstance(self.dtype, _Dtype) or self.order not in ("C", "F"):
            raise RefusedPickleError("an array without a type")
        if not isinstance(self.shape, tuple) or len(self.shape) != 2:
            raise RefusedPickleError("an array that is not of two dimensions")
        rows, columns = self.shape
        if not (type(rows) is type(columns) is int and rows > 0 and columns > 0):
            raise RefusedPickleError("an array without rows or columns")
        dtype = self.dtype.dtype()
        # Each is compared first: two numbers as long as the file would take hours to multiply.
        if max(rows, columns) > self.size() or rows * columns * dtype.itemsize != self.size():
            raise RefusedPickleError(f"an array of {rows} × {columns} with {self.size()} bytes")
        content = self.text_or_bytes()
        buffer = content.encode("latin1") if isinstance(content, str) else content
        flat = np.frombuffer(buffer, dtype).astype(dtype.newbyteorder("="))
        if self.order == "F":
            return np.ascontiguousarray(flat.reshape(columns, rows).T)
        return flat.reshape(rows, columns)


class _ArrayType:
    """Stands in for numpy.ndarray, which is named in a file but never called."""

    __slots__ = ()


_STAND_INS: dict[tuple[str, str], type] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _ArrayType,
    ("_codecs", "encode"): _Encoded,
} | {  # NumPy 1 says core, NumPy 2 says _core
    (f"numpy.{core}.{module}", function): _Array
    for core in ("core", "_core")
    for module, function in (("multiarray", "_reconstruct"), ("numeric", "_frombuffer"))
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _STAND_INS:
            raise RefusedPickleError(f"it asks for {f'{module}.{name}'[:80]!r}, which is refused")
        return _STAND_INS[module, name]
