"""The city's statistics: counted from effects as the stream brings them, and read over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any

import pytest

from app import stream
from chalicelib.core import clock, log
from chalicelib.core import table as core_table
from chalicelib.core.stream import Change
from chalicelib.core.table import Key
from chalicelib.offers.rules.statistics import Cell, Days
from chalicelib.offers.service import statistics
from chalicelib.offers.store import statistics as store
from infra.local import database
from tests.conftest import Answer, Api, Calls
from tests.emulator import Emulator
from tests.integration.core.faults import CONFLICT, Fault, cancelled, inject, lost_after, lost_before
from tests.integration.core.streaming import deliver, pump_of, records_of
from tests.integration.offers.sales import DAY, SCENARIO, city, happened, redeemed, refunded
from tests.integration.scores import on_dynoxide

NOW = datetime(2026, 8, 15, 4, 0, tzinfo=UTC)
PATH = "/v1/cities/xiamen/statistics"
EVER = Days(date(2026, 6, 1), date(2026, 8, 31))
Drain = Callable[[], int]


def counted(scenario_id: str = SCENARIO) -> dict[tuple[str, str | None], Cell]:
    """What is stored of a scenario."""
    found = store.list_tallies("xiamen", scenario_id, EVER)
    return {(f"{tally.day}", tally.district): tally.cell for tally in found}


def ask(api: Api, first: str = "2026-08-01", last: str = "2026-08-31", more: str = "") -> Answer:
    return api.get(
        f"{PATH}?from={first}&to={last}{more}", token=api.as_city("xiamen", scope="statistics:read", now=NOW)
    )


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.fixed(NOW):
        yield
    log.request_id.set("-")


@pytest.fixture
def streams(table: None) -> Any:
    """The streams of the table in memory. moto does not know their address in China."""
    import boto3

    return boto3.client("dynamodbstreams", endpoint_url="https://streams.dynamodb.cn-north-1.amazonaws.com")


@pytest.fixture
def drain(streams: Any) -> Drain:
    """Hands over everything there ever was, every time."""
    return lambda: pump_of(Emulator.client, streams).drain()


def test_what_merchants_sell_is_seen_by_the_city(api: Api, drain: Drain) -> None:
    city()
    for _ in range(11):
        redeemed(visitor=True)
    for _ in range(9):
        redeemed(district=None, day="2026-08-13")
    assert drain() == 20
    answer = ask(api)
    assert answer.status == 200
    figures = {"uses": 11, "visitor_uses": 11, "saved_fen": 19_800}
    assert answer.body["items"] == [
        {
            "scenario_id": SCENARIO,
            "figures": figures,
            "months": [],
            "days": [{"day": "2026-08-14", "district": "jimei", "figures": figures}],
        }
    ]
    assert (answer.body["figures"], answer.body["first_day"]) == (figures, "2026-08-01")
    assert "2026-08-13" not in answer.text, "nine uses are not even told to be there"


def test_a_refund_falls_on_the_day_of_the_sale(drain: Drain) -> None:
    city()
    redeemed(visitor=True, saved_fen=1000)
    redeemed(saved_fen=500)
    refunded(visitor=True, saved_fen=300, whole=False)
    drain()
    assert counted() == {("2026-08-14", "jimei"): Cell(2, 1, 1200)}
    refunded(visitor=True, saved_fen=700)
    drain()
    assert counted() == {("2026-08-14", "jimei"): Cell(1, 0, 500)}
    refunded(saved_fen=500)
    drain()
    assert counted() == {("2026-08-14", "jimei"): Cell()}


def test_ONCE_the_whole_stream_again_changes_nothing(drain: Drain) -> None:
    city()
    for _ in range(3):
        redeemed()
    assert [drain(), drain(), drain()] == [3, 3, 3]
    assert counted() == {("2026-08-14", "jimei"): Cell(3, 0, 5400)}


def season(chance: Random, sales: int) -> dict[tuple[str, str | None], Cell]:
    """Sales and refunds of some days and districts; what they come to."""
    found: dict[tuple[str, str | None], Cell] = {}
    for _ in range(sales):
        day, district = f"2026-08-{chance.randint(1, 3):02d}", chance.choice([None, "jimei"])
        visitor, saved_fen, kept = chance.random() < 0.4, chance.randint(0, 900), chance.choice([None, True, False])
        redeemed(day=day, district=district, visitor=visitor, saved_fen=saved_fen)
        found[day, district] = found.get((day, district), Cell()) + Cell(1, int(visitor), saved_fen)
        if kept is not None:
            back = saved_fen if not kept else saved_fen // 2
            refunded(sold_on=day, district=district, visitor=visitor, saved_fen=back, whole=not kept)
            found[day, district] += Cell(-int(not kept), -int(visitor and not kept), -back)
    return found


FAULTS: list[Fault | None] = [None, lost_before, lost_after, cancelled(CONFLICT), cancelled(None, CONFLICT), lost_after]


@pytest.mark.parametrize("seed", range(3))
def test_ONCE_twice_out_of_order_in_batches_and_under_faults(
    streams: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = Random(seed)
    city()
    expected = season(chance, 8)
    records = records_of(Emulator.client, streams)
    sent = [*records, *chance.choices(records, k=len(records))]
    chance.shuffle(sent)
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    attempts = inject(monkeypatch, (chance.choice(FAULTS) for _ in cycle([0])))
    while sent:
        size = chance.randint(1, 9)
        deliver(sent[:size])
        sent = sent[size:]
    assert counted() == expected
    assert len(attempts.tokens) > 2 * len(records), "faults were in the way"


def test_ONCE_batches_that_meet_are_counted_once() -> None:
    """On a database that executes one transaction after another."""
    on_dynoxide.need()
    with on_dynoxide.fresh_table() as endpoint:
        city()
        expected = season(Random(9), 20)
        records = records_of(database.client(endpoint), database.streams(endpoint))
        parts = [records[start : start + 10] for start in range(0, len(records), 10)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(deliver, [*parts, *reversed(parts)]))
        assert counted() == expected


@pytest.mark.parametrize("fault", [lost_before, cancelled(rest=CONFLICT)], ids=["lost", "busy"])
def test_what_could_not_be_written_comes_again(streams: Any, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    city()
    for _ in range(3):
        redeemed()
    records = records_of(Emulator.client, streams)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "sleep", lambda seconds: None)
        patch.setattr(statistics, "PATIENCE_SECONDS", 0.0)
        inject(patch, iter([None, *[fault] * 50]))
        said = stream({"Records": records}, None)
    assert said == {"batchItemFailures": [{"itemIdentifier": records[1]["dynamodb"]["SequenceNumber"]}]}
    assert counted() == {("2026-08-14", "jimei"): Cell(1, 0, 1800)}
    assert stream({"Records": records[1:]}, None) == {"batchItemFailures": []}
    assert counted() == {("2026-08-14", "jimei"): Cell(3, 0, 5400)}


def test_an_event_as_lambda_hands_it_over(table: None) -> None:
    city()
    row = redeemed(visitor=True)
    image = row.to_dynamodb_dict()
    change = {
        "ApproximateCreationDateTime": 1786766400.0,
        "Keys": {"pk": image["pk"], "sk": image["sk"]},
        "NewImage": image,
        "SequenceNumber": "4421584500000000017450439091",
        "SizeBytes": 940,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    about = {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "cn-north-1",
        "eventSourceARN": "arn:aws-cn:dynamodb:cn-north-1:000000000000:table/egret/stream/2026-01-01T00:00:00.000",
    }
    event = json.loads(json.dumps({"Records": [{**about, "dynamodb": change}]}))
    assert stream(event, object()) == {"batchItemFailures": []}
    assert counted() == {("2026-08-14", "jimei"): Cell(1, 1, 1800)}


def test_other_effects_and_other_changes_count_nothing(drain: Drain) -> None:
    city()
    redeemed()
    happened("decide", score="none")
    happened("reserve:xiamen/jimei_produce", v=1)
    happened("release:xiamen/jimei_produce", v=1)
    assert drain() == 4
    uncounted = redeemed()
    statistics.count(NOW, Change(uncounted, uncounted))
    statistics.count(NOW, Change(uncounted, None))
    assert counted() == {("2026-08-14", "jimei"): Cell(1, 0, 1800)}


SPOILT: list[dict[str, Any]] = [
    {"v": 2},
    {"saved_fen": -1},
    {"saved_fen": 1.5},
    {"day": "2026-8-1"},
    {"district": "Jimei"},
    {"visitor": None},
    {"quote_id": "hangzhou.q"},
    {"person": "p1_x"},
]


@pytest.mark.parametrize("change", SPOILT, ids=lambda change: "-".join(change))
def test_an_effect_that_says_something_else_is_poisoned(
    table: None, change: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = redeemed(**change)
    record = {"dynamodb": {"SequenceNumber": "7", "NewImage": spoilt.to_dynamodb_dict()}}
    assert stream({"Records": [record]}, None) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert counted() == {}
    assert '"code": "poisoned"' in capsys.readouterr().out


def test_an_effect_that_was_changed_or_names_another_scenario_is_poisoned(table: None) -> None:
    changed = redeemed()
    changed.facts = changed.facts.replace("1800", "9900")
    moved = happened("redeem:xiamen/library", **json.loads(redeemed().facts))
    for row in (changed, moved):
        with pytest.raises(AssertionError):
            store.event_of(row)


def test_the_marker_outlives_the_stream_and_the_queue_of_the_lost(table: None, drain: Drain) -> None:
    row = redeemed()
    drain()
    key = store.counted_key("xiamen", row.effect_id)
    marker = table_get(key)
    assert key == (f"xiamen#counted#{row.effect_id}", "counted")
    assert marker.expires_at == (NOW + timedelta(days=30)).timestamp()


def table_get(key: Key) -> Any:
    return core_table.fetch([key])[key]


def test_a_cell_that_is_no_cell_is_poisoned(table: None) -> None:
    row, other = redeemed(), redeemed()
    other.pk, other.sk = store.cell_key("xiamen", SCENARIO, DAY, "jimei")
    other.save()
    record = {"dynamodb": {"SequenceNumber": "7", "NewImage": row.to_dynamodb_dict()}}
    assert stream({"Records": [record]}, None) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert core_table.fetch([store.counted_key("xiamen", row.effect_id)]) == {}


def test_only_the_days_that_were_asked_for_are_read(table: None, drain: Drain) -> None:
    for day in ("2026-07-31", "2026-08-01", "2026-08-02", "2026-08-03"):
        redeemed(day=day)
        redeemed(day=day, district=None)
    drain()
    days = Days(date(2026, 8, 1), date(2026, 8, 2))
    found = [(f"{t.day}", t.district) for t in store.list_tallies("xiamen", SCENARIO, days)]
    assert found == [("2026-08-01", None), ("2026-08-01", "jimei"), ("2026-08-02", None), ("2026-08-02", "jimei")]


def test_a_long_list_of_cells_is_read_to_its_end(table: None, drain: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(1, 8):
        redeemed(day=f"2026-08-{day:02d}")
    drain()
    monkeypatch.setattr(store, "_PAGE", 3)
    assert len(counted()) == 7


def test_a_month_that_is_over_tells_its_few_uses_together(api: Api, drain: Drain) -> None:
    city()
    for day in range(1, 5):
        for n in range(6):
            redeemed(day=f"2026-07-{day:02d}", visitor=n < 3, saved_fen=100)
    drain()
    assert ask(api, "2026-07-02", "2026-07-31").body["items"] == []
    (item,) = ask(api, "2026-07-01", "2026-07-31").body["items"]
    figures = {"uses": 24, "visitor_uses": 12, "saved_fen": 2400}
    assert item["months"] == [
        {"month": "2026-07", "figures": figures, "districts": [{"district": "jimei", "figures": figures}]}
    ]
    assert item["days"] == []


def test_a_month_is_over_by_the_citys_own_clock(table: None) -> None:
    city()
    for n in range(12):
        row = redeemed(day=f"2026-07-{1 + n % 3:02d}")
        statistics.count(NOW, Change(None, row))
    july = Days(date(2026, 7, 1), date(2026, 7, 31))
    midnight = datetime(2026, 7, 31, 16, 0, tzinfo=UTC)
    assert statistics.read(midnight - timedelta(milliseconds=1), "xiamen", july).items == ()
    (item,) = statistics.read(midnight, "xiamen", july).items
    assert [month.figures.uses for month in item.months] == [12]


def test_a_city_without_sales_gets_an_empty_list_with_the_span(api: Api) -> None:
    city()
    answer = ask(api)
    assert answer.status == 200
    body = answer.body
    assert (body["items"], body["figures"]) == ([], None)
    assert (body["city_id"], body["first_day"], body["last_day"]) == ("xiamen", "2026-08-01", "2026-08-31")
    assert "10" in body["note"]["zh"]


def test_one_scenario_can_be_asked_for(api: Api, drain: Drain) -> None:
    city("jimei_produce", "library")
    for _ in range(10):
        redeemed()
        redeemed(scenario_id="library")
    drain()
    assert [item["scenario_id"] for item in ask(api).body["items"]] == ["jimei_produce", "library"]
    assert ask(api).body["figures"]["uses"] == 20
    assert [item["scenario_id"] for item in ask(api, more="&scenario=library").body["items"]] == ["library"]
    assert ask(api, more="&scenario=bicycle").code == "not-found"
    assert ask(api, more="&scenario=xiamen/library").code == "not-found"


def test_a_request_costs_one_read_and_a_query_for_each_scenario(api: Api, calls: Calls) -> None:
    city("jimei_produce", "library", "bicycle")
    assert calls.during(lambda: ask(api)) == {"BatchGetItem": 1, "Query": 3}
    assert calls.during(lambda: ask(api, more="&scenario=library")) == {"BatchGetItem": 1, "Query": 1}
    assert calls.during(lambda: ask(api, "2026-08-02", "2026-08-01")) == {}


def test_counting_is_one_transaction(table: None, calls: Calls) -> None:
    row = redeemed()
    before = len(calls.names)
    statistics.count(NOW, Change(None, row))
    statistics.count(NOW, Change(None, row))
    assert calls.names[before:] == ["TransactWriteItems"] * 2


@pytest.mark.parametrize(
    "query",
    ["", "?from=2026-08-01", "?from=2026-08-01&to=2026-07-31", "?from=2026-01-01&to=2026-12-31", "?from=1&to=2"],
)
def test_a_bad_span_is_refused_in_both_languages(api: Api, query: str) -> None:
    city()
    answer = api.get(PATH + query, token=api.as_city("xiamen", scope="statistics:read", now=NOW))
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert answer.body["detail"] != answer.body["title"]
    assert answer.body["detail_zh"] != answer.body["title_zh"]


def test_only_the_city_itself_may_ask(api: Api) -> None:
    city()
    span = "?from=2026-08-01&to=2026-08-31"
    for token, status in (
        (api.as_city("hangzhou", scope="statistics:read", now=NOW), 404),
        (api.as_city("xiamen", scope="offers:review", now=NOW), 403),
        (api.as_partner("merchant", "qingliu-farm", scope="statistics:read", now=NOW), 403),
        (None, 401),
    ):
        assert api.get(PATH + span, token=token).status == status
