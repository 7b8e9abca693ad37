"""`python -m benchmarks.photographs RUN`: how many photographed digits a run recognises.

The digits of the run's test split, which it never saw, are enlarged 3 to 12 times, turned a little,
inked on grainy paper under a slanting light, and saved as JPEG of quality 60 or as PNG; every other
picture is light on dark. Each digit is photographed once alone and once in a row of ten. A row in
which not exactly ten digits are found counts as ten mistakes.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from tasks.digits.table import Digits, read_digits
from tasks.photographs.read_photograph import read_photograph
from tasks.runs.find_run import find_run
from tasks.runs.folders import read_json
from tasks.runs.model import SavedModel, load_model

TURN = 8.0  # degrees, either way
ROW = 10


def photograph(images: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Return a picture of digits in a row, (height, width) uint8, dark on light.

    Args:
        images: (side, side) each, 0 paper … 1 ink.
        rng: decides size, turns, gaps, margins, ink, paper and light.
    """
    scale = rng.uniform(3, 12)
    big = [enlarged(image, scale, rng.uniform(-TURN, TURN)) for image in images]
    digit_side = len(images[0]) * scale
    gaps = [int(digit_side * rng.uniform(0.1, 0.5)) for _ in big]
    margins = (digit_side * rng.uniform(0.2, 1.0, 4)).astype(int)  # left, top, right, bottom
    drops = [int(digit_side * rng.uniform(0, 0.15)) for _ in big]
    height = max(drop + len(ink) for drop, ink in zip(drops, big, strict=True))
    ink = np.zeros((margins[1] + height + margins[3], margins[0] + margins[2]))
    ink = np.pad(ink, ((0, 0), (0, sum(gaps) + sum(each.shape[1] for each in big))))
    left = margins[0]
    for each, gap, drop in zip(big, gaps, drops, strict=True):
        top = margins[1] + drop
        place = ink[top : top + len(each), left : left + each.shape[1]]
        np.maximum(place, each, out=place)
        left += each.shape[1] + gap
    return on_paper(ink, rng)


def enlarged(image: np.ndarray, scale: float, degrees: float) -> np.ndarray:
    """Return a digit enlarged and turned, cut to the box of its ink."""
    side = round(len(image) * scale)
    picture = Image.fromarray(np.float32(image)).resize((side, side), Image.Resampling.BICUBIC)
    turned = np.asarray(picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True))
    rows, columns = (np.flatnonzero((turned > 0.05).any(axis=axis)) for axis in (1, 0))
    return turned[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].clip(0, 1)


def on_paper(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return ink, 0 … 1, as it looks on grainy paper under a light from one side."""
    height, width = ink.shape
    grain = rng.normal(0, 4, ink.shape) + 40 * ndimage.gaussian_filter(
        rng.normal(0, 1, ink.shape), 4
    )
    down, across = np.mgrid[0 : 1 : complex(height), 0 : 1 : complex(width)]
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * (down - 0.5) + np.sin(angle) * (across - 0.5)
    light = 0.85 + rng.uniform(0.1, 0.3) * slope  # darkest about 0.65
    paper, pen = rng.uniform(200, 245), rng.uniform(20, 90)
    shade = (paper + (pen - paper) * ink + grain) * light
    return shade.clip(0, 255).astype(np.uint8)


def save(shade: np.ndarray, folder: Path, number: int) -> Path:
    """Save the picture of a number in one of four ways: JPEG or PNG, dark on light or not."""
    picture = Image.fromarray(shade if number % 2 else 255 - shade)
    path = folder / f"{number}.{'jpg' if number // 2 % 2 else 'png'}"
    picture.save(path, quality=60)
    return path


def right_of(
    digits: Digits, model: SavedModel, in_a_picture: int, folder: Path, rng: np.random.Generator
) -> np.ndarray:
    """Return for each digit whether it was recognised, so many of them in a picture, (rows,)."""
    right = np.zeros(len(digits.labels), bool)
    images = digits.pixels.reshape(-1, digits.image_side, digits.image_side) / digits.pixel_max
    for start in range(0, len(images), in_a_picture):
        rows = slice(start, start + in_a_picture)
        path = save(photograph(images[rows], rng), folder, start // in_a_picture)
        read = read_photograph(path, model).probabilities.argmax(axis=1)
        if len(read) == len(digits.labels[rows]):
            right[rows] = read == digits.labels[rows]
    return right


def unseen_digits(artifacts: Path, run: Path) -> Digits:
    """Return the test split of a run, which its network never saw."""
    outputs = read_json(run / "manifest.json")["stages"]["shuffle_split"]["outputs"]
    (name,) = (name for name in outputs if name.startswith("test-"))
    return read_digits(artifacts / "store" / name)


def main() -> None:
    """Measure a run and print a line of Markdown table for single digits and one for rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photographs", description=__doc__)
    parser.add_argument("run", help="a run's name or its beginning, latest or champion")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    run = find_run(arguments.artifacts, arguments.run)
    digits, model = unseen_digits(arguments.artifacts, run), load_model(run)
    print("| photographed | digits | recognised |\n|---|---|---|")
    for words, in_a_picture in (("one by one", 1), ("in rows of ten", ROW)):
        rng = np.random.default_rng([arguments.seed, in_a_picture])
        with tempfile.TemporaryDirectory() as folder:
            right = right_of(digits, model, in_a_picture, Path(folder), rng)
        print(f"| {words} | {len(right):,} | {right.mean():.1%} |", flush=True)


if __name__ == "__main__":
    main()
