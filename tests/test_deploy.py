"""What deploy/ names is there: commands, settings, files; it holds no password and no open door."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from examples.digits import PROJECT
from pydantic import AliasChoices, BaseModel

from flows.deployed_run import FOLDERS
from flows.server import work_pool
from flows.server.app import NAMES

TEXT = (PROJECT / "deploy/compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "digits"}
IMAGE = (PROJECT / "deploy/Dockerfile").read_text(encoding="utf-8")
IN_IMAGE = (PROJECT / ".dockerignore").read_text(encoding="utf-8")
VARIABLES = dict(
    line.split("=", 1)
    for line in (PROJECT / "deploy/example.env").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)

every_service = pytest.mark.parametrize("name", OURS)


def test_the_server_is_the_one_that_checks_who_calls() -> None:
    """It refuses a foreign Host header, and it does not start without a password."""
    module, function = OURS["server"]["command"].split(" --factory ")[1].split()[0].split(":")
    assert callable(getattr(importlib.import_module(module), function))
    assert OURS["server"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"] == "${LOGIN}"
    assert "${LOGIN:?" in TEXT
    assert "${DATABASE_PASSWORD:?" in TEXT


def test_the_workers_take_the_runs_of_the_deployments() -> None:
    """One pool, closed as `make serve`'s; automations are looked for by their file's name."""
    deploy = OURS["deployments"]["command"][-1]
    assert f"--pool {work_pool.POOL} " in OURS["worker"]["command"]
    assert f"python -m {work_pool.__name__}\n" in deploy
    names = re.findall(r'automation inspect "(.+)"', deploy)
    paths = re.findall(r"--from-file (\S+)", deploy)
    assert len(paths) == 2
    assert [yaml.safe_load((PROJECT / path).read_text())["name"] for path in paths] == names


def prefect_variables() -> set[str]:
    """Return the names of all environment variables that Prefect reads."""
    from prefect.settings.models.root import Settings

    def names(model: type[BaseModel], path: str) -> Iterator[str]:
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from names(field.annotation, f"{path}_{name}")
            yield f"{path}_{name}".upper()
            if isinstance(field.validation_alias, AliasChoices):
                yield from (str(alias).upper() for alias in field.validation_alias.choices)

    return set(names(Settings, "PREFECT"))


@every_service
def test_every_variable_is_a_setting_of_prefect_or_of_ours(name: str) -> None:
    """A misspelt one would be ignored in silence."""
    known = prefect_variables() | {FOLDERS, NAMES}
    assert OURS[name]["environment"].keys() <= known
    of_image = set(re.findall(r"^(?:ENV| +)[ ]*(PREFECT_\w+)=", IMAGE, re.M))
    assert of_image
    assert of_image <= known


@every_service
def test_a_container_can_do_little(name: str) -> None:
    """Its root is read-only, its user nobody's, and it has and gains no rights of root."""
    assert OURS[name]["read_only"]
    assert OURS[name]["cap_drop"] == ["ALL"]
    assert OURS[name]["security_opt"] == ["no-new-privileges:true"]
    assert re.findall(r"^USER (\d+):(\d+)$", IMAGE, re.M) == [("10001", "10001")]


def test_only_the_server_reaches_the_database_and_only_this_machine_the_server() -> None:
    """Nothing else has its password or its network; others come by way of a proxy."""
    assert [n for n, s in SERVICES.items() if "database" in s.get("networks", ())] == [
        "database",
        "server",
    ]
    assert {n: s["ports"] for n, s in SERVICES.items() if "ports" in s} == {
        "server": ["127.0.0.1:4200:4200"]
    }
    for name, service in SERVICES.items():
        has_it = "DATABASE_PASSWORD" in str(service["environment"])
        assert has_it == (name in ("database", "server")), name


def test_no_password_is_in_the_files() -> None:
    """What differs from team to team is in example.env, and there the secrets are empty."""
    named = {name for name, _ in re.findall(r"\$\{(\w+)(:?[^}]*)\}", TEXT)}
    assert named == VARIABLES.keys()
    assert VARIABLES["LOGIN"] == VARIABLES["DATABASE_PASSWORD"] == ""
    secret = re.findall(r"^ +\w*(?:PASSWORD|AUTH_STRING): (.+)$", TEXT, re.M)
    assert len(secret) == 4
    assert all(value.startswith("${") for value in secret)


def test_what_goes_into_the_image_is_in_the_project() -> None:
    """The list names what is wanted; all else, .git and artifacts too, stays out."""
    everything, *wanted = [
        line for line in IN_IMAGE.splitlines() if line and line[0] not in "#" and line[:2] != "**"
    ]
    assert everything == "*"
    for line in wanted:
        assert line.startswith("!")
        assert (PROJECT / line[1:]).exists(), line
    assert "--require-hashes --constraint requirements.lock" in IMAGE
