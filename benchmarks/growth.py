"""`python -m benchmarks.growth`: how the time of an epoch grows with rows, widths and depth.

Full-batch epochs of our network and the bare matrix products of the same shapes, drawn side by side
in growth.svg.
"""

from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks import matrix_products, ours
from benchmarks.side_by_side import measure
from benchmarks.workloads import OUTPUTS, Training

PICTURE = Path(__file__).parent / "growth.svg"
INPUTS = 400
EPOCHS = 10
ROUNDS = 5


def work(rows: int = 4000, width: int = 100, depth: int = 1) -> Training:
    """Return full-batch training of `depth` hidden layers of `width` neurons."""
    sizes = (INPUTS, *[width] * depth, OUTPUTS)
    return Training(rows, sizes, EPOCHS, None, learning_rate=0.1, l2=1.0)


GROWTHS = {
    "training images": {rows: work(rows=rows) for rows in (1000, 4000, 15_000, 60_000)},
    "neurons of the hidden layer": {width: work(width=width) for width in (25, 50, 100, 200, 400)},
    "hidden layers of 100": {depth: work(depth=depth) for depth in (1, 2, 3, 4, 5)},
}


def main() -> None:
    """Measure, print, and draw."""
    figure = Figure(figsize=(12, 4), layout="constrained")
    for axes, (label, growth) in zip(figure.subplots(1, 3), GROWTHS.items(), strict=True):
        lines: dict[str, list[float]] = {"ours": [], "bare matrix products": []}
        for number, training in growth.items():
            measured = measure(
                {
                    "ours": partial(ours.train, training),
                    "bare matrix products": partial(matrix_products.train, training),
                },
                ROUNDS,
            )
            for name, times in measured.items():
                lines[name].append(1000 * times.median / EPOCHS)
            print(label, number, *(f"{name} {line[-1]:.2f} ms" for name, line in lines.items()))
        for name, line in lines.items():
            axes.plot(list(growth), line, marker="o", label=name)
        axes.set(xlabel=label, ylabel="milliseconds an epoch", ylim=(0, None))
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, metadata={"Date": None})
    print(f"written to {PICTURE}")


if __name__ == "__main__":
    main()
