"""``docs/invariants.md`` and the names of the tests speak of the same invariants."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "invariants.md").read_text("utf-8")


def carried() -> dict[str, list[str]]:
    """The tests of every invariant, by its id."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, invariant in re.findall(r"def (test_([A-Z]{2,})_\w+)", path.read_text("utf-8")):
            found.setdefault(invariant, []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def listed() -> list[str]:
    return re.findall(r"^## [0-9]+\. ([A-Z]+)$", PAGE, re.MULTILINE)


def test_every_invariant_is_carried_by_a_test() -> None:
    assert set(listed()) <= carried().keys()


def test_every_id_in_a_tests_name_is_an_invariant() -> None:
    unknown = {invariant: tests for invariant, tests in carried().items() if invariant not in listed()}
    assert unknown == {}


def test_the_invariants_are_numbered_and_explained() -> None:
    numbers = re.findall(r"^## ([0-9]+)\. [A-Z]+\n\n(.+)", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in numbers] == list(range(1, len(listed()) + 1))
    assert all(len(words) > 60 for _, words in numbers)
