"""docs/security.md: every row has a status, and what it calls met is held by a test module or a document."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security.md"
STATUSES = {"met", "partly", "not yet", "operator", "none here"}
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text().splitlines() if re.match(r"\| \d", line)]


def test_the_page_has_a_row_for_each_requirement() -> None:
    numbers = [number for cells in ROWS for number in re.findall(r"\d+\.\d+\.\d+", cells[0])]
    assert len(numbers) == len(set(numbers)) > 150
    assert {number.split(".")[0] for number in numbers} == {str(chapter) for chapter in range(1, 17) if chapter != 10}


@pytest.mark.parametrize("cells", ROWS, ids=lambda cells: cells[0])
def test_a_row_names_what_holds_it(cells: list[str]) -> None:
    _, requirement, status, how, held_by = cells
    modules = re.findall(r"`(tests/\S+\.py)`", held_by)
    assert requirement
    assert status in STATUSES
    assert how or status == "none here"
    assert modules or "](" in held_by or status != "met"
    for module in modules:
        assert "def test_" in (ROOT / module).read_text(), module
