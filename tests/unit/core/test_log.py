"""A line has only declared fields, and a crash says where, never what."""

from __future__ import annotations

import json

import pytest

from chalicelib.core import log

SECRET = "350203199001011234"


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    token = log.request_id.set("req-1")
    try:
        log.event("request", method="GET", status=200, code=None)
    finally:
        log.request_id.reset(token)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "event": "request", "level": "info", "request_id": "req-1", "method": "GET", "status": 200, "code": None,
    }  # fmt: skip


@pytest.mark.parametrize("field", ["score", "subject_id", "person_id", "body", "token", "tenant", "detail", "path"])
def test_MINIMAL_a_field_that_is_not_declared_is_a_broken_belief(
    field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError):
        log.event("request", **{field: SECRET})
    assert capsys.readouterr().out == ""


def test_MINIMAL_a_crash_never_shows_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    def lookup(person: str) -> None:
        raise KeyError(f"no such person: {person}")

    try:
        lookup(SECRET)
    except KeyError as error:
        log.crash(error)
    said = json.loads(capsys.readouterr().out)
    assert SECRET not in json.dumps(said)
    assert (said["event"], said["level"], said["error_type"]) == ("crash", "error", "KeyError")
    assert said["error_place"].startswith("test_log.py:")
    assert " lookup < " in said["error_place"]
