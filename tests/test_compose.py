"""compose.yml and the Dockerfile, checked against the code without running them."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from heimdex.database.connection_info import ConnectionInfo
from heimdex.database.roles import APPLICATION_ROLE
from heimdex.environment import Environment
from heimdex.lexical_settings import build_lexical_settings
from heimdex.queue import QUEUES

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
# The keys of the Compose specification that services here may use.
SERVICE_KEYS = {"build", "command", "configs", "depends_on", "deploy", "environment", "healthcheck", "image", "init", "ports", "restart"}
SERVICE_KEYS |= {"profiles", "shm_size", "stop_grace_period", "volumes"}


def read_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def substitute(node: Any, variables: dict[str, str]) -> Any:
    """Substitute variables in all strings, as Compose does; an empty one counts as unset before `:-` and `:?`."""

    def replace_variable(match: re.Match[str]) -> str:
        name, kind, other = match.groups()
        given = variables.get(name, "")
        assert given or kind != ":?", f"{name} is needed: {other}"
        return given or (other if kind == ":-" else "")

    if isinstance(node, dict):
        return {key: substitute(child, variables) for key, child in node.items()}
    if isinstance(node, list):
        return [substitute(child, variables) for child in node]
    return VARIABLE.sub(replace_variable, node) if isinstance(node, str) else node


def test_the_file_follows_the_compose_specification() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == {"name", "services", "configs", "volumes"}
    for name, service in SERVICES.items():
        assert set(service) <= SERVICE_KEYS, name
        for other, dependency in service.get("depends_on", {}).items():
            runs_once = SERVICES[other].get("restart") == "on-failure" and "healthcheck" not in SERVICES[other]
            assert dependency["condition"] == ("service_completed_successfully" if runs_once else "service_healthy")
            assert runs_once or "healthcheck" in SERVICES[other]
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]
        for config in service.get("configs", []):
            assert config["source"] in COMPOSE["configs"]


def test_every_image_is_pinned_by_a_short_name() -> None:
    base = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for image in [service["image"] for service in SERVICES.values()] + base:
        assert re.fullmatch(r"([a-z]+/)?[a-z]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", image), image


def test_every_process_is_an_existing_command_and_services_are_restarted() -> None:
    commands = {name: service["command"] for name, service in OURS.items() if "command" in service}
    assert set(OURS) - set(commands) == {"web"}, "the web server is the image's own command"
    assert all(command[:2] == ["python", "manage.py"] and command[2] in get_commands() for command in commands.values())
    assert [command[3] for command in commands.values() if command[2] == "work"] == list(QUEUES)
    for name in ("web", *QUEUES):
        assert (SERVICES[name]["restart"], SERVICES[name]["init"], "healthcheck" in SERVICES[name]) == ("unless-stopped", True, True)
        assert {"migrate", "bucket"} <= set(SERVICES[name]["depends_on"])


def test_every_variable_is_a_setting_or_in_the_example() -> None:
    settings = {f"HEIMDEX_{field}".upper() for field in Environment.model_fields}
    used = {name for name, *_ in VARIABLE.findall(TEXT)}
    assert used == set(read_example())
    for service in OURS.values():
        assert set(service["environment"]) <= settings
    # A setting in .env must reach the processes.
    passed = {name for name, *_ in VARIABLE.findall(str(OURS["web"]))}
    assert {name for name in read_example() if name in settings} <= passed


def test_the_variables_make_a_valid_installation_and_a_missing_secret_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match=r"\w+ is needed: see .env.example"):
        substitute(COMPOSE, read_example())
    needed = {name for name, kind, _ in VARIABLE.findall(TEXT) if kind == ":?"}
    assert not any(read_example()[name] for name in needed)
    secrets = {name: f"5ec{place}" for place, name in enumerate(sorted(needed))}
    services = substitute(COMPOSE, read_example() | secrets)["services"]
    for name, replace_variable in services["web"]["environment"].items():
        monkeypatch.setenv(name, replace_variable)
    environment = Environment.load()
    connection = ConnectionInfo.parse(environment.database_url)
    migration = ConnectionInfo.parse(services["migrate"]["environment"]["HEIMDEX_DATABASE_URL"])
    superuser = services["postgres"]["environment"]
    assert (migration.user, migration.password) == (superuser["POSTGRES_USER"], superuser["POSTGRES_PASSWORD"])
    assert (connection.user, connection.password) == (APPLICATION_ROLE, secrets["POSTGRES_APPLICATION_PASSWORD"])
    role = substitute(COMPOSE, read_example() | secrets)["configs"]["role"]["content"]
    assert role.strip() == f"CREATE ROLE {connection.user} LOGIN PASSWORD '{connection.password}';"
    assert {(place.host, place.database) for place in (connection, migration)} == {("postgres", superuser["POSTGRES_DB"])}
    assert services["valkey"]["command"][-1] in environment.redis_url
    assert environment.storage == "s3"
    assert "127.0.0.1" in environment.allowed_hosts.split(",")


def test_opensearch_is_a_choice_that_nothing_waits_for_and_that_nobody_outside_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    service = SERVICES["opensearch"]
    assert service["profiles"] == ["opensearch"]
    assert "ports" not in service, "it has no login"
    assert not any("opensearch" in other.get("depends_on", {}) for other in SERVICES.values())
    assert [name for name, other in SERVICES.items() if "profiles" in other] == ["opensearch"]
    chosen = {"HEIMDEX_LEXICAL": "opensearch", "HEIMDEX_OPENSEARCH_URL": "http://opensearch:9200"}
    given = {name: "5ec" for name, kind, _ in VARIABLE.findall(TEXT) if kind == ":?"}
    for name, value in substitute(COMPOSE, read_example() | given | chosen)["services"]["web"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert build_lexical_settings(Environment.load())["default"]["OPTIONS"]["url"] == chosen["HEIMDEX_OPENSEARCH_URL"]


def list_copied_sources() -> list[str]:
    lines = re.findall(r"^COPY (.+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_the_image_copies_existing_files() -> None:
    dockerfile, copied = (ROOT / "Dockerfile").read_text(), list_copied_sources()
    assert all((ROOT / source).exists() for source in copied)
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")} | {"heimdex"}
    assert packages <= set(copied), "every package with an app is copied into the image"
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {source.split("/")[0] for source in copied} == kept
    assert "--require-hashes" in dockerfile


def test_the_copied_files_are_enough_to_serve_and_to_work(tmp_path: Path) -> None:
    for source in list_copied_sources():
        target = tmp_path / "srv" / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    (command,) = re.findall(r"^CMD (\[.+\])", (ROOT / "Dockerfile").read_text().replace("\\\n", ""), re.MULTILINE)
    environment = {name: replace_variable for name, replace_variable in os.environ.items() if name != "PYTHONPATH"} | {
        "HEIMDEX_HOME": str(tmp_path / "home")
    }
    for arguments in (["manage.py", "check"], ["manage.py", "work", "--help"], ["-m", *json.loads(command), "--check-config"]):
        done = subprocess.run([sys.executable, *arguments], cwd=tmp_path / "srv", env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
