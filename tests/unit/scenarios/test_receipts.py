"""Golden receipts: what an engine has once said about these facts and tables it says for ever, byte for byte.

A release that changes the trace raises ``ENGINE_VERSION`` and adds files beside these; it changes none of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cities.rules import Grade, Scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import (
    ENGINE_VERSION,
    CompiledTable,
    Decision,
    Facts,
    GradeStanding,
    LinkedStanding,
    NoStanding,
    ResidentStanding,
    Standing,
    compile_table,
    decide,
    digest,
    parse_table,
    trace,
)

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


def read_scale(kept: dict[str, Any]) -> Scale:
    grades = tuple(Grade(*grade) for grade in kept["grades"])
    low, high, step = kept["range"]
    name = Text(*kept["score_name"])
    return Scale(kept["city_id"], kept["version"], name, low, high, step, kept["direction"], grades, date.min, "kept")


def read_standing(kept: dict[str, Any]) -> Standing:
    if kept["kind"] == "resident":
        return ResidentStanding(kept["score"])
    if kept["kind"] == "linked":
        worth, needed = kept["worth"], {int(threshold): score for threshold, score in kept["needed"].items()}
        return LinkedStanding(kept["score"], lambda threshold: worth >= threshold, needed.get)
    return GradeStanding(kept["low"], kept["high"]) if kept["kind"] == "grade" else NoStanding(kept["reason"])


def replay(golden: dict[str, Any], case: dict[str, Any]) -> Decision:
    compiled = compile_table(parse_table(golden["document"]), read_scale(golden["scale"]))
    on, standing = date.fromisoformat(case["on"]), read_standing(case["standing"])
    return decide(compiled, Facts(on, case["district"], standing, case["attributes"], case["resident"]))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_REPLAY_every_golden_receipt_comes_out_again_to_the_byte(path: Path) -> None:
    golden = json.loads(path.read_text("utf-8"))
    assert golden["engine_version"] == ENGINE_VERSION
    for case in golden["cases"]:
        decision = replay(golden, case)
        assert trace(decision).decode() == case["trace"]
        assert digest(decision) == case["sha256"]


def test_REPLAY_there_are_golden_receipts_of_every_kind_of_standing_and_outcome() -> None:
    traces = [json.loads(case["trace"]) for path in GOLDEN for case in json.loads(path.read_text("utf-8"))["cases"]]
    assert {kept["standing"] for kept in traces} == {"resident", "linked", "grade", "none"}
    assert {kept["outcome"] for kept in traces} == {"granted", "refused", "unknown"}


def test_a_trace_is_canonical_json_without_fractions(compiled: Callable[[str], CompiledTable]) -> None:
    facts = Facts(date(2025, 6, 1), "haicang", ResidentStanding(612), {}, True)
    raw = trace(decide(compiled("roadside_parking"), facts))

    def refuse(text: str) -> Any:
        raise AssertionError(text)

    content = json.loads(raw, parse_float=refuse, parse_constant=refuse)
    assert json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == raw


def test_the_digest_is_of_the_trace_and_tells_tables_and_people_apart(compiled: Callable[[str], CompiledTable]) -> None:
    on, table = date(2025, 6, 1), compiled("library")
    one, two = (decide(table, Facts(on, None, ResidentStanding(score), {}, True)) for score in (525, 526))
    assert digest(one) == hashlib.sha256(trace(one)).hexdigest()
    assert digest(one) != digest(two)
    other = decide(compiled("i_chewei_parking"), Facts(on, None, ResidentStanding(525), {}, True))
    assert one.compiled.sha256 != other.compiled.sha256
