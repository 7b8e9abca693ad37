"""How matplotlib's figures look and are saved: type, lines, bytes that depend on nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from tasks.cache.atomic import atomic_path
from tasks.report.figure_style import BLUE_STOPS, HAIRLINE, INK, MUTED, ORANGE_STOPS

BLUES = LinearSegmentedColormap.from_list("blues", BLUE_STOPS)
ORANGES = LinearSegmentedColormap.from_list("oranges", ORANGE_STOPS)
BLUE_TO_ORANGE = LinearSegmentedColormap.from_list(
    "blue_to_orange", ["#123f6b", *BLUE_STOPS[::-1], *ORANGE_STOPS[1:], "#7f2a08"], N=63
)

_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs on every machine
    "font.size": 11,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": HAIRLINE,
    "axes.labelcolor": MUTED,
    "axes.labelpad": 8,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": HAIRLINE,
    "xtick.color": HAIRLINE,
    "ytick.color": HAIRLINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "figure.facecolor": "white",
    "figure.dpi": 120,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.constrained_layout.h_pad": 0.12,
    "svg.fonttype": "path",  # an SVG shown as a picture can't count on the reader's fonts
    "svg.hashsalt": "digits",  # ids inside an SVG are random without it
}
_style_in_use = threading.Lock()  # matplotlib's settings belong to the whole process


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in the project's style; one thread at a time."""
    with _style_in_use, matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own matplotlibrc must not change a run's files
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type]  # wants every key spelt out
        yield


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure, as SVG or PNG by its file's name, whole or not at all.

    A PNG has a palette of 96 colours: it is a third as large, and the report holds it in its text.
    No date and no program version is written: equal figures give equal bytes.
    """
    with atomic_path(path) as temporary:
        if path.suffix == ".svg":
            figure.savefig(temporary, format="svg", metadata={"Date": None})
            return
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib has no types for it
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]  # nor for this
        picture = Image.fromarray(pixels).convert("RGB")
        picture.quantize(96, dither=Image.Dither.NONE).save(temporary, format="PNG", optimize=True)
