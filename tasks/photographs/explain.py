"""Figures that show how a photograph was read: boxes, labels, and what the network saw."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tasks.cache.atomic import atomic_path
from tasks.digits.predictions import UNSURE
from tasks.photographs.read_photograph import ReadPhotograph
from tasks.report.figure_style import BLUE, ORANGE

_LEGIBLE = 64  # pixels; smaller digits are enlarged to about this
_LARGEST = 16_000_000  # pixels; a photograph is not enlarged to more
_DRAWN = 1000  # digits; each is a file of its own
_SEEN = 160  # pixels; side of the figure of what the network saw


def explain(photograph: ReadPhotograph, folder: Path) -> None:
    """Write `photo.png`, with a box and a label around each digit, and `digit-1.png` and so on.

    A sure label is blue, with its confidence below it. An unsure one is orange: `?` and the two
    likeliest labels. The first 1,000 digits, numbered in reading order, are drawn as the network
    saw them.

    Args:
        photograph: the digits found and their probabilities.
        folder: where to write; made if it is missing.
    """
    with atomic_path(folder / "photo.png") as new:
        _with_boxes(photograph).save(new, format="PNG")
    for number, image in enumerate(photograph.images[:_DRAWN], start=1):
        side = len(image) * max(1, _SEEN // len(image))
        seen = Image.fromarray((255 - 255 * image).round().astype(np.uint8))
        with atomic_path(folder / f"digit-{number}.png") as new:
            seen.resize((side, side), Image.Resampling.NEAREST).save(new, format="PNG")


def label_and_confidence(probabilities: np.ndarray, classes: Sequence[int]) -> tuple[str, str]:
    """Return the words above a digit with these (classes,) probabilities, the larger ones first."""
    second, best = np.argsort(probabilities, kind="stable")[-2:]
    if probabilities[best] < UNSURE:
        return "?", f"{classes[best]} or {classes[second]}"
    return f"{classes[best]}", f"{math.floor(100 * probabilities[best])} %"


def _with_boxes(photograph: ReadPhotograph) -> Image.Image:
    usual = float(np.median([max(digit.height, digit.width) for digit in photograph.digits]))
    fits = int(math.sqrt(_LARGEST / photograph.shade.size))
    times = max(1, min(round(_LEGIBLE / usual), fits))
    size = round(max(16, 0.4 * usual * times))
    large, small = ImageFont.load_default(size), ImageFont.load_default(round(0.55 * size))
    above, around = 2 * size, size  # room for the words of a digit at the edge
    picture = Image.fromarray(photograph.shade).convert("RGB")
    picture = picture.resize((picture.width * times, picture.height * times))
    sheet = Image.new("RGB", (picture.width + 2 * around, picture.height + above + around), "white")
    sheet.paste(picture, (around, above))
    draw = ImageDraw.Draw(sheet)
    line = max(1, size // 12)
    for digit, probabilities in zip(photograph.digits, photograph.probabilities, strict=True):
        color = ORANGE if probabilities.max() < UNSURE else BLUE
        left, right = (around + times * edge for edge in (digit.left, digit.right))
        top, bottom = (above + times * edge for edge in (digit.top, digit.bottom))
        box = (left - 2 * line, top - 2 * line, right + 2 * line, bottom + 2 * line)
        draw.rectangle(box, outline=color, width=line)
        middle, foot = (left + right) / 2, box[1] - line
        label, confidence = label_and_confidence(probabilities, photograph.classes)
        for words, font, height in ((confidence, small, 0.0), (label, large, 0.6 * size)):
            place = (middle, foot - height)
            draw.text(place, words, color, font, "md", stroke_width=3, stroke_fill="white")
    return sheet
