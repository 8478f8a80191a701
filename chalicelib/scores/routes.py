"""How scores are reported, imported and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from chalicelib.cities.rules import CitySuspended, ScoreOffScale
from chalicelib.core import codec, schema
from chalicelib.core.auth import allow
from chalicelib.core.errors import InvalidRequest, Problem
from chalicelib.core.http import Call, Reply, Routes, paged
from chalicelib.core.text import Text
from chalicelib.scores import service, store
from chalicelib.scores.rules import (
    ImportOutOfStep,
    ImportPastEnd,
    RowUnreadable,
    ScaleNotCurrent,
    ScoreConflict,
    ScoreInFuture,
    ScoreMissing,
    ScoreOutdated,
    reply_to,
    unreadable,
)
from chalicelib.scores.service import Row
from chalicelib.subjects.rules import HeldScore

routes = Routes("scores", __name__)
_PAGE = ("limit", "cursor")
_ROWS_MAX_BYTES = 262_144
_WRITE = allow("city", scope="scores:write", owner="city_id")
_READ = allow("city", scope="scores:read", owner="city_id")
_OF_A_ROW = (ScoreOffScale, ScoreInFuture, ScoreConflict, ScoreOutdated)


@routes.route(
    "PUT", "/v1/cities/{city_id}/subjects/{subject_id}/score", policy=_WRITE,
    body="scores/report_score.json", reply="scores/reported.json",
    problems=(CitySuspended, ScaleNotCurrent, *_OF_A_ROW),
    summary=Text("上报一个主体的信用分", "Report a subject's score"),
)  # fmt: skip
def report_score(call: Call) -> Reply:
    row = Row(call.path["subject_id"], codec.build(HeldScore, call.body))
    return Reply({"outcome": service.report(call.now, call.path["city_id"], row)})


@routes.route(
    "POST", "/v1/cities/{city_id}/scores", policy=_WRITE, max_bytes=_ROWS_MAX_BYTES,
    body="scores/report_scores.json", reply="scores/row_replies.json", problems=(CitySuspended, ScaleNotCurrent),
    summary=Text("批量上报信用分，逐行答复", "Report up to 500 scores, with a reply for each"),
)  # fmt: skip
def report_scores(call: Call) -> Reply:
    rows = [_row(row, call.body["scale_version"]) for row in call.body["rows"]]
    results = service.report_many(call.now, call.path["city_id"], rows)
    return Reply({"rows": [reply_to(result) for result in results]})


def _row(body: Any, scale_version: int) -> Row | Problem:
    """The row that was sent, or why it is none; one bad row does not spoil the others."""
    try:
        schema.validate("scores/row.json", body)
    except InvalidRequest as invalid:
        return _at_its_place(invalid)
    return Row(body["subject_id"], codec.build(HeldScore, body, scale_version=scale_version))


def _file_row(body: Any) -> Row | Problem:
    """The row of a file: as sent, or what whoever read the file says is wrong with it."""
    if not (isinstance(body, Mapping) and "unreadable" in body):
        return _row(body, service.SCALE_OF_THE_IMPORT)
    try:
        schema.validate("scores/unreadable_row.json", body)
    except InvalidRequest as invalid:
        return _at_its_place(invalid)
    return unreadable(body["unreadable"])


def _at_its_place(invalid: InvalidRequest) -> InvalidRequest:
    fault = invalid.faults[0]
    name = fault.pointer.removeprefix("/")
    if not name:
        return InvalidRequest(fault.detail)
    return InvalidRequest(Text(f"{name}：{fault.detail.zh}", f"{name}: {fault.detail.en}"))


@routes.route(
    "GET", "/v1/cities/{city_id}/subjects/{subject_id}/score", policy=_READ, reply="scores/score.json",
    problems=(ScoreMissing,),
    summary=Text("查看一个主体的信用分（留痕）", "Look at a subject's score; the look is recorded"),
)  # fmt: skip
def get_score(call: Call) -> Reply:
    return Reply(service.look(call.unit, call.caller, call.now, call.path["subject_id"]))


@routes.route(
    "GET", "/v1/cities/{city_id}/subjects/{subject_id}/score/history", policy=_READ, query=_PAGE,
    reply="scores/history.json",
    summary=Text("查看一个主体的逐月信用分（留痕）", "Look at a subject's scores by month; the look is recorded"),
)  # fmt: skip
def get_history(call: Call) -> Reply:
    subject_id = call.path["subject_id"]
    purpose = f"score-history:{call.caller.sector}:{subject_id}"
    return paged(call, purpose, partial(service.look_at_history, call.unit, call.caller, call.now, subject_id))


@routes.route(
    "GET", "/v1/me/score", policy=allow("citizen"), reply="scores/score.json", problems=(ScoreMissing,),
    summary=Text("我的信用分", "My score"),
)  # fmt: skip
def get_my_score(call: Call) -> Reply:
    return Reply(service.score_of(call.caller.city_id, call.caller.tenant))


@routes.route(
    "GET", "/v1/me/score/history", policy=allow("citizen"), query=_PAGE, reply="scores/history.json",
    summary=Text("我的逐月信用分", "My scores by month"),
)  # fmt: skip
def get_my_history(call: Call) -> Reply:
    purpose = f"my-score-history:{call.caller.tenant}"
    return paged(call, purpose, partial(service.history_of, call.caller.city_id, call.caller.tenant))


@routes.route(
    "POST", "/v1/cities/{city_id}/score-imports", policy=_WRITE, effect=True,
    body="scores/open_import.json", reply="scores/import.json", problems=(CitySuspended, ScaleNotCurrent),
    summary=Text("开始或找回一个文件的导入", "Open the import of a file, or find it again"),
)  # fmt: skip
def open_import(call: Call) -> Reply:
    body = call.body
    job = service.open_import(
        call.unit, call.effect_intent, call.now, call.path["city_id"], body["file_sha256"], body["file_name"],
        body["scale_version"], body.get("rows_total"),
    )  # fmt: skip
    return Reply(job)


@routes.route(
    "POST", "/v1/cities/{city_id}/score-imports/{job_id}/rows", policy=_WRITE, max_bytes=_ROWS_MAX_BYTES,
    body="scores/import_rows.json", reply="scores/import_progress.json",
    problems=(CitySuspended, ImportPastEnd, ImportOutOfStep, ScaleNotCurrent, RowUnreadable),
    summary=Text("导入文件的若干行", "Import some rows of the file"),
)  # fmt: skip
def import_rows(call: Call) -> Reply:
    city_id, job_id, body = call.path["city_id"], call.path["job_id"], call.body
    rows = [_file_row(row) for row in body["rows"]]
    last = body.get("last", False)
    return Reply(service.import_rows(call.now, city_id, job_id, body["first_row"], rows, last=last))


@routes.route(
    "GET", "/v1/cities/{city_id}/score-imports/{job_id}", policy=_WRITE, reply="scores/import.json",
    summary=Text("导入的进度", "How far an import has come"),
)  # fmt: skip
def get_import(call: Call) -> Reply:
    return Reply(store.load_import(call.path["city_id"], call.path["job_id"]))


@routes.route(
    "GET", "/v1/cities/{city_id}/score-imports/{job_id}/refused", policy=_WRITE, query=_PAGE,
    reply="scores/refused_rows.json",
    summary=Text("导入中被拒绝的行", "The rows of an import that were refused"),
)  # fmt: skip
def list_refused(call: Call) -> Reply:
    job = store.load_import(call.path["city_id"], call.path["job_id"])
    return paged(call, f"import-refused:{job.city_id}:{job.job_id}", partial(store.list_refused, job))
