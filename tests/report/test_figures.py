"""The figures of a run: what they show, for any data, in the same bytes every time."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from examples.digits import imagined_profile
from examples.runs import past_run
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from tasks.report import figure_style
from tasks.report.charts import confusion_chart, cost_chart
from tasks.report.contact_sheets import (
    mistakes_sheet,
    predictions_sheet,
    variants_sheet,
    weights_sheet,
)
from tasks.report.data_chart import data_chart
from tasks.report.figure_style import blue
from tasks.report.network_figures import Recognition, draw_network
from tasks.report.run_figures import draw_run
from tasks.report.scale import Scale

CHARTS = ("accuracy", "cost", "confusion", "data")
SHEETS = ("predictions", "mistakes", "variants", "weights")
NAMES = {f"{name}.png" for name in ("cost", "confusion", *SHEETS)}
NAMES |= {f"{name}.svg" for name in CHARTS}


def draw(folder: Path, **data: Any) -> None:
    """Draw all figures of a run."""
    of_run = {name: data.pop(name) for name in ("runs", "champion", "profile", "before")}
    of_test = {name: data.pop(name) for name in Recognition.__dataclass_fields__}
    draw_network(folder, test=Recognition(**of_test), **data)
    draw_run(folder, **of_run)


def run_data(
    *, rows: int = 60, side: int = 8, units: int = 12, epochs: int = 30, wrong: int = 7
) -> dict[str, Any]:
    """Return arguments of `draw` for an imagined run."""
    rng = np.random.default_rng(5)
    label = rng.integers(0, 10, rows)
    prediction = np.where(np.arange(rows) < wrong, (label + 1) % 10, label)
    matrix = np.zeros((10, 10), dtype=np.int64)
    np.add.at(matrix, (label, prediction), 1)
    return {
        "history": pd.DataFrame(
            {"epoch": np.arange(1, epochs + 1), "cost": 7 / np.arange(1, epochs + 1)}
        ),
        "confusion_matrix": matrix,
        "classes": range(10),
        "predictions": pd.DataFrame(
            {
                "row": np.arange(rows) + 1000,
                "label": label.astype(np.int8),
                "prediction": prediction.astype(np.int8),
                "confidence": rng.random(rows).astype(np.float32),
            }
        ),
        "images": rng.random((rows, side, side), dtype=np.float32),
        "first_layer": rng.normal(size=(units, 1 + side * side)).astype(np.float32),
        "runs": [past_run(place, 0.9 + place / 200) for place in range(11)],
        "champion": past_run(7).run,
        "profile": imagined_profile(rows, side),
        "before": imagined_profile(rows + 10, side, seed=6),
        "variants": rng.random((17, side, side), dtype=np.float32),
    }


def texts(figure: Figure) -> list[str]:
    """Return what is written on a sheet, in the order it was drawn."""
    return [text.get_text() for text in figure.axes[0].texts]


def check_files(folder: Path) -> None:
    """Assert that a folder holds all figures, each one whole, and nothing else."""
    assert NAMES - {"variants.png"} <= {path.name for path in folder.iterdir()} <= NAMES
    for path in folder.iterdir():
        if path.suffix == ".png":
            with Image.open(path) as picture:
                picture.load()
        else:
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


def history(**columns: Callable[[np.ndarray], np.ndarray]) -> dict[str, pd.DataFrame]:
    """Return a history whose columns are made from an ordinary cost."""
    table = run_data()["history"]
    cost = table["cost"].to_numpy()
    return {"history": table.assign(**{name: make(cost) for name, make in columns.items()})}


ODD_RUNS = {
    "one of everything": run_data(rows=1, side=1, units=1, epochs=1, wrong=0)
    | {"runs": [past_run(0, 0.0)], "champion": None, "before": None, "variants": None},
    "a champion with another size of image, all runs alike": run_data(rows=5, side=3)
    | {"runs": [past_run(place, 1.0) for place in range(3)], "before": imagined_profile(9, 8)},
    "nothing right, thousands of epochs": run_data(rows=1, wrong=1, epochs=5000),
    "no mistakes, no hidden layer, cost of zero": run_data(wrong=0, units=10)
    | history(cost=lambda cost: cost - cost.min()),
    "images wider than their place, cost over many decades": run_data(side=120, rows=3)
    | history(cost=lambda cost: cost**5),
    "wide layer, validation": run_data(side=28, units=300)
    | history(
        validation_cost=lambda cost: cost + 0.01, validation_accuracy=lambda cost: 1 - cost / 10
    ),
    "weights of zero, large counts, cost that stands still": run_data()
    | history(cost=np.ones_like)
    | {"first_layer": np.zeros((12, 65)), "confusion_matrix": np.full((10, 10), 12345)},
}


@pytest.mark.parametrize("data", ODD_RUNS.values(), ids=ODD_RUNS.keys())
def test_any_run_can_be_drawn(data: dict[str, Any], tmp_path: Path) -> None:
    """Every run leaves all its figures, whole, however odd its data."""
    draw(tmp_path, **data)
    check_files(tmp_path)


def test_same_run_same_bytes(tmp_path: Path) -> None:
    """The same data give the same bytes, in any thread, and whatever matplotlib is set to."""
    with ThreadPoolExecutor(2) as threads, matplotlib.rc_context({"font.size": 30}):
        for drawn in [threads.submit(draw, tmp_path / name, **run_data()) for name in ("a", "b")]:
            drawn.result()
        assert matplotlib.rcParams["font.size"] == 30
    draw(tmp_path / "c", **run_data())
    for name in NAMES:
        assert len({(tmp_path / folder / name).read_bytes() for folder in "abc"}) == 1


def test_figures_fit_in_the_report_for_prefect(tmp_path: Path) -> None:
    """The pictures of ordinary digits, as PNG, leave room for text in a 200 kB artifact."""
    draw(tmp_path, **run_data(rows=1000, side=28, units=300, wrong=50))
    # Noise does not compress, so real digits are smaller than these where images are drawn.
    charts_and_weights = [f"{name}.png" for name in ("cost", "confusion", "weights")]
    assert sum((tmp_path / name).stat().st_size for name in charts_and_weights) < 120_000


def test_predictions_show_label_of_wrong_ones() -> None:
    """Every digit has its predicted label; a wrong one also a cross, a frame and its true label."""
    data = run_data(rows=60, wrong=2)
    sheet = predictions_sheet(data["predictions"], data["images"])
    labels, predictions = data["predictions"]["label"], data["predictions"]["prediction"]
    assert texts(sheet)[:2] == [f"✗ {predictions[i]}  true {labels[i]}" for i in (0, 1)]
    assert texts(sheet)[2:] == [str(prediction) for prediction in predictions[2:50]]
    widths = [patch.get_linewidth() for patch in sheet.axes[0].patches]
    assert min(widths[:2]) >= 3 * max(widths[2:])


def test_predictions_show_images_upright_in_order() -> None:
    """Pictures are the test images themselves, in their order, first row at the top."""
    data = run_data()
    pictures = predictions_sheet(data["predictions"], data["images"]).axes[0].images
    for picture, image in zip(pictures, data["images"][:50], strict=True):
        np.testing.assert_array_equal(picture.get_array(), image)
        _, _, bottom, top = picture.get_extent()
        assert picture.origin == "upper"
        assert bottom > top  # the sheet counts downwards
        assert picture.get_clim() == (0, 1)


def test_worst_mistakes_are_the_surest() -> None:
    """Mistakes are shown surest first, at most twenty, and never a digit that was recognised."""
    data = run_data(rows=60, wrong=30)
    wrong = data["predictions"][:30]
    surest = wrong.sort_values("confidence", ascending=False)[:20]
    shown = texts(mistakes_sheet(data["predictions"], data["images"]))
    assert shown[3::4] == [f"row {row}" for row in surest["row"]]
    assert shown[1::4] == [f"true {label}" for label in surest["label"]]


def test_no_mistakes_is_said() -> None:
    """A run without mistakes says so instead of showing nothing."""
    data = run_data(wrong=0)
    assert texts(mistakes_sheet(data["predictions"], data["images"])) == [
        "All test images were recognised."
    ]


def test_weights_are_centred_on_zero_without_bias() -> None:
    """A unit's picture is its weights but the bias, row by row, on a scale with 0 in the middle."""
    first_layer = run_data()["first_layer"]
    first_layer[:, 0] = 1000
    pictures = weights_sheet(first_layer).axes[0].images[:12]
    for picture, weights in zip(pictures, first_layer, strict=True):
        np.testing.assert_array_equal(picture.get_array(), weights[1:].reshape(8, 8))
        low, high = picture.get_clim()
        assert -low == high < 10


def test_confusion_matrix_is_not_transposed() -> None:
    """The count of true digit t predicted as p is in row t, column p."""
    counts = np.arange(100).reshape(10, 10) + 1
    for text in confusion_chart(counts, range(10)).axes[0].texts:
        column, row = np.floor(text.get_position()).astype(int)
        assert text.get_text() == str(counts[row, column])


def test_cost_of_every_epoch_is_drawn() -> None:
    """The chart holds the cost of each epoch and, where tracked, the validation's."""
    tracked = history(validation_cost=lambda cost: cost + 0.1)["history"]
    lines = {line.get_label(): line for line in cost_chart(tracked).axes[0].lines}
    for name, column in {"training": "cost", "validation": "validation_cost"}.items():
        np.testing.assert_array_equal(lines[name].get_xdata(), tracked["epoch"])
        np.testing.assert_array_equal(lines[name].get_ydata(), tracked[column])


@pytest.mark.parametrize("colour", ["INK", "MUTED", "BLUE", "ORANGE"])
def test_colours_of_type_can_be_read(colour: str) -> None:
    """Type on the white ground has the 4.5 to 1 contrast that WCAG 2 asks for."""
    channels = np.array(to_rgb(getattr(figure_style, colour)))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    assert 1.05 / (linear @ (0.2126, 0.7152, 0.0722) + 0.05) >= 4.5


def shapes(svg: str, tag: str) -> list[ElementTree.Element]:
    """Return the elements of an SVG that have a tag, in their order."""
    return list(ElementTree.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{tag}"))


def written(svg: str) -> list[str]:
    """Return all text of an SVG, in its order, titles left out."""
    return ["".join(element.itertext()) for element in shapes(svg, "text")]


def drawn(name: str, folder: Path, **changes: Any) -> str:
    """Return one of the charts of a run, as SVG."""
    data = run_data() | changes
    draw_run(folder, **{each: data[each] for each in ("runs", "champion", "profile", "before")})
    return (folder / f"{name}.svg").read_text(encoding="utf-8")


def test_accuracies_are_drawn_with_their_intervals(tmp_path: Path) -> None:
    """Each run is a dot on its interval, oldest on the left; this run and the champion say it."""
    runs = [past_run(place, 0.9 + place / 100) for place in range(4)]
    svg = drawn("accuracy", tmp_path, runs=runs, champion=runs[1].run)
    dots = shapes(svg, "circle")
    bars = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", svg)
    x, y = ([float(dot.attrib[name]) for dot in dots] for name in ("cx", "cy"))
    pixels = (y[0] - y[3]) / 0.03  # of an accuracy of 1
    assert x == sorted(x)
    for place, (run, bar) in enumerate(zip(runs, bars, strict=True)):
        assert y[place] == pytest.approx(y[0] - pixels * (run.accuracy - runs[0].accuracy), abs=0.1)
        assert [float(bar[0]), x[place]] == [x[place]] * 2
        low, high = (y[0] - pixels * (end - runs[0].accuracy) for end in run.accuracy_interval)
        assert [float(each) for each in bar[1:]] == pytest.approx([low, high], abs=0.2)
    texts = written(svg)
    assert [text for text in texts if text.endswith("\N{NO-BREAK SPACE}%")] == [
        "91.0\N{NO-BREAK SPACE}%",
        "93.0\N{NO-BREAK SPACE}%",
    ]
    assert [text for text in texts if text[0] in "\N{MINUS SIGN}tc"] == [
        *("\N{MINUS SIGN}3", "\N{MINUS SIGN}2", "champion", "\N{MINUS SIGN}1", "this run")
    ]


@pytest.mark.parametrize("count", [1, 2, 11])
def test_all_of_the_accuracy_chart_is_inside_the_picture(tmp_path: Path, count: int) -> None:
    """However many runs there are, no dot and no end of an interval is cut off."""
    runs = [past_run(place, 0.05 * place) for place in range(count)]
    svg = drawn("accuracy", tmp_path, runs=runs, champion=runs[0].run)
    width, height = (
        float(ElementTree.fromstring(svg).attrib[name]) for name in ("width", "height")
    )
    assert all(7 < float(dot.attrib["cx"]) < width - 7 for dot in shapes(svg, "circle"))
    ends = [float(end) for bar in re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)", svg) for end in bar]
    assert all(7 < end < height - 7 for end in ends)
    assert all(7 < float(text.attrib["y"]) < height for text in shapes(svg, "text"))


def heights(path: str) -> list[float]:
    """Return how high the steps of a histogram's path are above its axis."""
    bottom = float(re.findall(r"M[\d.]+ ([\d.]+)", path)[0])
    return [bottom - float(top) for top in re.findall(r"V([\d.]+)H", path)]


def test_data_are_drawn_as_shares(tmp_path: Path) -> None:
    """Bars and steps add up to all images, now and before, however many there were."""
    profile, before = imagined_profile(60), imagined_profile(500, seed=6)
    chart = data_chart(profile, before)
    for panel, sets in (("shares", 2), ("ink", 2)):
        zero, *_, (top, text) = chart[panel]["ticks"]
        pixels = (zero[0] - top) / (float(text.removesuffix(" %")) / 100)  # of all images
        if panel == "shares":
            tops = [[bar[name] for bar in chart[panel]["bars"]] for name in ("y", "before")]
            totals = [sum(zero[0] - y for y in each) for each in tops]
        else:
            totals = [sum(heights(chart[panel][name])) for name in ("now", "before")]
        assert len(totals) == sets
        assert totals == pytest.approx([pixels, pixels], rel=0.01)
    texts = written(drawn("data", tmp_path, profile=profile, before=before))
    change = 100 * (profile.regions[0][0] - before.regions[0][0])
    assert f"{100 * profile.regions[0][0]:.0f} %{change:+.1f}" in texts
    assert [text for text in texts if text.isdigit()] == [*"0123456789"]


@pytest.mark.parametrize(
    "classes", [(3, 8), range(10), range(26), range(100), range(70_000, 70_012)], ids=len
)
def test_labels_of_the_data_do_not_touch(classes: Sequence[int]) -> None:
    """Two labels or a hundred, of one digit or five: as many are written as there is room for."""
    counts = (1,) * len(classes)
    few = imagined_profile(len(classes)).model_copy(
        update={"classes": tuple(classes), "counts": counts, "ink": (0.2,) * len(classes)}
    )
    bars = data_chart(few, None)["shares"]["bars"]
    assert len(bars) == len(classes)
    labelled = [(bar["x"], bar["label"]) for bar in bars if bar["label"] is not None]
    assert labelled[0][1] == classes[0]
    for (x, label), (following, _) in pairwise(labelled):
        assert following - x > 9 * len(str(label))


def test_a_share_on_the_blue_scale() -> None:
    """The scale begins white, ends blue, and is even between its stops."""
    assert [blue(share) for share in (0, 0.25, 0.5, 1, 7)] == [
        *((255, 255, 255), (199, 220, 238), (143, 184, 221), (31, 95, 153), (31, 95, 153))
    ]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.9123, 0.9832, 5, ["92 %", "94 %", "96 %", "98 %"]),
        (0, 0.11, 3, ["0 %", "5 %", "10 %"]),
        (0.99911, 0.99989, 5, ["99.92 %", "99.94 %", "99.96 %", "99.98 %"]),
        (0, 1, 4, ["0 %", "25 %", "50 %", "75 %", "100 %"]),
        (0, 1, 5, ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
    ],
)
def test_round_values_are_marked(low: float, high: float, most: int, expected: list[str]) -> None:
    """Marked values are round, evenly spaced, on the axis, and written with no digit too many."""
    ticks = list(Scale(low, high, 100, 0).percent_ticks(most))
    assert [text for _, text in ticks] == expected
    for place, text in ticks:
        value = float(text.removesuffix(" %")) / 100
        assert place == pytest.approx(100 - 100 * (value - low) / (high - low), abs=0.051)


def test_variants_are_next_to_their_image() -> None:
    """The image is twice as wide as each of its sixteen variants, and all are shown."""
    variants = run_data()["variants"]
    pictures = variants_sheet(variants[0], variants[1:]).axes[0].images
    widths = [right - left for left, right, *_ in (picture.get_extent() for picture in pictures)]
    assert widths[0] == 2 * widths[1]
    for picture, image in zip(pictures, variants, strict=True):
        np.testing.assert_array_equal(picture.get_array(), image)
