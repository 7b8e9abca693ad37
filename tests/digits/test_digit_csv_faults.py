"""Every CSV that is refused: the message says where and what, what is allowed and what to do."""

import gzip
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tasks.digits.csv_format import CsvFormat
from tasks.digits.csv_reader import csv_to_parquet, read_images
from tasks.errors import DataError

PIXELS = np.random.default_rng(2).integers(0, 256, (20, 16))
LINES = [",".join(map(str, [*row, number % 10])) for number, row in enumerate(PIXELS)]
NAMES = [f"pixel{number}" for number in range(16)]
HEADER = ",".join([*NAMES, "label"])
LABEL_FIRST = [",".join(map(str, [number % 10, *row])) for number, row in enumerate(PIXELS)]


def text(*lines: str) -> bytes:
    """Return lines as a file."""
    return ("\n".join(lines) + "\n").encode()


def with_cell(line: int, column: int, value: str) -> list[str]:
    """Return the good lines with one cell changed; line and column count from 1."""
    cells = LINES[line - 1].split(",")
    cells[column - 1] = value
    return [*LINES[: line - 1], ",".join(cells), *LINES[line:]]


def refusal(folder: Path, content: bytes, settings: Mapping[str, object], name: str) -> str:
    """Ingest a bad file; return the message after the file's name, having seen nothing written."""
    csv, output = folder / name, folder / "out"
    output.mkdir()
    csv.write_bytes(content)
    with pytest.raises(DataError) as error:
        csv_to_parquet(csv, output / "digits.parquet", CsvFormat.model_validate(settings))
    assert list(output.iterdir()) == []
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(f"{csv}: ")
    return message.removeprefix(f"{csv}: ")


OUT_OF_RANGE = (
    " is far outside 0 … 255. Set `pixel_max` to the value of full ink, or `label_column` if this "
    "is a label."
)
WHOLE_LABELS = (
    ". Allowed are 0 to 9; if the label is in another column, set `label_column` to first, last or "
    "its name; if there are other labels, name them in `classes`."
)
NOT_SQUARE = (
    "pixels are no square image. Allowed are 401 (20 × 20), 785 (28 × 28), 65 (8 × 8) and so on. "
)

CELLS = [
    pytest.param("abc", "'abc' is no number.", id="word"),
    pytest.param("", "the cell is empty. A number is needed.", id="empty"),
    pytest.param("  ", "the cell is empty. A number is needed.", id="blank"),
    pytest.param("NA", "'NA' is no number.", id="NA"),
    pytest.param("true", "'true' is no number.", id="truth value"),
    pytest.param("1_0", "'1_0' is no number.", id="underscore"),
    pytest.param("0x1F", "'0x1F' is no number.", id="hexadecimal"),
    pytest.param("0X1F", "'0X1F' is no number.", id="hexadecimal, capital"),
    pytest.param("٣", "'٣' is no number.", id="foreign digit"),
    pytest.param("12;5", "'12;5' is no number.", id="semicolon"),
    pytest.param("1\0", r"'1\x00' is no number.", id="NUL"),
    pytest.param("\x0b1", r"'\x0b1' is no number.", id="vertical tab"),
    pytest.param("word" * 20, f"'{('word' * 20)[:30]}…' is no number.", id="long word"),
    pytest.param("nan", "'nan' is not finite. A finite number is needed.", id="NaN"),
    pytest.param("inf", "'inf' is not finite. A finite number is needed.", id="infinity"),
    pytest.param("-inf", "'-inf' is not finite. A finite number is needed.", id="minus infinity"),
    pytest.param("1e999", "'1e999' is not finite. A finite number is needed.", id="too large"),
    pytest.param("1000", "pixel 1000" + OUT_OF_RANGE, id="far above"),
    pytest.param("-200", "pixel -200" + OUT_OF_RANGE, id="far below"),
]


@pytest.mark.parametrize("form", ["plain", "header", "gzip", "blank lines", "first line"])
@pytest.mark.parametrize(("cell", "words"), CELLS)
def test_a_bad_pixel_is_named(tmp_path: Path, cell: str, words: str, form: str) -> None:
    """Line, column, its name if it has one, the value and the rule, in whatever form of file."""
    line = 1 if form == "first line" else 4
    lines = with_cell(line, 3, cell)
    content, where = text(*lines), f"line {line}: column 3: "
    if form == "header":
        content, where = text(HEADER, *lines), "line 5: column 3 (pixel2): "
    elif form == "gzip":
        content = gzip.compress(content)
    elif form == "blank lines":
        content, where = text("", "", *lines[:2], "", *lines[2:]), "line 7: column 3: "
    expected = where + words
    if form == "first line" and "\0" in cell:
        expected = "no text in UTF-8. Expected is a CSV, plain or .gz, one image a line."
    assert refusal(tmp_path, content, {}, "digits.csv") == expected


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("10", "label 10. Allowed are 0 to 9; if 10 means 0, set `label_ten_is_zero`."),
        ("11", "label 11" + WHOLE_LABELS),
        ("-1", "label -1" + WHOLE_LABELS),
        ("2.5", "label 2.5" + WHOLE_LABELS),
        ("255", "label 255" + WHOLE_LABELS),
        ("three", "'three' is no number."),
        ("", "the cell is empty. A number is needed."),
        ("nan", "'nan' is not finite. A finite number is needed."),
    ],
)
def test_a_bad_label_is_named(tmp_path: Path, label: str, words: str) -> None:
    """Labels are whole numbers from 0 to 9; 10 gets the advice that is most likely right."""
    content = text(*with_cell(7, 17, label))
    assert refusal(tmp_path, content, {}, "digits.csv") == f"line 7: column 17: {words}"


def test_label_eleven_is_refused_where_ten_is_zero(tmp_path: Path) -> None:
    """The setting lets in 10 and nothing more."""
    message = refusal(
        tmp_path, text(*with_cell(7, 17, "11")), {"label_ten_is_zero": True}, "digits.csv"
    )
    assert message.startswith("line 7: column 17: label 11. Allowed are 0 to 9, and 10 for 0;")


WHOLE_FILES = [
    pytest.param(
        b"", {}, "empty. Expected is one image a line: its pixels and its label.", id="empty"
    ),
    pytest.param(
        b"\n\r\n  \n",
        {},
        "nothing but blank lines. Expected is one image a line.",
        id="blank lines only",
    ),
    pytest.param(
        gzip.compress(b""),
        {},
        "nothing but blank lines. Expected is one image a line.",
        id="gzip of nothing",
    ),
    pytest.param(
        text(HEADER),
        {},
        "line 1: a header and no image. Expected is one image a line.",
        id="header only",
    ),
    pytest.param(
        HEADER.encode(),
        {},
        "line 1: a header and no image. Expected is one image a line.",
        id="header only, no newline",
    ),
    pytest.param(
        bytes(range(256)) * 20,
        {},
        "no text in UTF-8. Expected is a CSV, plain or .gz, one image a line.",
        id="binary",
    ),
    pytest.param(
        "\n".join(LINES).encode("utf-16"),
        {},
        "no text in UTF-8. Expected is a CSV, plain or .gz, one image a line.",
        id="UTF-16",
    ),
    pytest.param(
        text(*with_cell(3, 2, "x")).replace(b"x", b"\xe9"),
        {},
        "line 3: column 2: '\ufffd' is no number.",
        id="Latin-1 further on",
    ),
    pytest.param(
        text(*[line.replace(",", ";") for line in LINES]),
        {},
        "line 1: one column only, but there are semicolons; columns must be separated by commas. "
        "Expected are an image's pixels and its label, separated by commas.",
        id="semicolons",
    ),
    pytest.param(
        text(*[line.replace(",", "\t") for line in LINES]),
        {},
        "line 1: one column only, but there are tabs; columns must be separated by commas. "
        "Expected are an image's pixels and its label, separated by commas.",
        id="tabs",
    ),
    pytest.param(
        text("5", "6"),
        {},
        "line 1: one column only. Expected are an image's pixels and its label, separated by "
        "commas.",
        id="one column",
    ),
    pytest.param(
        "\r".join(LINES).encode(),
        {},
        "line 1: has a carriage return inside. Lines must end in a line feed, with or without a "
        "carriage return before it.",
        id="bare carriage returns",
    ),
    pytest.param(
        text(*[f"7,{line}" for line in LINES]),
        {},
        "line 1: 18 columns are 17 pixels and a label, and 17 " + NOT_SQUARE + "An index column, "
        "if there is one, must go.",
        id="index column",
    ),
    pytest.param(
        text(*[line.rsplit(",", 1)[0] for line in LINES]),
        {},
        "line 1: 16 columns are 15 pixels and a label, and 15 " + NOT_SQUARE + "16 would be 4 × 4 "
        "pixels without a label: add a column of labels.",
        id="no labels",
    ),
    pytest.param(
        text(*[line + "," for line in LINES]),
        {},
        "line 1: 18 columns are 17 pixels and a label, and 17 " + NOT_SQUARE + "The line ends in "
        "a comma, which makes an empty column: take it away.",
        id="comma at the end",
    ),
    pytest.param(
        text(*LINES[:5], LINES[5] + ",3", *LINES[6:]),
        {},
        "line 6: 18 columns, but line 1 has 17. Every line must have as many.",
        id="a cell too many",
    ),
    pytest.param(
        text("", *LINES[:5], LINES[5].rsplit(",", 1)[0], *LINES[6:]),
        {},
        "line 7: 16 columns, but line 2 has 17. Every line must have as many.",
        id="a cell too few",
    ),
    pytest.param(
        text(*LINES, "  "),
        {},
        "line 21: 1 column, but line 1 has 17. Every line must have as many.",
        id="a line of spaces",
    ),
    pytest.param(
        text(*LINES)[:-3],
        {},
        "line 20: 16 columns, but line 1 has 17. Every line must have as many.",
        id="cut off",
    ),
    pytest.param(
        text(HEADER, *LINES, HEADER),
        {},
        "line 22: column 1 (pixel0): 'pixel0' is no number.",
        id="two files in one",
    ),
    pytest.param(
        text(*with_cell(4, 3, '"12')),
        {},
        "line 4: a quoted cell goes on in the next line. Close the quote on its own line.",
        id="quote left open",
    ),
    pytest.param(
        text(*with_cell(1, 3, '"12')),
        {},
        "line 1: unexpected end of data. Is a quote left open?",
        id="quote left open in line 1",
    ),
    pytest.param(
        text(*with_cell(4, 3, "1" * 140_000)),
        {},
        "line 4: field larger than field limit (131072). Is a quote left open?",
        id="endless cell",
    ),
    pytest.param(
        text(HEADER.replace("pixel7", "pixel6"), *LINES),
        {},
        "line 1: the header names column 'pixel6' twice. Give each its own name.",
        id="duplicate header",
    ),
    pytest.param(
        text("", HEADER.replace("pixel7", " pixel6 "), *LINES),
        {},
        "line 2: the header names column 'pixel6' twice. Give each its own name.",
        id="duplicate header but for spaces",
    ),
    pytest.param(
        text(HEADER, *LINES),
        {"label_column": "digit"},
        "line 1: no column is called 'digit'; the header has pixel0, pixel1, …, label. Set "
        "`label_column` to last, first, or a name in the header.",
        id="unknown name",
    ),
    pytest.param(
        text(*LINES),
        {"label_column": "digit"},
        "line 1: no column is called 'digit'; the file has no header. Set `label_column` to last, "
        "first, or a name in the header.",
        id="name without a header",
    ),
    pytest.param(
        text(",".join(["label", *NAMES]), *LABEL_FIRST),
        {},
        "line 1: the header calls column 1 'label', but `label_column` last is column 17 "
        "(pixel15). Set `label_column` to first.",
        id="header says first",
    ),
    pytest.param(
        text(",".join([*NAMES, "Class"]), *LINES),
        {"label_column": "first"},
        "line 1: the header calls column 17 'Class', but `label_column` first is column 1 "
        "(pixel0). Set `label_column` to Class.",
        id="header says last",
    ),
    pytest.param(
        text(*["0.5,0,1,0.25," * 4 + str(number % 10) for number in range(20)]),
        {},
        "no pixel is above 1, but full ink is 255. If the pixels are scaled to 0 … 1, set "
        "`pixel_max` to 1.",
        id="scaled to 1",
    ),
    pytest.param(
        text(*LINES),
        {"pixel_max": 1},
        f"line 1: column 1: pixel {PIXELS[0, 0]} is far outside 0 … 1. Set `pixel_max` to "
        "the value of full ink, or `label_column` if this is a label.",
        id="bytes said to be scaled to 1",
    ),
    pytest.param(
        text(*[line for line in LINES if line[-1] not in "37"]),
        {},
        "no image is labelled 3, 7; each label of 0 to 9 needs at least one. If there are other "
        "labels, name them in `classes`; if they are in another column, set `label_column`; if 10 "
        "means 0, set `label_ten_is_zero`.",
        id="classes missing",
    ),
    pytest.param(
        gzip.compress(text(*LINES))[:-12],
        {},
        "the gzip is cut off or damaged (Compressed file ended before the end-of-stream marker was "
        "reached). Fetch it again.",
        id="gzip cut off",
    ),
    pytest.param(
        b"\x1f\x8bno gzip at all",
        {},
        "the gzip is cut off or damaged (Unknown compression method). Fetch it again.",
        id="gzip damaged",
    ),
]


@pytest.mark.parametrize(("content", "settings", "message"), WHOLE_FILES)
def test_a_bad_file_is_explained(
    tmp_path: Path, content: bytes, settings: dict[str, object], message: str
) -> None:
    """Each fault has a message of its own, one line long, and nothing is written."""
    assert refusal(tmp_path, content, settings, "digits.csv") == message


def test_a_name_that_promises_gzip_is_held_to_it(tmp_path: Path) -> None:
    """A plain file called .gz was most likely unpacked by a browser; better to say so."""
    assert refusal(tmp_path, text(*LINES), {}, "digits.csv.gz") == (
        "named .gz but no gzip. Rename it or compress it with gzip."
    )


def test_a_gzip_cut_off_after_many_blocks(tmp_path: Path) -> None:
    """A fault found late, when much has been read and written already, leaves nothing either."""
    noise = np.random.default_rng(0).integers(0, 256, (40_000, 16))
    lines = [",".join(map(str, [*row, number % 10])) for number, row in enumerate(noise)]
    content = gzip.compress(text(*lines), compresslevel=1)
    assert len(text(*lines)) > 2 << 20  # more than two blocks
    message = refusal(tmp_path, content[:-100], {}, "digits.csv.gz")
    assert message.startswith("the gzip is cut off or damaged")


def test_a_fault_after_many_blocks(tmp_path: Path) -> None:
    """Line numbers count from the beginning of the file, not of a block."""
    content = text(*LINES * 2000, *with_cell(4, 3, "abc"))
    assert len(content) > 2 << 20  # more than two blocks
    expected = "line 40004: column 3: 'abc' is no number."
    assert refusal(tmp_path, content, {}, "digits.csv") == expected


def test_the_first_fault_is_named(tmp_path: Path) -> None:
    """Of several faults, the one that comes first in the file is named."""
    first, second = with_cell(4, 3, "abc"), with_cell(9, 17, "12")
    content = text(*first[:8], *second[8:])
    expected = "line 4: column 3: 'abc' is no number."
    assert refusal(tmp_path, content, {}, "digits.csv") == expected


def test_a_file_that_was_there_before_stays(tmp_path: Path) -> None:
    """A refused CSV leaves an older Parquet file as it was."""
    (tmp_path / "bad.csv").write_bytes(text(*with_cell(4, 3, "abc")))
    (tmp_path / "digits.parquet").write_bytes(b"old")
    with pytest.raises(DataError):
        csv_to_parquet(tmp_path / "bad.csv", tmp_path / "digits.parquet", CsvFormat())
    assert (tmp_path / "digits.parquet").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.csv", "no such file. Name an existing CSV file, plain or .gz."),
        ("", "is a folder. Name one CSV file, plain or .gz."),
        ("pipe", "is no regular file. Name one CSV file, plain or .gz."),
    ],
    ids=["missing", "folder", "pipe"],
)
def test_what_is_no_file_is_explained(tmp_path: Path, name: str, words: str) -> None:
    """What is no file is a data error like others, for training and predicting; none is awaited."""
    os.mkfifo(tmp_path / "pipe")
    csv = tmp_path / name
    with pytest.raises(DataError) as training:
        csv_to_parquet(csv, tmp_path / "out" / "digits.parquet", CsvFormat())
    with pytest.raises(DataError) as predicting:
        list(read_images(csv, CsvFormat(), 4))
    assert str(training.value) == str(predicting.value) == f"{csv}: {words}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text(*LINES[:2], LINES[2] + ",1"), "line 3: 18 columns, but line 1 has 17."),
        (text(*with_cell(4, 3, "abc")), "line 4: column 3: 'abc' is no number."),
        (text(*with_cell(4, 17, "10")), "line 4: column 17: label 10. Allowed are 0 to 9;"),
        (text("0," * 15 + "1"), "no pixel is above 1, but full ink is 255."),
    ],
    ids=["columns", "word", "label", "scaled"],
)
def test_images_to_predict_are_checked_alike(tmp_path: Path, content: bytes, message: str) -> None:
    """A network is not shown what it could not have learnt from."""
    csv = tmp_path / "digits.csv"
    csv.write_bytes(content)
    with pytest.raises(DataError) as error:
        list(read_images(csv, CsvFormat(), 4))
    assert str(error.value).startswith(f"{csv}: {message}")


@pytest.mark.parametrize("pixel", ["12", "0.5"], ids=["bytes", "floats"])
@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
def test_bytes_other_than_those_of_the_digest_are_refused(
    tmp_path: Path, pixel: str, compress: bool
) -> None:
    """What is written comes from the bytes whose digest the stage's key has, or nothing is."""
    csv, output = tmp_path / "digits.csv", tmp_path / "out"
    output.mkdir()
    content = text(*with_cell(4, 3, pixel))
    csv.write_bytes(gzip.compress(content, mtime=0) if compress else content)
    digest = hashlib.sha256(csv.read_bytes()).hexdigest()
    csv_to_parquet(csv, output / "digits.parquet", CsvFormat(), digest)
    (output / "digits.parquet").unlink()
    content = text(*with_cell(4, 3, pixel), LINES[0])
    csv.write_bytes(gzip.compress(content, mtime=0) if compress else content)
    with pytest.raises(DataError, match="changed while it was read"):
        csv_to_parquet(csv, output / "digits.parquet", CsvFormat(), digest)
    assert list(output.iterdir()) == []
