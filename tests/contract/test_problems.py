"""The list of refusals is closed, and the page that lists them is the list."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from chalicelib.core.errors import Problem
from chalicelib.core.http import ROUTES
from infra.openapi import problems_of
from infra.problems import PAGE, domain_of, page, problems

every_problem = pytest.mark.parametrize("problem", problems(), ids=lambda p: f"{domain_of(p)}.{p.__name__}")


def test_a_code_means_one_thing() -> None:
    counted = Counter(problem.code for problem in problems())
    assert [code for code, times in counted.items() if times > 1] == []


@every_problem
def test_a_refusal_has_a_code_a_status_and_words_in_both_languages(problem: type[Problem]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", problem.code)
    assert 400 <= problem.status <= 599
    assert re.search(r"[\u4e00-\u9fff]", problem.title.zh)
    assert re.search(r"[A-Za-z]{3}", problem.title.en)
    assert not re.search(r"[\u4e00-\u9fff]", problem.title.en)
    assert not problem.title.en.endswith(".")
    assert not problem.title.zh.endswith("。")


@every_problem
def test_a_refusal_is_declared_in_the_core_or_where_it_is_decided(problem: type[Problem]) -> None:
    if domain_of(problem) != "core":
        assert problem.__module__.split(".")[2] in {"rules", "store", "service"}


def test_the_page_lists_every_refusal_and_no_other() -> None:
    """``python -m infra.problems`` writes the page anew."""
    assert PAGE.read_text("utf-8") == page()
    listed = re.findall(r"^\| `([a-z-]+)` \| ([0-9]+) \| (.+) \| (.+) \|$", page(), re.MULTILINE)
    assert sorted(listed) == sorted((p.code, str(p.status), p.title.zh, p.title.en) for p in problems())


@every_problem
def test_a_refusal_is_one_that_some_route_may_give(problem: type[Problem]) -> None:
    given = {given for route in ROUTES for given in problems_of(route)}
    assert problem in given or problem.code in NEVER_FROM_A_ROUTE


# The gateway's own answer, broken data that no request can cause, and amounts that the schema has refused before.
NEVER_FROM_A_ROUTE = {
    "method-not-allowed", "concordance-corrupt", "reference-mixed",
    "amount-not-whole", "amount-not-positive", "amount-too-large",
}  # fmt: skip
