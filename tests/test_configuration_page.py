"""docs/reference/configuration.md names everything that can be set."""

import inspect
import re
from pathlib import Path

import pytest
from django.utils.module_loading import import_string

from heimdex.environment import Environment
from heimdex.profiles import SHORT_NAMES

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "reference" / "configuration.md").read_text()


def list_documented() -> set[str]:
    """Return the variables of the first table; `…_X` shares its prefix with the variable before it."""
    names: set[str] = set()
    for cell in re.findall(r"^\| (`HEIMDEX.+?) \|", PAGE, re.MULTILINE):
        first, *others = re.findall(r"`([^`]+)`", cell)
        names |= {first, *(re.sub("^…_", first.rpartition("_")[0].removesuffix("_BUCKET") + "_", other) for other in others)}
    return names


def test_every_variable_is_in_the_table_and_no_other() -> None:
    assert list_documented() == {f"HEIMDEX_{name}".upper() for name in Environment.model_fields}


@pytest.mark.parametrize("backend", SHORT_NAMES)
def test_every_option_of_a_model_is_documented(backend: str) -> None:
    section = PAGE[PAGE.index("## Options of the models") :]
    if backend == "openai":
        text = section[section.index("### `openai`") : section.index("### The other")]
    else:
        (text,) = re.findall(rf"^\| `{backend}` \|.*$", section, re.MULTILINE)
    options = set(inspect.signature(import_string(SHORT_NAMES[backend])).parameters)
    assert {option for option in options if f"`{option}`" not in text} == set()
