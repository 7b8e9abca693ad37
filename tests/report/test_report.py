"""The report of a run: what it says, that it stands alone, and that no value can become markup."""

import base64
import copy
import io
import re
import shlex
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
from cyclopts import App, Parameter
from examples.digits import imagined_profile
from examples.report import CHAMPION, DRIFT, MANIFEST, MATRIX, METRICS, described_stage
from examples.runs import past_run
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flows.settings import Settings
from tasks.report.markdown import Markdown, code, escaped, html
from tasks.report.network_figures import Recognition, draw_network
from tasks.report.report import write_report
from tasks.report.run_figures import draw_run

HOSTILE = (
    "a|b`c``<img src=x onerror=alert(1)>*d*_e_ [l](http://e.com) ![i](http://e.com/i.png) "
    "~~s~~ &amp; \\| '$x' \"\n\n## owned\n```\n"
)

DEFAULTS = Settings()
RUNS = [past_run(place, 0.9 + place / 100) for place in range(3)]


class Page(HTMLParser):
    """The tags of an HTML page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all tags of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run's folder that holds figures."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    label, predicted = np.repeat(np.indices(MATRIX.shape).reshape(2, -1), MATRIX.ravel(), axis=1)
    draw_network(
        folder / "figures",
        pd.DataFrame({"epoch": [1, 2, 3], "cost": [3.0, 1.0, 0.3]}),
        Recognition(
            images=rng.random((94, 8, 8)),
            predictions=pd.DataFrame(
                {"row": range(94), "label": label, "prediction": predicted, "confidence": 0.9}
            ),
            confusion_matrix=MATRIX,
            classes=range(10),
        ),
        first_layer=rng.normal(size=(5, 65)),
        variants=rng.random((17, 8, 8)),
    )
    draw_run(
        folder / "figures",
        runs=RUNS,
        champion=None,
        profile=imagined_profile(),
        before=None,
    )
    return folder


def changed(record: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a copy of a record with some fields changed."""
    return copy.deepcopy(record) | fields


def test_markdown_links_the_figures(folder: Path) -> None:
    """report.md shows each figure once, by a relative link that leads to a file."""
    write_report(folder, MANIFEST, METRICS, RUNS)
    links = re.findall(r"!\[[^\]]+\]\((.+?)\)", (folder / "report.md").read_text(encoding="utf-8"))
    assert [Path(link).stem for link in links] == [
        "accuracy",
        "cost",
        "confusion",
        "predictions",
        "mistakes",
        "data",
        "variants",
        "weights",
    ]
    assert all((folder / link).is_file() for link in links)


def test_page_stands_alone(folder: Path) -> None:
    """report.html is one file under 1 MB that asks for nothing outside it."""
    write_report(folder, MANIFEST, METRICS, RUNS)
    assert (folder / "report.html").stat().st_size < 1_000_000
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert not {"script", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    addresses = [
        address
        for _, attributes in page.tags
        for name in ("src", "href", "srcset", "style")
        if (address := attributes.get(name))
    ]
    assert all(re.match("data:|#|text-align:", address) for address in addresses)
    assert "url(" not in page.text
    assert "@import" not in page.text


def test_page_is_accessible(folder: Path) -> None:
    """The page names its language, has one main heading, and describes every picture."""
    write_report(folder, MANIFEST, METRICS, RUNS)
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("title")) == len(page.all("main")) == 1
    assert all(len(image["alt"] or "") > 30 for image in page.all("img"))
    anchors = {f"#{heading['id']}" for heading in page.all("h2")}
    assert anchors == {link["href"] for link in page.all("a")}


def test_order_of_the_report(folder: Path) -> None:
    """The report begins with the verdict and its interval and ends with the commands."""
    write_report(folder, MANIFEST, METRICS, RUNS)
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.startswith("# Promoted: 95.7\N{NO-BREAK SPACE}% of 94 test digits recognised\n")
    assert "89.6\N{NO-BREAK SPACE}% to 98.3\N{NO-BREAK SPACE}%" in text.split("##")[0]
    assert re.findall("^## (.+)", text, re.MULTILINE) == [
        "Accuracy",
        "Stages",
        "Cost",
        "Confusion matrix",
        "Predictions",
        "Worst mistakes",
        "Per digit",
        "Data",
        "Distortion",
        "First layer",
        "Settings",
        "Provenance",
        "Commands",
    ]
    assert "4 predicted as 9 (3 times), 7 predicted as 1 (1 time)." in text


def sections(markdown: str) -> dict[str, str]:
    """Return the sections of a report by their headings, with every link to a picture emptied."""
    before, *parts = re.sub(r"\]\(.+?\)", "](…)", markdown).split("\n## ")
    return {"": before} | dict(part.split("\n", maxsplit=1) for part in parts)


def test_artifact_holds_its_pictures(folder: Path) -> None:
    """The report for Prefect is the same text with PNG pictures inside, under 200 kB."""
    artifact = write_report(folder, MANIFEST, METRICS, RUNS)
    assert len(artifact.encode()) < 200_000
    pictures = re.findall(r"\(data:image/png;base64,(.+?)\)", artifact)
    for picture in pictures:
        Image.open(io.BytesIO(base64.b64decode(picture, validate=True))).load()
    assert len(pictures) == 6
    shown, linked = (
        sections(text) for text in (artifact, (folder / "report.md").read_text(encoding="utf-8"))
    )
    assert [*shown] == [*linked]
    assert {name for name in shown if shown[name] != linked[name]} == {"Accuracy", "Data"}


def test_artifact_has_a_table_where_the_report_has_an_svg(folder: Path) -> None:
    """Prefect's page shows no SVG: what the two charts of a run show stands there in tables."""
    metrics = changed(METRICS, champion=CHAMPION | {"run": RUNS[1].run})
    shown = sections(
        write_report(folder, MANIFEST, metrics, RUNS).replace("\N{NO-BREAK SPACE}", " ")
    )
    assert re.findall(r"^\| (?:\*\*this|2026).*", shown["Accuracy"], re.MULTILINE) == [
        "| **this run** | 92.0 % | 90.0 % to 94.0 % | kept |",
        f"| {RUNS[1].run} | 91.0 % | 89.0 % to 93.0 % | kept, the champion until then |",
        f"| {RUNS[0].run} | 90.0 % | 88.0 % to 92.0 % | kept |",
    ]
    assert "\n| | |\n| --: | --: |\n| 10.0 % | 20.0 % |\n| 30.0 % | 40.0 % |\n" in shown["Data"]
    for name in ("Accuracy", "Data"):
        assert "![" not in shown[name]
        assert f"`figures/{name.lower()}.svg`" in shown[name]
        assert (folder / "figures" / f"{name.lower()}.svg").is_file()


def test_artifact_leaves_out_what_is_too_large(folder: Path, tmp_path: Path) -> None:
    """A picture that would make the artifact too large is named in its place."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "figures" / "mistakes.png")
    artifact = write_report(tmp_path, MANIFEST, METRICS, RUNS)
    assert len(artifact.encode()) < 200_000
    assert artifact.count("data:image/png") == 5
    assert "figures/mistakes.png" in artifact


@pytest.mark.parametrize(
    ("verdict", "title", "said"),
    [
        ("promoted", "Promoted", "It is now in use, because it pleased."),
        ("kept", "Champion kept", "The champion stays in use, because it pleased."),
        ("unchanged", "Unchanged", "The champion stays in use, because it pleased."),
    ],
)
def test_verdicts(folder: Path, verdict: str, title: str, said: str) -> None:
    """Each verdict is explained before the first section."""
    manifest = changed(MANIFEST, verdict=verdict, verdict_reason="it pleased")
    write_report(folder, manifest, METRICS, RUNS)
    text = (folder / "report.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert text.startswith(f"# {title}: ")
    assert said in text
    assert "changed sides" not in text


@pytest.mark.parametrize(("p_value", "said"), [(0.0703, "p = 0.07"), (1e-9, r"p \< 0.001")])
def test_the_champion_is_compared(folder: Path, p_value: float, said: str) -> None:
    """How many digits changed sides, which way, and whether that could be luck."""
    champion = CHAMPION | {"p_value": p_value}
    write_report(folder, MANIFEST, changed(METRICS, champion=champion), RUNS)
    text = (folder / "report.md").read_text(encoding="utf-8").split("\n## ")[0]
    assert "earlier, recognises 90.0" in text
    assert "8 of them changed sides: 7 from wrong to right, 1 from right to wrong" in text
    assert f"(McNemar's exact test: {said}," in text


def test_no_digit_that_changed_sides_is_said(folder: Path) -> None:
    """Networks that read the same digits right are said to do so, without a p-value."""
    champion = CHAMPION | {"wrong_to_right": 0, "right_to_wrong": 0, "p_value": 1}
    artifact = write_report(folder, MANIFEST, changed(METRICS, champion=champion), RUNS)
    assert "None of them changed sides.\n" in artifact
    assert "McNemar" not in artifact


def test_digits_that_the_comparison_leaves_out_are_said(folder: Path) -> None:
    """Both accuracies are then those on the other digits, and the challenger's is named too."""
    champion = CHAMPION | {"left_out": 12}
    artifact = write_report(folder, MANIFEST, changed(METRICS, champion=champion), RUNS)
    assert "earlier, was trained on 12 of these digits, which are left out here. Of the" in artifact
    assert "others it recognises 90.0\N{NO-BREAK SPACE}%, and this network 95.7" in artifact


def test_drift_is_reported_at_the_top(folder: Path) -> None:
    """Data unlike the champion's are named before the first section, and measured in their own."""
    drifted = changed(METRICS, data=METRICS["data"] | DRIFT)
    write_report(folder, MANIFEST, drifted, RUNS)
    top, *sections = (folder / "report.md").read_text(encoding="utf-8").split("\n## ")
    assert "> **The data have drifted** from those of the champion; the change is large." in top
    (data,) = (section for section in sections if section.startswith("Data\n"))
    assert "87.5\N{NO-BREAK SPACE}% of the images were among its data" in data
    assert "| How much ink an image has | 0.310 | 0.004 | large |" in data
    assert "| 9 | 47 | none | 50 | 19.0\N{NO-BREAK SPACE}% |" in data


def test_digits_in_both_splits_are_reported_at_the_top(folder: Path) -> None:
    """Nobody reads that the network has seen no test digit where it has."""
    data = METRICS["data"] | {"test_images_in_training": 3, "duplicates": 1}
    write_report(folder, MANIFEST, changed(METRICS, data=data), RUNS)
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "> **3 of the test digits are in the training split too**" in text.split("\n## ")[0]
    assert "has seen none of these" not in text
    assert "470 digits. 1 equals an earlier one pixel for pixel. 3 of the 94 test digits" in text


def test_no_distortion_no_picture_of_it(folder: Path, tmp_path: Path) -> None:
    """A run on the images as they are has no section on distortions, and its cost is of none."""
    assert "the cost of the distorted digits" in write_report(folder, MANIFEST, METRICS, RUNS)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "figures" / "variants.png").unlink()
    manifest = copy.deepcopy(MANIFEST)
    manifest["settings"]["training"]["distortion"] = 0.0
    artifact = write_report(tmp_path, manifest, METRICS, RUNS)
    assert "## Distortion" not in artifact
    assert "the distorted digits" not in artifact
    assert artifact.count("data:image/png") == 5


def test_no_mistakes_is_said(folder: Path) -> None:
    """A run without mistakes has a sentence instead of a picture of them."""
    matrix = (np.eye(10, dtype=int) * 9).tolist()
    perfect = changed(METRICS, accuracy=1.0, confusion_matrix=matrix, test_rows=90)
    artifact = write_report(folder, MANIFEST, perfect, RUNS)
    assert "None: all 90 test digits were recognised." in artifact
    assert "All test digits were recognised." in artifact
    assert artifact.count("![") == 5


def test_only_perfection_is_called_100_percent(folder: Path) -> None:
    """An accuracy just short of 1 is not rounded to 100 %."""
    artifact = write_report(folder, MANIFEST, changed(METRICS, accuracy=0.9999), RUNS)
    assert artifact.startswith("# Promoted: 99.990\N{NO-BREAK SPACE}%")


def hostile_report(folder: Path) -> str:
    """Write the report of a run whose every free text is hostile, and return it for Prefect."""
    stages = {
        HOSTILE: described_stage("cached", HOSTILE),
        "train": described_stage("ran", HOSTILE)
        | {"inputs": {HOSTILE: HOSTILE}, "outputs": {HOSTILE: HOSTILE}},
    }
    manifest = changed(
        MANIFEST,
        run=HOSTILE,
        verdict_reason=HOSTILE,
        stages=stages,
        platform=HOSTILE,
        packages={HOSTILE: HOSTILE},
        git={"commit": HOSTILE, "dirty": False},
        flow_run_id=HOSTILE,
    )
    manifest["settings"] |= {"csv": HOSTILE, "artifacts": HOSTILE}
    manifest["source"]["path"] = HOSTILE
    metrics = changed(METRICS, champion=CHAMPION | {"run": HOSTILE})
    runs = [RUNS[0].model_copy(update={"run": HOSTILE, "verdict": HOSTILE}), RUNS[1]]
    return write_report(folder, manifest, metrics, runs)


def test_values_stay_text(folder: Path) -> None:
    """No value adds a picture, a heading, a cell or any tag to the page; all of it is shown."""
    write_report(folder, MANIFEST, METRICS, RUNS)
    plain = Page((folder / "report.html").read_text(encoding="utf-8"))
    hostile_report(folder)
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    count = Counter(tag for tag, _ in page.tags if tag != "code")
    assert count == Counter(tag for tag, _ in plain.tags if tag != "code")
    assert page.text.count(HOSTILE.replace("\n", "\\n")) >= 10


def test_code_holds_no_markup(folder: Path) -> None:
    """Code has no `<` and no `&`: Prefect's page obeys HTML in it."""
    hostile = re.sub(r"\\.", "", hostile_report(folder))  # without what is escaped
    assert "<" not in hostile
    assert "&" not in hostile


def test_commands_repeat_the_run(folder: Path) -> None:
    """A shell reads the commands as the run's settings, whatever is in a file's name."""
    hostile_report(folder)
    text = (folder / "report.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.+?)^```$", text, re.MULTILINE | re.DOTALL)
    script = "digits() { printf '%s\\0' \"$@\"; printf '\\0'; }\n" + block
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    printed = subprocess.run([bash, "-c", script], capture_output=True, check=True).stdout
    calls = [call.split("\0") for call in printed.decode().split("\0\0")]
    train, show, compare, verify, promote, rollback, predict, _ = calls
    assert train == [
        *("train", "--csv", HOSTILE, "--seed", "3", "--train-fraction", "0.8", "--no-stratify"),
        *("--empty-convolutions", "--hidden-layers", "300", "100"),
        *("--batch-size", "0", "--distortion", "1.5"),
        *("--artifacts", HOSTILE),
    ]
    where = ["--artifacts", HOSTILE]
    assert show == ["show", HOSTILE, *where, "--open"]
    assert compare == ["compare", HOSTILE, HOSTILE, *where]
    assert verify == ["verify", HOSTILE, *where]
    assert promote == ["promote", HOSTILE, *where]
    assert rollback == ["rollback", *where]
    assert predict == ["predict", "FILE.csv", "--run", HOSTILE, "--artifacts", HOSTILE]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"training": {"hidden_layers": ()}},
        {"csv": "my digits.csv", "split": {"stratify": True}, "training": {"batch_size": 32}},
    ],
    ids=["defaults", "no hidden layer", "others"],
)
def test_commands_are_understood(folder: Path, given: dict[str, Any]) -> None:
    """The command line reads the command of a report as the settings of its run."""
    settings = Settings.model_validate(given)
    manifest = changed(MANIFEST, settings=settings.model_dump(mode="json"))
    write_report(folder, manifest, METRICS, RUNS)
    text = (folder / "report.md").read_text(encoding="utf-8")
    command = text[text.index("digits train") : text.index("digits show")]
    app = App(result_action="return_value")

    @app.command
    def train(*, read: Annotated[Settings, Parameter(name="*")] = DEFAULTS) -> Settings:
        return read

    words = shlex.split(command.replace("\\\n", " "))[1:]
    assert app(words, exit_on_error=False) == settings


@given(st.text(st.characters(exclude_categories=["C", "Zs", "Zl", "Zp"]) | st.just(" ")))
def test_any_text_survives_as_text(value: str) -> None:
    """Any visible text in a sentence or in a cell reads on the page as it was."""
    cells = f"x {escaped(value)} x\n\n| a | b |\n| - | - |\n| x {escaped(value)} x | {code(1)} |\n"
    page = Page(html(cells, Path())[0])
    assert page.text.count(f"x {value} x") == 2
    assert [tag for tag, _ in page.tags if tag in ("td", "code", "p", "div")] == [
        *("p", "div", "td", "td", "code")
    ]


def test_markdown_is_not_escaped_twice() -> None:
    """What is markdown already stays as it is."""
    assert escaped(Markdown("**bold**")) == "**bold**"


def test_html_in_markdown_is_shown() -> None:
    """HTML in markdown comes out as text."""
    assert Page(html("<b>bold</b>", Path())[0]).tags == [("p", {})]
