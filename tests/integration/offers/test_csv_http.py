"""Spreadsheets over HTTP: as merchants' programs write them, every bad row named, nothing lost, nothing done twice."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.text import Text
from chalicelib.offers.rules import COLUMNS, Offer, Product, write_drafts
from chalicelib.offers.rules.csv_columns import REQUIRED
from chalicelib.offers.rules.csv_import import MAX_ROWS
from chalicelib.offers.service import exporting, importing
from tests.integration.core.faults import Fault, inject, lost_before
from tests.integration.offers.counter import AUTHOR, OFFERS, SELLER, Desk
from tests.unit.offers.shop import TEA, TOFU, fixed
from tests.world import Answer, World

NAMES = [column.name for column in COLUMNS]


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    return Desk(world)


def send(
    desk: Desk, raw: bytes, actor: str = AUTHOR, *, query: str = "", key: str = "", kind: str = "text/csv"
) -> Answer:
    """A file goes to the farm's import."""
    return desk.world.post(f"{OFFERS}/import{query}", actor, raw=raw, content_type=kind, key=key)


def taken(desk: Desk, raw: bytes | str) -> Any:
    answer = send(desk, raw.encode() if isinstance(raw, str) else raw)
    assert answer.status == 200, answer.text
    return answer.body


def exported(desk: Desk, query: str = "") -> Answer:
    return desk.world.send("GET", f"{OFFERS}/export{query}", AUTHOR)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def sheet(rows: Sequence[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, NAMES)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def done(report: Any) -> tuple[int, int, int]:
    return report["made"], report["changed"], report["unchanged"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_file_in_gbk_or_with_a_mark_is_read_and_said(desk: Desk, encoding: str) -> None:
    made = [desk.offer(), desk.offer(title=Text("茶“好”", "Tea"))]
    report = taken(desk, write_drafts(made).encode(encoding))
    assert (report["encoding"], report["bom"]) == ("gb18030" if encoding == "gbk" else "utf-8", encoding == "utf-8-sig")
    assert (report["rows"], done(report)) == (4, (2, 0, 0))
    content = desk.read(made[1], 1)["content"]
    assert (content["title"]["zh"], content["time_zone"], content["version"]) == ("茶“好”", "Asia/Shanghai", 1)
    assert desk.read(made[1], 1)["state"] == "draft"


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    text = write_drafts([desk.offer(), desk.offer(tiers=(fixed("极好", tea=8000, tofu=3000),))])
    assert done(taken(desk, text)) == (2, 0, 0)
    before = desk.world.items()
    assert done(taken(desk, text)) == (0, 0, 2)
    changed = [item for item in desk.world.items() if item not in before]
    assert [item["kind"]["S"] for item in changed] == ["effect"]


def test_what_is_open_is_written_anew_and_what_is_released_gets_a_next_version(desk: Desk) -> None:
    drafted, live, waiting, same = (desk.offer() for _ in range(4))
    desk.drafted(drafted)
    desk.shelved(live)
    for offer in (waiting, same):
        desk.drafted(offer)
        desk.moved(offer, 1, "submit")
    new = Text("改过的", "Changed")
    changed = [replace(one, title=new) for one in (drafted, live, waiting)]
    report = taken(desk, write_drafts([*changed, same]))
    assert done(report) == (1, 1, 1)
    (refused,) = report["refused"]
    assert (refused["offer_id"], refused["code"]) == (waiting.offer_id, "offer-state")
    assert "第 1 版" in refused["said"]["zh"]
    assert desk.read(drafted, 1)["content"]["title"]["en"] == "Changed"
    assert [desk.read(live, n)["state"] for n in (1, 2)] == ["live", "draft"]
    assert desk.read(waiting, 1)["content"]["title"] == {"zh": "清流好物", "en": "Good things from Qingliu"}


def test_whoever_imports_over_a_draft_is_one_of_its_authors(desk: Desk) -> None:
    made = desk.offer()
    taken(desk, write_drafts([made]))
    desk.moved(made, 1, "submit")
    assert desk.move(made, 1, "approve", "city:xiamen/qingliu-author").code == "approval-by-author"


FORMULAS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "＝1+1", "'=1", "''quoted", '"a","b"']


def test_no_cell_is_a_formula_and_every_text_comes_back(desk: Desk) -> None:
    made = {desk.offer().offer_id: words for words in FORMULAS}
    for offer_id, words in made.items():
        desk.drafted(desk.offer(offer_id=offer_id, title=Text(words, words), description=Text(words, words)))
    rows = [row for row in rows_of(exported(desk).text) if row["offer_id"] in made]
    for row in rows:
        for name in ("title_zh", "title_en", "description_zh", "description_en"):
            assert row[name].lstrip()[0] not in "=+-@＝＋－＠"
            assert row[name].lstrip("'") == made[row["offer_id"]].lstrip("'")
    assert done(taken(desk, sheet(rows))) == (0, 0, len(made))


def test_what_is_exported_imports_unchanged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_HEADS_A_PAGE", 7)
    spaced = desk.offer(title=Text(" 两边有空格 ", " blanks "))
    desk.drafted(spaced)
    answer = exported(desk)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.text.startswith("\ufeffoffer_id,")
    assert "link" not in answer.headers
    offers = {row["offer_id"] for row in rows_of(answer.text)}
    assert len(offers) > 20
    report = taken(desk, answer.text)
    assert done(report) == (0, 0, len(offers))
    assert (report["bom"], report["bad_rows"]) == (True, [])


def sent(text: str) -> int:
    """The bytes of a text in the reply of a function."""
    return len(json.dumps(text))


def filed(text: str) -> int:
    """The bytes of a text in a file."""
    return len(text.encode())


@pytest.mark.parametrize(("bound", "weight"), [("MAX_BYTES", filed), ("MAX_REPLY_BYTES", sent)])
def test_more_than_an_import_or_a_reply_takes_is_exported_in_parts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, bound: str, weight: Callable[[str], int]
) -> None:
    text = exported(desk).text
    whole, most = rows_of(text), weight(text) // 3
    monkeypatch.setattr(exporting, bound, most)
    rows: list[dict[str, str]] = []
    path = f"{OFFERS}/export"
    parts = 0
    while path:
        answer = desk.world.send("GET", path, AUTHOR)
        assert weight(answer.text) <= most + 2
        rows += rows_of(answer.text)
        path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
        parts += 1
    assert rows == whole
    assert parts == 4


@pytest.mark.parametrize("after", ["x", "A", "a'b", "x" * 49])
def test_only_an_id_says_where_to_go_on(desk: Desk, after: str) -> None:
    assert exported(desk, f"?after={after}").code == "invalid-request"


def test_an_export_is_its_merchants_and_its_citys(desk: Desk) -> None:
    assert desk.world.send("GET", f"{OFFERS}/export", "merchant:zogang-coop").code == "not-found"
    assert desk.world.send("GET", f"{OFFERS}/export", "city:hangzhou").code == "not-found"
    assert desk.world.send("GET", f"{OFFERS}/export", "city:xiamen/rui").status == 200
    assert send(desk, b"x", "merchant:zogang-coop/zogang-author").code == "not-found"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xef\xbb\xbf", "csv-unreadable"),
        (b"PK\x03\x04\x00\x00", "csv-unreadable"),
        (b"\x80\xff\xff", "csv-unreadable"),
        (b"a,b\n1,2\n", "csv-unreadable"),
        (",".join(NAMES).encode(), "csv-unreadable"),
        (b"x" * 4_000_001, "too-large"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(desk: Desk, raw: bytes, code: str) -> None:
    with desk.world.nothing_written():
        assert send(desk, raw).code == code


def test_json_is_no_spreadsheet_and_a_seller_no_author(desk: Desk) -> None:
    text = write_drafts([desk.offer()]).encode()
    assert send(desk, text, kind="application/json").code == "unsupported-media-type"
    assert send(desk, text, SELLER).code == "offer-move-forbidden"


def test_a_dry_run_tells_and_keeps_nothing(desk: Desk) -> None:
    made, drafted = desk.offer(), desk.offer()
    desk.drafted(drafted)
    text = write_drafts([made, replace(drafted, category="grain")]).encode()
    with desk.world.nothing_written():
        tried = send(desk, text, query="?dry_run=true", key="try-the-import")
    assert (tried.status, done(tried.body), tried.headers["egret-dry-run"]) == (200, (1, 1, 0), "true")
    real = send(desk, text, key="try-the-import")
    assert real.text == tried.text
    again = send(desk, text, query="?dry_run=true", key="try-the-import")
    assert done(again.body) == (0, 0, 2)


def test_ONCE_an_import_again_under_its_key_writes_over_nothing(desk: Desk) -> None:
    made = desk.offer()
    text = write_drafts([made]).encode()
    first = send(desk, text, key="import-me-once")
    changed = replace(made, title=Text("后来改的", "Changed since"))
    assert desk.edit(changed, 1).status == 200
    again = send(desk, text, key="import-me-once")
    assert (again.replayed, again.text) == (True, first.text)
    assert desk.read(made, 1)["content"]["title"]["en"] == "Changed since"
    assert send(desk, text + b"\n", key="import-me-once").code == "idempotency-key-reused"


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_an_import_that_was_cut_short_is_sent_again(desk: Desk, monkeypatch: pytest.MonkeyPatch, lost: int) -> None:
    """Batches that were written stay; the same request goes on where it stopped."""
    made = [desk.offer(offer_id=f"cut-{lost}-{n}") for n in range(2 * importing.BATCH + 1)]
    text, key = write_drafts(made).encode(), f"cut-short-{lost}"
    with monkeypatch.context() as patch:
        inject(patch, iter([*[None] * lost, lost_before]))
        assert send(desk, text, key=key).status == 503
    report = send(desk, text, key=key).body
    there = min(importing.BATCH * lost, len(made))
    assert done(report) == (len(made) - there, 0, there)


def test_a_draft_that_somebody_changes_meanwhile_is_looked_at_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made, other = desk.offer(), desk.offer()
    desk.drafted(made)

    def overtaken(_: Any, write: Callable[[], None]) -> None:
        desk.moved(made, 1, "submit")
        write()

    faults: list[Fault | None] = [overtaken]
    with monkeypatch.context() as patch:
        inject(patch, iter(faults))
        report = taken(desk, write_drafts([replace(made, category="grain"), other]))
    assert (done(report), [one["offer_id"] for one in report["refused"]]) == ((1, 0, 0), [made.offer_id])
    assert desk.read(made, 1)["content"]["category"] == "tea"


def test_an_offer_with_too_much_in_it_is_named(desk: Desk) -> None:
    photo = "https://shop.example/" + "p" * 190
    goods = [replace(TOFU, variant_id=f"tofu-{n}", name=Text("名" * 80, "n" * 80)) for n in range(80)]
    products = tuple(
        Product(f"p-{n}", Text("名" * 80, "n" * 80), tuple(goods[2 * n : 2 * n + 2]), (photo,) * 8) for n in range(40)
    )
    large, small = desk.offer(products=products), desk.offer()
    report = taken(desk, write_drafts([large, small]))
    assert [(one["offer_id"], one["code"]) for one in report["refused"]] == [(large.offer_id, "too-large")]
    assert done(report) == (1, 0, 0)


def test_who_is_suspended_imports_nothing(own_world: World) -> None:
    desk = Desk(own_world)
    text = write_drafts([desk.offer()]).encode()
    own_world.suspend_partner("qingliu-farm")
    assert send(desk, text).code == "partner-suspended"


def test_an_offer_keeps_its_own_dates_whatever_the_zone(desk: Desk) -> None:
    made: Offer = desk.offer()
    taken(desk, write_drafts([made]))
    content = desk.read(made, 1)["content"]
    assert content["valid_to"] == made.valid_to.isoformat().replace("+00:00", "Z")


def test_ten_thousand_rows_with_three_bad_ones(desk: Desk) -> None:
    """Each of the three is named; the rows of their offers are held back, and all others are in."""
    goods = [replace(TEA, variant_id=f"tea-{n}", name=Text(f"茶 {n}", f"Tea {n}")) for n in range(50)]
    products = tuple(Product(f"p-{n}", TEA.name, tuple(goods[n : n + 2])) for n in range(0, 50, 2))
    rows = rows_of(write_drafts(desk.offer(offer_id=f"mass-{n}", products=products) for n in range(200)))
    assert len(rows) == 10_000
    rows[16]["price_fen"] = "-5"
    rows[5_001]["valid_to"] = rows[5_001]["valid_from"]
    rows[9_998]["stock"] = "many"
    report = taken(desk, sheet(rows).encode("gbk"))
    assert [(row["line"], [fault["column"] for fault in row["faults"]]) for row in report["bad_rows"]] == [
        (18, ["price_fen"]), (5_003, ["valid_to"]), (10_000, ["stock"]),
    ]  # fmt: skip
    assert all(fault["said"]["zh"] for row in report["bad_rows"] for fault in row["faults"])
    assert (report["rows"], done(report), len(report["held_back"])) == (10_000, (197, 0, 0), 3 * 49)
    assert (report["more_bad_lines"], report["refused"], report["more_refused"]) == ([], [], 0)
    assert (report["bad"], report["held_back_in_all"]) == (3, 3 * 49)
    for number, status in ((0, 404), (1, 200), (100, 404), (199, 404), (150, 200)):
        assert desk.world.send("GET", f"{OFFERS}/mass-{number}/versions/1", AUTHOR).status == status
    rows[16]["price_fen"], rows[9_998]["stock"] = "8800", "200"
    rows[5_001]["valid_to"] = rows[5_000]["valid_to"]
    assert done(taken(desk, sheet(rows))) == (3, 0, 197)


def test_where_everything_is_bad_every_line_is_named_and_the_first_are_explained(desk: Desk) -> None:
    rows = rows_of(write_drafts(desk.offer(offer_id=f"bad-{n}") for n in range(400)))
    report = taken(desk, sheet([row | {"price_fen": "free", "stock": "many"} for row in rows]))
    told = [row["line"] for row in report["bad_rows"]]
    assert sum(len(row["faults"]) for row in report["bad_rows"]) == importing.MAX_FAULTS_TOLD
    assert told + report["more_bad_lines"] == list(range(2, 802))
    assert report["bad"] == 800
    assert done(report) == (0, 0, 0)
    assert "free" not in str(report)


def test_no_reply_is_larger_than_a_function_may_give() -> None:
    assert exporting.MAX_REPLY_BYTES < 6 * 1024 * 1024 - 100_000
    chinese = "清流县高山绿茶\r\n"
    assert exporting._weight(chinese) == (filed(chinese), sent(chinese) - 2) == (23, 46)


def test_a_file_of_too_many_rows_is_refused_whole(desk: Desk) -> None:
    header = ",".join(name for name in NAMES if name in REQUIRED)
    rows = write_drafts([desk.offer(offer_id="good-at-first")]).partition("\n")[2]
    with desk.world.nothing_written():
        refused = send(desk, (sheet(rows_of(f"{','.join(NAMES)}\n{rows}")) + "a\n" * MAX_ROWS).encode())
        assert (refused.status, refused.code) == (422, "csv-unreadable")
        assert "20000" in refused.body["detail"]
        assert send(desk, (header + "\n" + "a\n" * 1_999_000).encode()).code == "csv-unreadable"


def test_as_many_bad_rows_as_there_may_be_are_counted_and_the_report_stays_small(desk: Desk) -> None:
    header = ",".join(name for name in NAMES if name in REQUIRED)
    answer = send(desk, (header + "\n" + "\n\n".join(["a"] * MAX_ROWS)).encode())
    report = answer.body
    assert (answer.status, report["rows"], report["bad"], len(report["more_bad_lines"])) == (
        200, MAX_ROWS, MAX_ROWS, importing.MAX_LINES_TOLD,
    )  # fmt: skip
    assert len(answer.text) < 65_536


def test_of_many_rows_held_back_the_first_are_named(desk: Desk) -> None:
    goods = tuple(replace(TEA, variant_id=f"tea-{n}") for n in range(1_500))
    rows = rows_of(write_drafts([desk.offer(products=(Product("tea", TEA.name, goods),))]))
    report = taken(desk, sheet([*rows[:-1], rows[-1] | {"stock": "many"}]))
    assert report["held_back_in_all"] + report["bad"] == 1_500
    assert report["held_back"] == list(range(2, 1_502))[: importing.MAX_LINES_TOLD]
