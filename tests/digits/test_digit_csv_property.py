"""Whatever the bytes: digits that pandas reads too, or one clear error, and never anything else."""

import codecs
import gzip
import io
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet
from tasks.digits.table import Digits, read_digits
from tasks.errors import DataError

CELLS = [
    [*map(str, row), str(number % 10)]
    for number, row in enumerate(np.random.default_rng(4).integers(0, 256, (20, 9)))
]
GOOD = "\n".join(map(",".join, CELLS)).encode() + b"\n"
HEADER = b"a,b,c,d,e,f,g,h,i,label\n"
SNIPPETS = [
    *[b",", b"\n", b"\r", b"\r\n", b'"', b" ", b"\t", b"\0", b"\x0b", b"x", b"#", b";", b"'"],
    *[b"\xef\xbb\xbf", b"\xff", b"\xc3\xa9", b"\x1a", b"\x1f\x8b", b"-", b"+", b".", b"e", b"_"],
    *[b"0", b"9", b"255", b"0x1F", b"1e2", b"1e999", b"nan", b"inf", b"-0.0", b"NA", b"0.1", b'""'],
    *[HEADER, GOOD[:40], GOOD],
]
NUMBERS = st.one_of(
    st.integers(-300, 400).map(str),
    st.floats(-130, 390).map(repr),
    st.sampled_from(["1e2", "+7", ".5", "5.", "007", "-0", "1E-320", "0x10", "1_0", "", " 3 "]),
)


def ingested(content: bytes) -> Digits | str:
    """Return the digits of a file, or the words of the error with the file's name taken off."""
    with tempfile.TemporaryDirectory() as folder:
        csv, output = Path(folder) / "d.csv", Path(folder) / "out"
        csv.write_bytes(content)
        output.mkdir()
        try:
            csv_to_parquet(csv, output / "d.parquet", CsvFormat())
        except DataError as error:
            message = str(error)
        else:
            return read_digits(output / "d.parquet")
        assert list(output.iterdir()) == []
        assert message.startswith(f"{csv}: ")
        return message.removeprefix(f"{csv}: ")


def check(content: bytes) -> None:
    """Hold what was read against pandas, and a message against what every message must have."""
    found = ingested(content)
    if isinstance(found, str):
        assert re.match(r"line \d+: |empty|nothing|no |the gzip", found), found
        assert "\n" not in found
        return
    plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    plain = plain.replace(codecs.BOM_UTF8, b"")  # taken off after a header too, as `cat` leaves it
    table = pd.read_csv(io.BytesIO(plain), header=None, dtype=str)
    if not re.fullmatch(r"[\s+\-.\deE]*", table.iloc[0].str.cat()) or _counts(table.iloc[0]):
        table = table.iloc[1:]
    expected = table.to_numpy().astype(float)
    assert (found.pixels == expected[:, :-1]).all()
    assert (found.labels == expected[:, -1]).all()


def _counts(cells: "pd.Series[str]") -> bool:
    # A header of column numbers, which nothing but ingest takes for names.
    return cells.tolist() in ([*map(str, range(len(cells)))], [*map(str, range(1, len(cells) + 1))])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
@example(b"\x1f\x8b")
@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbf\n")
@example(b"\r")
@example(b'"\n')
@example(b",\n")
@example(b"5,3\r5,3\n")
def test_any_bytes(content: bytes) -> None:
    """Rubbish is a data error."""
    check(content)


@settings(max_examples=400, deadline=None)
@given(
    header=st.sampled_from(
        [b"", HEADER, b"\xef\xbb\xbf", b"\xef\xbb\xbf" + HEADER, b"\n" + HEADER]
    ),
    edits=st.lists(
        st.tuples(
            st.integers(0, len(GOOD)),
            st.integers(0, 8),
            st.one_of(st.just(b""), st.sampled_from(SNIPPETS)),
        ),
        max_size=3,
    ),
    crlf=st.booleans(),
    compress=st.booleans(),
)
@example(header=b"\n" + HEADER, edits=[(0, 0, b"\x0b")], crlf=False, compress=False)
@example(header=codecs.BOM_UTF8, edits=[(0, 0, HEADER)], crlf=False, compress=False)
def test_any_slip_of_the_pen(
    header: bytes, edits: list[tuple[int, int, bytes]], crlf: bool, compress: bool
) -> None:
    """A good file in which pieces were lost, added or overwritten is read right or refused."""
    content = header + GOOD
    for start, lost, added in edits:
        content = content[:start] + added + content[start + lost :]
    content = content.replace(b"\n", b"\r\n") if crlf else content
    check(gzip.compress(content, 1) if compress else content)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 9), NUMBERS), max_size=6))
def test_any_number_in_any_cell(cells: list[tuple[int, int, str]]) -> None:
    """However a number is spelt, it is read as pandas reads it or refused."""
    rows = [row.copy() for row in CELLS]
    for row, column, spelling in cells:
        rows[row][column] = spelling
    check("\n".join(map(",".join, rows)).encode())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_any_damage_to_a_gzip(at: int, damage: bytes) -> None:
    """A gzip with wrong bytes is a data error, unless what was hit does not matter to gzip."""
    whole = gzip.compress(GOOD, mtime=0)
    found = ingested(whole[:at] + damage + whole[at + len(damage) :])
    if not isinstance(found, str):
        assert [",".join(map(str, row)) for row in found.pixels] == [
            ",".join(row[:-1]) for row in CELLS
        ]
