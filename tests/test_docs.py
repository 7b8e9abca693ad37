"""What the README and docs/ say is true: settings, paths, links, commands, examples."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import yaml
from annotated_types import Ge, Gt, Le, Lt
from examples.digits import PROJECT, easy_digits
from examples.runs import write_champion
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.cli import COMMANDS, app
from flows.predict_settings import PredictSettings
from flows.recipes import RECIPES
from flows.retrain import stages
from flows.settings import Settings, TrainingFlowSettings
from flows.sweep_settings import SweepSettings
from network.initialization import initial_weights
from network.model import predict
from tasks.cache.key import NotInKey
from tasks.cache.store import SourceFile
from tasks.digits.classes import DIGITS, in_words
from tasks.training.first_weights import InitialNetwork
from tasks.training.settings import TrainingSettings

PAGES = [
    PROJECT / name
    for name in ("README.md", "CHANGELOG.md", "artifacts/README.md", "data/README.md")
] + sorted((PROJECT / "docs").glob("*.md"))
ROOMS = (
    "automations",
    "benchmarks",
    "data",
    "deploy",
    "docs",
    "flows",
    "network",
    "tasks",
    "tests",
    ".ci",
)

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix()
)


FENCED = re.compile(r"^```(\w*)\n(.*?)^```\n", re.M | re.S)


def text_of(page: Path) -> str:
    """Return a page's text without its fenced blocks."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    """Return a page's fenced blocks in a language, or without one."""
    found = FENCED.findall(page.read_text(encoding="utf-8"))
    return [block for of, block in found if of == language]


def anchors(page: Path) -> set[str]:
    """Return the names under which a page's headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_readme_is_read_in_one_sitting() -> None:
    """The README has 200 lines at most; the rest is in docs/."""
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200


def test_readme_leads_to_every_page() -> None:
    """A page of docs/ that the README does not link is a page nobody finds."""
    linked = set(re.findall(r"\]\((docs/\w+\.md)", text_of(PROJECT / "README.md")))
    assert linked == {f"docs/{page.name}" for page in (PROJECT / "docs").glob("*.md")}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    """A link names a file and one of its headings; where its text is a path, the same one."""
    for words, link in re.findall(r"\[([^]]+)\]\(([^)]+)\)", text_of(page)):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
        assert "/" not in words or (PROJECT / words).samefile(target), words


@every_page
def test_named_files_exist(page: Path) -> None:
    """Every path in `code` that begins with a folder of the project is there."""
    for path in re.findall(r"`([\w.]+/[\w./-]*)`", text_of(page)):
        if path.split("/")[0] in ROOMS:
            assert (PROJECT / path).exists(), path


def test_map_shows_every_room() -> None:
    """The README's map has a line for every folder of code, and none for what is not there."""
    (tree,) = (block for block in blocks(PROJECT / "README.md", "") if "network/" in block)
    shown, outer = set(), ""
    for indent, name in re.findall(r"^( *)([\w.]+/) ", tree, re.M):
        outer = outer if indent else name
        shown.add(outer + name if indent else name)
    rooms = {f"{module.parent.relative_to(PROJECT)}/" for module in PROJECT.glob("*/*.py")}
    rooms |= {
        f"{module.parent.relative_to(PROJECT)}/"
        for package in ("flows", "tasks", "network")
        for module in (PROJECT / package).rglob("*.py")
    }
    assert rooms <= shown
    assert all((PROJECT / name).is_dir() for name in shown)


def commands(page: Path, name: str) -> Iterator[list[str]]:
    """Yield the words after each call of a program, all in sh blocks, with arguments in `code`.

    In `code`, a program's name with one word is a command's name, and `[`, `|` or `…` a synopsis.
    """
    inline = re.findall(rf"`({name}\s[^`|[…\s]+\s[^`|[…]+)`", text_of(page))
    for block in [*blocks(page, "sh"), *(" ".join(code.split()) for code in inline)]:
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and Path(words[0]).name == name:
                yield words[1:]


def test_commands_are_understood() -> None:
    """Every digits command shown parses, with its options and values."""
    found = 0
    for page in PAGES:
        for words in commands(page, "digits"):
            app.parse_args(words, exit_on_error=False, print_error=False)
            found += 1
    assert found > 30


@every_page
def test_named_commands_exist(page: Path) -> None:
    """Where `digits` is followed by a word, that is one of its commands."""
    assert set(re.findall(r"`digits\s([a-z]+)", text_of(page))) <= set(COMMANDS)


def test_make_targets_are_there() -> None:
    """Every `make` command shown is a target of the Makefile."""
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", makefile, re.M))
    named = {words[0] for page in PAGES for words in commands(page, "make")}
    named |= {name for page in PAGES for name in re.findall(r"`make (\w+)`", text_of(page))}
    assert {"train", "test", "serve"} <= named <= targets


def test_deployments_are_those_of_prefect_yaml() -> None:
    """Every deployment shown exists, and the table has every one."""
    page = PROJECT / "docs/operations.md"
    declared = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))
    names = {
        f"{each['entrypoint'].split('.')[-1]}/{each['name']}" for each in declared["deployments"]
    }
    assert set(re.findall(r"^\| `(\w+/[\w-]+)` \|", text_of(page), re.M)) == names
    run = {words[2] for words in commands(page, "prefect") if words[:2] == ["deployment", "run"]}
    assert run
    assert run <= names


SETTINGS = PROJECT / "docs/settings.md"


def table(heading: str) -> dict[str, dict[str, str]]:
    """Return the table of options below a heading of settings.md: a mapping for each field."""
    section = re.split(r"^## ", text_of(SETTINGS), flags=re.M)
    (lines,) = (part.splitlines() for part in section if part.startswith(f"{heading}\n"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    head, _, *body = rows
    return {
        row[0].strip("`-").replace("-", "_"): dict(zip(head[1:], row[1:], strict=True))
        for row in body
    }


def own_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's fields that are settings, not groups of them."""
    return {
        name: field
        for name, field in model.model_fields.items()
        if not isinstance(field.default, BaseModel)
    }


FLOW = own_fields(TrainingFlowSettings)
TABLES: dict[str, Mapping[str, FieldInfo]] = {
    "The run": own_fields(Settings),
    "Data": own_fields(type(Settings().data)),
    "Split": own_fields(type(Settings().split)),
    "Training": own_fields(type(Settings().training)),
    "Promotion": own_fields(type(Settings().promotion)),
    "Predicting": own_fields(PredictSettings),
    "Sweeps": {n: f for n, f in own_fields(SweepSettings).items() if n not in FLOW},
}


def shown(value: Any) -> str:
    """Return a default as the tables write it."""
    match value:
        case bool():
            return "on" if value else "off"
        case None | "" | ():
            return "none"
        case _ if value == DIGITS:
            return in_words(DIGITS)
        case tuple():
            return " ".join(map(str, value))
        case int() | float():
            return f"{value:g}"
        case dict():
            return f"`{value}`".replace("'", '"')
        case _:
            return f"`{value}`"


def limits(field: FieldInfo) -> str | None:
    """Return a field's range as the tables write it, None where its type does not give one."""
    if field.annotation is bool:
        return "on or off"
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(field.annotation))
    low = high = ""
    for rule in field.metadata:
        match rule:
            case Ge():
                low = f"{rule.ge:,}"
            case Gt():
                low = f"above {rule.gt:,}"
            case Le():
                high = f"{rule.le:,.0f}"
            case Lt():
                high = f"below {rule.lt:,}"
    return f"{low} to {high}" if low else None


@pytest.mark.parametrize("heading", TABLES)
def test_settings_tables_have_every_field_and_its_range(heading: str) -> None:
    """No option is missing, none is there that is no setting, and ranges are those checked."""
    rows, fields = table(heading), TABLES[heading]
    assert list(rows) == list(fields)
    for name, field in fields.items():
        expected = limits(field)
        assert expected is None or rows[name]["range"] == expected, name


@pytest.mark.parametrize("heading", [heading for heading in TABLES if heading != "Training"])
def test_settings_tables_have_the_defaults(heading: str) -> None:
    """What an option is without being given is what the model says."""
    rows = table(heading)
    assert {name: row["default"] for name, row in rows.items()} == {
        name: shown(field.default) for name, field in TABLES[heading].items()
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_training_table_has_every_recipe(recipe: str) -> None:
    """A column a recipe, with its value of every training setting."""
    column = {name: row[f"`{recipe}`"] for name, row in table("Training").items()}
    assert column == {name: shown(value) for name, value in RECIPES[recipe]}


class Record:
    """Stands for the record of a stage that nothing has run; its fields are those of its type."""

    def __init__(self, record_type: type[BaseModel]) -> None:
        self.fields = record_type.model_fields

    def __getattr__(self, name: str) -> str:
        return name


class KeyedSettings:
    """Walks the flow's stages and notes which settings each is given, if they are the run's."""

    def __init__(self, training: TrainingSettings) -> None:
        self.training = training
        self.stages_of: dict[str, list[str]] = {}

    def perform(self, stage: Any, arguments: Mapping[str, Any]) -> Record:
        """Note the settings of one stage."""
        for name, value in arguments.items():
            if isinstance(value, NotInKey):
                continue
            model = type(value).model_fields if isinstance(value, BaseModel) else None
            model = value.fields if isinstance(value, Record) else model
            if isinstance(value, TrainingSettings):
                model = [each for each, given in value if given == getattr(self.training, each)]
            is_whole = isinstance(value, SourceFile | InitialNetwork)
            named = {"initial": "initial_weights"}.get(name, name)
            for setting in [named] if is_whole or model is None else model:
                self.stages_of.setdefault(setting, []).append(f"`{stage.name}`")
        return Record(get_type_hints(stage.function)["return"])

    def check(self, *_: object) -> None:
        """Checks between the stages are in no key."""


def test_settings_tables_say_whose_key_each_is_in(tmp_path: Path) -> None:
    """The column "key of" has the stages that the flow hands a setting to, and no other."""
    weights = tmp_path / "weights.pkl"
    weights.write_bytes(b"")
    settings = Settings(csv=PROJECT / "data/digits.csv", initial_weights=str(weights))
    walked = KeyedSettings(settings.training)
    stages(walked, settings)  # type: ignore[arg-type]  # all that the stages ask of a run
    for heading in ("The run", "Data", "Split", "Training", "Promotion"):
        for name, row in table(heading).items():
            assert row["key of"] == (", ".join(walked.stages_of.get(name, [])) or "–"), name


def test_worked_examples_print_what_the_page_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The examples of docs/network.md run as they stand, and the block after each is its output."""
    monkeypatch.chdir(PROJECT)
    page = (PROJECT / "docs/network.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```.*?^```\n(.*?)^```", page, re.M | re.S)
    assert len(examples) == 3
    for example, output in examples:
        exec(example, {})
        assert capsys.readouterr().out == output


def test_five_lines_of_python_read_an_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example of docs/python.md runs as it stands, with the champion of ./artifacts."""
    weights = initial_weights((64, 10), np.random.default_rng(0))
    write_champion(tmp_path / "artifacts", weights)
    images = easy_digits(20).pixels
    np.save(tmp_path / "images.npy", images.reshape(-1, 8, 8))
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(PROJECT / "docs/python.md", "python")
    assert len([line for line in example.splitlines() if line]) == 5
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["labels"].tolist() == predict(weights, images / 255).argmax(axis=1).tolist()
