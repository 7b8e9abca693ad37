"""Photographs of digits: opened safely, digits found in order, cut as the training images are."""

import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples.digits import PROJECT
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from benchmarks.photographs import enlarged, on_paper, right_of
from flows.recipes import RECIPES
from tasks.digits.table import Digits
from tasks.errors import InputError
from tasks.photographs.find_digits import find_digits
from tasks.photographs.frames import without_frames
from tasks.photographs.ink import ink_of
from tasks.photographs.open_photograph import open_photograph
from tasks.photographs.read_photograph import read_photograph
from tasks.photographs.strokes import strokes_in
from tasks.photographs.training_image import training_image
from tasks.runs.model import SavedModel
from tasks.training.ensemble import member_rng
from tasks.training.fit import fit

CSV = PROJECT / "data" / "digits.csv"


@pytest.fixture(scope="module")
def shipped() -> tuple[np.ndarray, np.ndarray]:
    """Return the shipped digits shuffled: (5000, 20, 20) with 1 for full ink, and labels."""
    table = pd.read_csv(CSV, header=None).to_numpy()
    table = table[np.random.default_rng(0).permutation(len(table))]
    return (table[:, :-1] / np.float32(255)).reshape(-1, 20, 20), table[:, -1]


@pytest.fixture(scope="module")
def model(shipped: tuple[np.ndarray, np.ndarray]) -> SavedModel:
    """Return a network trained on the first 4,000 digits for a few seconds."""
    images, labels = shipped
    train = Digits(images[:4000].reshape(-1, 400), labels[:4000].astype(np.int8), 20, 1)
    fast = {"convolutions": (), "hidden_layers": (500, 150), "epochs": 10}
    training = RECIPES["accurate"].model_copy(update=fast)
    weights, _ = fit(train, training, member_rng(0), lambda epoch, cost: None)
    return SavedModel("quick", weights, "relu", 20, 255, tuple(range(10)))


def drawn(ink: np.ndarray) -> np.ndarray:
    """Return ink, 0 … 1, as dark on light, (height, width) uint8, with a rim of paper around it."""
    return (230 - 190 * np.pad(ink, 20)).astype(np.uint8)


def in_place(parts: list[tuple[int, int, np.ndarray]], height: int, width: int) -> np.ndarray:
    """Return ink (height, width) with pieces at (top, left)."""
    ink = np.zeros((height, width), np.float32)
    for top, left, part in parts:
        place = ink[top : top + part.shape[0], left : left + part.shape[1]]
        np.maximum(place, part, out=place)
    return ink


def saved(folder: Path, shade: np.ndarray, name: str = "photo.png") -> Path:
    """Save a grey picture."""
    Image.fromarray(shade).save(folder / name, quality=60)
    return folder / name


@pytest.mark.parametrize(
    ("in_a_picture", "many"), [(1, 60), (10, 100)], ids=["single", "rows of ten"]
)
def test_photographed_handwriting_is_recognised(
    shipped: tuple[np.ndarray, np.ndarray],
    model: SavedModel,
    tmp_path: Path,
    in_a_picture: int,
    many: int,
) -> None:
    """Unseen digits, enlarged and turned on grainy paper in JPEG and PNG, are read as well.

    The bound is lower than the accuracy in the docs, of a network that was trained to the end.
    """
    images, labels = shipped
    some = slice(4000, 4000 + many)
    unseen = Digits(images[some].reshape(-1, 400), labels[some].astype(np.int8), 20, 1)
    rng = np.random.default_rng(in_a_picture)
    assert right_of(unseen, model, in_a_picture, tmp_path, rng).mean() >= 0.9


@pytest.mark.parametrize("scale", [3, 6, 12])
def test_a_photographed_digit_comes_back_as_it_was(
    shipped: tuple[np.ndarray, np.ndarray], scale: int
) -> None:
    """Enlarged, drawn and cut out again, an image is nearly what it was, whatever the size."""
    off = []
    for image in shipped[0][:40]:
        ink = ink_of(drawn(enlarged(image, scale, 0)))
        digits, labels = find_digits(ink)
        assert len(digits) == 1
        off.append(np.abs(training_image(digits[0], ink, labels, 20) - image).mean())
    assert np.mean(off) < 0.05
    assert max(off) < 0.2


def test_the_image_is_filled_in_one_direction_and_centred_in_the_other(
    shipped: tuple[np.ndarray, np.ndarray],
) -> None:
    """A one touches top and bottom and stands in the middle; full ink is 1 and paper 0."""
    bar = np.ones((100, 10), np.float32)
    ink = ink_of(drawn(bar))
    digits, labels = find_digits(ink)
    image = training_image(digits[0], ink, labels, 20)
    assert image.shape == (20, 20)
    assert (image[:, 9:11] > 0.8).all()
    assert image[:, :8].max() < 0.05
    assert image[:, 12:].max() < 0.05
    assert image.min() == 0
    assert image.max() > 0.9


def test_mnist_images_are_placed_by_centre_of_mass() -> None:
    """For a network of 28 × 28 the ink fits 20 × 20 and its mass is in the middle."""
    shape = np.zeros((100, 80), np.float32)
    shape[:, :20] = shape[80:, :] = 1  # heavy at the lower left
    ink = ink_of(drawn(shape))
    digits, labels = find_digits(ink)
    image = training_image(digits[0], ink, labels, 28)
    rows, columns = np.mgrid[0:28, 0:28] + 0.5
    assert (image * rows).sum() / image.sum() == pytest.approx(14, abs=0.2)
    assert (image * columns).sum() / image.sum() == pytest.approx(14, abs=0.2)
    high = (image > 0.5).any(axis=1).sum()
    assert 19 <= high <= 21


@pytest.mark.parametrize("climb", [0, 25, -25], ids=["level", "sinking", "climbing"])
def test_reading_order_is_row_by_row(climb: int) -> None:
    """Rows go from top to bottom, each from left to right, even where they slope."""
    bar, box = np.ones((60, 8), np.float32), np.ones((60, 40), np.float32)
    box[8:-8, 8:-8] = 0
    shapes = [[bar, box, bar, bar, box], [box, box, bar], [bar, bar, bar, box]]
    parts = [
        (100 + 110 * row + climb * place, 60 + 70 * place, shape)
        for row, shapes_of_row in enumerate(shapes)
        for place, shape in enumerate(shapes_of_row)
    ]
    digits, _ = find_digits(ink_of(drawn(in_place(parts, 520, 460))))
    widths = [digit.width for digit in digits]
    expected = [shape.shape[1] for shapes_of_row in shapes for shape in shapes_of_row]
    assert widths == pytest.approx(expected, abs=3)


def test_parts_of_a_digit_belong_together_and_neighbours_do_not() -> None:
    """The bar of a 5 and a broken one are joined; two ones side by side stay two."""
    bar = np.ones((80, 8), np.float32)
    parts = [
        (20, 20, bar),
        (20, 40, bar),
        (20, 100, np.ones((38, 8), np.float32)),  # a one broken in two
        (64, 100, np.ones((36, 8), np.float32)),
        (34, 160, np.ones((66, 40), np.float32)),  # the body of a 5 and its bar
        (20, 170, np.ones((8, 40), np.float32)),
    ]
    digits, _ = find_digits(ink_of(drawn(in_place(parts, 120, 240))))
    assert [(digit.height, digit.width) for digit in digits] == [
        (pytest.approx(80, abs=3), pytest.approx(width, abs=3)) for width in (8, 8, 8, 50)
    ]


def test_specks_and_frames_and_ruled_lines_are_no_digits(
    shipped: tuple[np.ndarray, np.ndarray],
) -> None:
    """Dust, a frame around the page and the lines digits stand on are left out."""
    big = [enlarged(image, 4, 0) for image in shipped[0][:5]]
    parts = [(40, 40 + 110 * place, digit) for place, digit in enumerate(big)]
    alone = in_place(parts, 180, 600)
    plain, _ = find_digits(ink_of(drawn(alone)))
    assert len(plain) == 5
    disturbed = alone.copy()
    disturbed[[10, 11, 12, -12, -11, -10], 10:-10] = 1
    disturbed[10:-10, [10, 11, 12, -12, -11, -10]] = 1
    disturbed[116:119, 30:560] = 1  # cuts the feet of the digits
    disturbed[150:154, 300:304] = 1
    found, _ = find_digits(ink_of(drawn(disturbed)))
    assert [digit.left for digit in found] == pytest.approx([d.left for d in plain], abs=4)


def test_inverted_is_read_as_not_inverted(
    shipped: tuple[np.ndarray, np.ndarray], model: SavedModel, tmp_path: Path
) -> None:
    """Light on dark is the same picture inverted: the same boxes and images."""
    digits = [enlarged(image, 5, 0) for image in shipped[0][4000:4004]]
    ink = in_place([(30, 30 + 130 * n, digit) for n, digit in enumerate(digits)], 160, 560)
    shade = on_paper(ink, np.random.default_rng(2))
    dark = read_photograph(saved(tmp_path, shade, "dark.png"), model)
    light = read_photograph(saved(tmp_path, 255 - shade, "light.png"), model)
    assert [digit.box for digit in dark.digits] == [digit.box for digit in light.digits]
    assert np.allclose(dark.images, light.images, atol=1e-3)


def test_shadow_is_no_ink(
    shipped: tuple[np.ndarray, np.ndarray], model: SavedModel, tmp_path: Path
) -> None:
    """A hand's soft shadow on half of the page: the digits are found there and in the light."""
    digits = [enlarged(image, 4, 0) for image in shipped[0][4000:4006]]
    ink = in_place([(40, 40 + 120 * n, digit) for n, digit in enumerate(digits)], 160, 760)
    shade = drawn(ink).astype(np.float32)
    shade *= np.interp(np.arange(shade.shape[1]), [250, 550], [1, 0.4])
    read = read_photograph(saved(tmp_path, shade.astype(np.uint8)), model)
    assert list(read.probabilities.argmax(axis=1)) == list(shipped[1][4000:4006])


def test_pictures_of_any_size_are_read(
    shipped: tuple[np.ndarray, np.ndarray], model: SavedModel, tmp_path: Path
) -> None:
    """A bare 20 × 20 image without a rim and a digit 1,000 pixels high are both read."""
    for number in range(4000, 4005):
        image, label = shipped[0][number], shipped[1][number]
        tiny = saved(tmp_path, (255 * image).astype(np.uint8), "tiny.png")
        huge = saved(tmp_path, drawn(enlarged(image, 50, 0)), "huge.png")
        for path in (tiny, huge):
            assert read_photograph(path, model).probabilities.argmax(axis=1) == [label]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_formats_are_recognised_by_content(tmp_path: Path, format: str) -> None:
    """Each format is opened, whatever the file is called."""
    shade = np.full((30, 40), 200, np.uint8)
    shade[10:20, 10:30] = 20
    path = tmp_path / "picture.data"
    Image.fromarray(shade).save(path, format=format)
    assert np.abs(open_photograph(path).astype(int) - shade).mean() < 4


GREY = np.linspace(0, 255, 20 * 30).reshape(20, 30)


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(GREY.astype(np.uint8)),
        Image.fromarray((GREY * 257).astype(np.uint16)),
        Image.fromarray(GREY.astype(np.int32)),
        Image.fromarray(GREY.astype(np.uint8)).convert("RGB"),
        Image.fromarray(GREY.astype(np.uint8)).convert("P"),
        Image.merge("LA", [Image.fromarray(GREY.astype(np.uint8)), Image.new("L", (30, 20), 255)]),
    ],
    ids=["8 bits", "16 bits", "32 bits", "colour", "palette", "opaque alpha"],
)
def test_every_kind_of_pixel_becomes_grey(tmp_path: Path, picture: Image.Image) -> None:
    """Depth, colour and palette do not matter."""
    picture.save(tmp_path / "picture.tiff")
    assert np.abs(open_photograph(tmp_path / "picture.tiff") - GREY).max() <= 1.5


@pytest.mark.parametrize("ink", [0, 255], ids=["dark", "light"])
def test_transparent_paper_is_unlike_the_ink(tmp_path: Path, ink: int) -> None:
    """Ink on nothing, as drawing programs save it, stays visible whether dark or light."""
    opacity = np.zeros((40, 40), np.uint8)
    opacity[5:35, 18:22] = 255
    shade = np.full((40, 40), ink, np.uint8)
    picture = Image.merge("LA", [Image.fromarray(shade), Image.fromarray(opacity)])
    picture.save(tmp_path / "drawn.png")
    opened = open_photograph(tmp_path / "drawn.png")
    assert opened[20, 20] == ink
    assert opened[0, 0] == 255 - ink


def test_exif_rotation_is_followed(tmp_path: Path) -> None:
    """A camera held sideways says so in the EXIF data; the digit is read upright."""
    upright = np.full((60, 90), 220, np.uint8)
    upright[10:50, 20:26] = 30
    sideways = Image.fromarray(np.rot90(upright))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    sideways.save(tmp_path / "held.png", exif=exif)
    assert (open_photograph(tmp_path / "held.png") == upright).all()


def test_of_several_pages_the_first_is_taken(tmp_path: Path) -> None:
    """A TIFF of two pages is read as its first."""
    first, second = (Image.new("L", (20, 10), shade) for shade in (40, 200))
    first.save(tmp_path / "pages.tiff", save_all=True, append_images=[second])
    assert (open_photograph(tmp_path / "pages.tiff") == 40).all()


def bomb(path: Path, width: int = 50_000, height: int = 50_000) -> None:
    """Write a small PNG that says it has many pixels."""
    Image.new("1", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = width.to_bytes(4) + height.to_bytes(4)
    path.write_bytes(_with_checksum(content))


def _with_checksum(content: bytearray) -> bytes:
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4)
    return bytes(content)


def truncated(path: Path) -> None:
    """Write half of a PNG."""
    noise = np.random.default_rng(0).integers(0, 255, (80, 80)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:3000])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (bomb, "in all. Cut the picture to its digits, or scale it down."),
        (truncated, "the picture is cut off or damaged"),
        (lambda path: path.write_text("7 and some words"), "no picture that can be read. Allowed"),
        (lambda path: path.write_bytes(b""), "no picture that can be read. Allowed"),
    ],
    ids=["bomb", "truncated", "text", "empty"],
)
def test_what_is_no_whole_picture_is_explained(
    tmp_path: Path, write: Callable[[Path], None], words: str
) -> None:
    """Bombs, cut-off files and text named .png end in one clear error, quickly."""
    path = tmp_path / "photo.png"
    write(path)
    with pytest.raises(InputError) as error:
        open_photograph(path)
    assert str(error.value).startswith(f"{path}: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("width", "height"), [(89_000_000, 1), (1, 20_001), (9_000, 9_000)], ids=["long", "high", "big"]
)
def test_large_pictures_are_refused_undecoded(tmp_path: Path, width: int, height: int) -> None:
    """The header is enough for an error with the size found, the sizes allowed, and what to do."""
    bomb(tmp_path / "photo.png", width, height)
    with pytest.raises(InputError) as error:
        open_photograph(tmp_path / "photo.png")
    assert str(error.value) == (
        f"{tmp_path / 'photo.png'}: {width:,} × {height:,} pixels. Allowed are 20,000 pixels along "
        "each side and 50,000,000 in all. Cut the picture to its digits, or scale it down."
    )


def test_a_jpeg_of_endless_scans_is_refused(tmp_path: Path) -> None:
    """Every scan of a progressive JPEG goes over all its pixels again, and takes a few bytes."""
    path = tmp_path / "photo.jpg"
    Image.new("L", (64, 64), 200).save(path, progressive=True)
    assert (np.abs(open_photograph(path).astype(int) - 200) < 3).all()
    content = path.read_bytes()
    last = content.rindex(b"\xff\xda")
    path.write_bytes(content[:last] + 100 * content[last:-2] + content[-2:])
    with pytest.raises(InputError, match=r"a JPEG of more than 100 scans\. Save it again"):
        open_photograph(path)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_damaged_pictures_give_a_picture_or_a_clear_error(tmp_path: Path, format: str) -> None:
    """Whatever bytes are harmed, nothing but an InputError comes of it."""
    rng = np.random.default_rng(7)
    shade = rng.integers(0, 255, (40, 50)).astype(np.uint8)
    path = tmp_path / "picture"
    Image.fromarray(shade).save(path, format=format)
    whole = path.read_bytes()
    for trial in range(150):
        harmed = bytearray(whole)
        where = rng.integers(0, min(len(harmed), 400 if trial % 2 else len(harmed)), 4)
        for place in where:
            harmed[place] = rng.integers(0, 256)
        path.write_bytes(bytes(harmed[: rng.integers(1, len(harmed))] if trial % 3 else harmed))
        with suppress(InputError):
            assert open_photograph(path).dtype == np.uint8


def blank(rng: np.random.Generator) -> np.ndarray:
    """Return an empty page under uneven light."""
    return on_paper(np.zeros((300, 400)), rng)


@pytest.mark.parametrize(
    "page",
    [
        blank(np.random.default_rng(4)),
        np.full((200, 300), 255, np.uint8),
        np.zeros((1, 1), np.uint8),
        np.random.default_rng(0).integers(0, 255, (200, 300)).astype(np.uint8),
    ],
    ids=["paper", "white", "one point", "noise"],
)
def test_a_page_without_digits_is_said_to_be_so(
    model: SavedModel, tmp_path: Path, page: np.ndarray
) -> None:
    """That nothing looks like a digit is said in one line."""
    path = saved(tmp_path, page)
    with pytest.raises(InputError, match="nothing on it looks like a digit"):
        read_photograph(path, model)


def dots() -> np.ndarray:
    """Return 30,625 dots."""
    shade = np.full((1400, 1400), 230, np.uint8)
    dotted = np.arange(1400) % 8 < 4
    shade[np.ix_(dotted, dotted)] = 20
    return shade


def bars() -> np.ndarray:
    """Return bars from top to bottom, so close that the squares around them overlap many times."""
    return np.tile(np.array([220, 220, 220, 220, 220, 20], np.uint8), (1400, 233))


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (dots(), r"30,625 separate marks, more than the 10,000 allowed\. Cut the picture to its"),
        (bars(), r"marks that run through each other\. Cut the picture to its"),
    ],
)
def test_a_crowded_page_is_refused(
    model: SavedModel, tmp_path: Path, page: np.ndarray, words: str
) -> None:
    """What would take minutes is no page of digits: what was found, what is allowed, what to do."""
    with pytest.raises(InputError, match=words):
        read_photograph(saved(tmp_path, page), model)


@pytest.mark.slow
def test_the_largest_pictures_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    """Of 49 million pixels, in colour, transparent, with 85,264 marks: memory stays bounded."""
    paper, ink = np.array([255, 255, 255, 255], np.uint8), np.array([20, 20, 20, 200], np.uint8)
    in_dots = np.arange(7000) % 24 < 12
    dotted = b"\0" + np.where(in_dots[:, None], ink, paper).tobytes()
    blank = b"\0" + paper.tobytes() * 7000
    rows = b"".join(dotted if in_dot else blank for in_dot in in_dots)
    path = tmp_path / "photo.png"
    Image.new("RGBA", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = (7000).to_bytes(4) * 2
    header = _with_checksum(content)[:33]
    path.write_bytes(header + _chunk(b"IDAT", zlib.compress(rows, 1)) + _chunk(b"IEND", b""))
    code = f"""
import resource
from pathlib import Path
from tasks.errors import InputError
from tasks.photographs.read_photograph import read_photograph
try:
    read_photograph(Path({str(path)!r}), None)
except InputError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    message, megabytes = done.stdout.splitlines()
    assert "85,264 separate marks" in message
    assert int(megabytes) < 1000


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.6), block=st.integers(1, 4))
def test_frames_are_what_holds_others_in_its_holes(seed: int, share: float, block: int) -> None:
    """One pass over the photograph finds what filling the holes of each piece in turn does."""
    rng = np.random.default_rng(seed)
    inked = np.kron(rng.random((16, 18)) < share, np.ones((block + 1, block + 1), bool))
    found, labels = strokes_in(np.where(inked, np.float32(0.9), np.float32(0)))
    expected = []
    for each in found:
        own = labels == each.labels[0]
        inside = ndimage.binary_fill_holes(own) & ~own & (labels > 0)
        hollow = each.area < 0.04 * each.height * each.width
        if not hollow and inside.sum() < 0.2 * each.area:
            expected.append(each)
    assert without_frames(found, labels) == expected
