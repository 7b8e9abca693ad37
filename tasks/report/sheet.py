"""A sheet of paper laid out in whole pixels, so that a digit's own pixels stay sharp squares."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tasks.report.figure_style import HAIRLINE, INK, ORANGE

_DPI = 100
PITCH = 132  # pixels from one picture to the next
_MARGIN = 12
_TILE = 112  # the widest a picture is drawn, in pixels: 4 times 28; 5 times 20 fits in


def sheet(width: int, height: int) -> tuple[Figure, Axes]:
    """Return a blank sheet whose coordinates are pixels, (0, 0) at the top left in its margin."""
    size = ((width + 2 * _MARGIN) / _DPI, (height + 2 * _MARGIN) / _DPI)
    figure = Figure(figsize=size, dpi=_DPI)
    ax = figure.add_axes((0, 0, 1, 1), autoscale_on=False)
    ax.set(xlim=(-_MARGIN, width + _MARGIN), ylim=(height + _MARGIN, -_MARGIN))
    ax.set_axis_off()
    return figure, ax


def grid(count: int, *, columns: int, width: int, height: int) -> list[tuple[int, int]]:
    """Return the top left corner, (x, y) in pixels, of each of a number of cells, row by row."""
    return [(place % columns * width, place // columns * height) for place in range(count)]


def draw(
    ax: Axes,
    corner: tuple[int, int],
    image: np.ndarray,
    *,
    cmap: Colormap,
    limits: tuple[float, float],
    framed: bool = False,
    times: int = 1,
) -> None:
    """Draw an image in the middle of a square cell, in a thin or a heavy frame.

    Args:
        ax: the sheet's.
        corner: (left, top) of the cell.
        image: (side, side).
        cmap: its colours.
        limits: the values that have the first and the last of them.
        framed: whether the frame is heavy.
        times: how many times `PITCH` pixels the cell is wide.
    """
    side, widest = len(image), times * _TILE
    size = side * (widest // side) if side <= widest else widest  # whole pixels for each of its own
    left, top = (edge + (times * PITCH - size) // 2 for edge in corner)
    ax.imshow(
        image,
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        extent=(left, left + size, top + size, top),
        aspect="auto",
        interpolation="nearest" if side <= widest else "antialiased",
    )
    color, linewidth = (ORANGE, 4) if framed else (HAIRLINE, 1)
    frame = Rectangle((left - 3, top - 3), size + 6, size + 6)
    frame.set(fill=False, color=color, linewidth=linewidth)
    ax.add_patch(frame)


def write(
    ax: Axes,
    place: tuple[float, float],
    text: str,
    pixels: int,
    *,
    color: str = INK,
    weight: str = "normal",
    align: str = "left",
) -> None:
    """Write one line in type of a size given in pixels; its place is x and the baseline."""
    points = pixels * 72 / _DPI
    ax.text(*place, text, fontsize=points, color=color, fontweight=weight, ha=align)
