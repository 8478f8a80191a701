"""The closed list of refusals, ``docs/problems.md``, from the classes: ``python -m infra.problems`` writes it anew."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from app import app
from chalicelib.core.errors import Problem, all_problems
from chalicelib.core.http import ROUTES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "problems.md"
HEAD = """\
# Problems · 拒绝理由

Every refusal is a problem document (`application/problem+json`, RFC 9457) with one of these codes. A code never
changes its meaning and is never used again; programs go by the code, people read the words. Where the fault lies in
the body, `errors` names each place with a JSON pointer.

每个拒绝都是一份问题文档，`code` 取自下表，含义永不改变。程序看 `code`，人看文字。
若请求体有误，`errors` 用 JSON 指针逐处指出。

This page is written by `python -m infra.problems`.
"""


def problems() -> list[type[Problem]]:
    """Every refusal of the core and of the domains that have routes, by domain and code."""
    assert app.routes, "importing the app loads every domain"
    asked = {"core", *(route.domain for route in ROUTES)}
    ours = [p for p in known() if domain_of(p) in asked]
    return sorted(ours, key=lambda problem: (domain_of(problem) != "core", domain_of(problem), problem.code))


def known() -> list[type[Problem]]:
    """Every refusal that is declared anywhere."""
    return [problem for problem in all_problems() if problem.__module__.startswith("chalicelib.")]


def domain_of(problem: type[Problem]) -> str:
    """The package that declares a refusal."""
    return problem.__module__.split(".")[1]


def page() -> str:
    """The page as it should be."""
    parts = [HEAD]
    for domain, group in groupby(problems(), key=domain_of):
        parts.append(f"\n## {domain}\n\n| code | status | 中文 | English |\n|---|---|---|---|\n")
        parts += [f"| `{p.code}` | {p.status} | {p.title.zh} | {p.title.en} |\n" for p in group]
    return "".join(parts)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
