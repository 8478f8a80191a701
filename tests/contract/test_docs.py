"""What the docs show is what the programs make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.local.figures import pictures

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", sorted(pictures()))
def test_a_picture_of_the_docs_is_the_one_the_code_draws(name: str) -> None:
    """``python -m infra.local.figures docs/images`` draws them anew."""
    assert (ROOT / "docs" / "images" / name).read_text("utf-8") == pictures()[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_docs_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_every_make_target_of_the_readme_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text("utf-8")))
    assert named - {"and"} <= targets
