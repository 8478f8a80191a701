"""The story: two cities, one score, and what it opens. Steps 1 to 4; the market is in ``story_market``, the
hospital in ``story_clinic``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from infra.local import demo_load, story_clinic, story_market
from infra.local.client import Client, Exchange
from infra.local.demo_data.tables import distribution, document, zhejiang
from infra.local.stack import Stack
from infra.local.telling import Surprise, Teller

__all__ = ["Surprise", "play"]

WITHIN = 1.5
ABOUT = {"point_about": "point", "lower_bound_about": "lower bound"}
ELSEWHERE = {"no_area_for_district", "district_needed"}
PARKING = "parking_operator:haicang-parking@xiamen"


def play(client: Client, stack: Stack, console: Console, plots: Path) -> int:
    """Plays every step; the number of expectations met. Raises: Surprise, Refused."""
    teller = Teller(client, console)
    plots.mkdir(parents=True, exist_ok=True)
    cities_join(teller, plots)
    rules_are_published(teller)
    client.people = demo_load.load_people(client)
    residents_ask(teller)
    visitors_come(teller)
    someone_looks_back(teller)
    story_market.a_stall_opens(teller)
    sold = story_market.somebody_buys(teller)
    story_clinic.a_bank_lends(teller, plots)
    story_clinic.somebody_pays_late(teller, stack)
    story_clinic.a_patient_is_treated(teller)
    story_market.the_books_are_closed(teller, sold)
    story_clinic.the_bank_is_compared(teller, stack, plots)
    return teller.checks


def cities_join(teller: Teller, plots: Path) -> None:
    """Step 1."""
    teller.chapter("一、城市公布分制与分布", "1. Cities publish their scales and distributions")
    entries = document("cities.json")
    for entry in entries:
        _join(teller, entry, quiet=entry is not entries[0])
    for city_id in ("xiamen", "hangzhou", "fuzhou", "zhengzhou"):
        _save(teller, f"/v1/cities/{city_id}/concordances/current/plot", plots / f"{city_id}.svg")
    _save(teller, "/v1/cities/hangzhou/concordances/current/plot?to=xiamen", plots / "hangzhou-to-xiamen.svg")
    _refused_cities(teller, plots)


def _join(teller: Teller, entry: dict[str, Any], *, quiet: bool) -> None:
    city = entry["city"]["city_id"]
    if quiet:
        teller.says(
            f"{entry['city']['name']['zh']}同样加入（请求与上面相同，从略）。",
            f"{entry['city']['name']['en']} joins in the same way (requests like those above, left out).",
        )
    teller.ask("POST", "/v1/cities", "alliance:alliance", entry["city"], status=201, quiet=quiet)
    teller.ask("POST", f"/v1/cities/{city}/scales", f"city:{city}", entry["scale"], status=201, quiet=quiet)
    body = distribution(entry, _today())
    reply = teller.ask("POST", f"/v1/cities/{city}/distributions", f"city:{city}", body, status=201, quiet=quiet).body
    methods = {
        "counts": "equipercentile_counts",
        "quantiles": "equipercentile_quantiles",
        "cuts": "grade_policy",
    }
    teller.expect(f"{city}: method", reply["method"], methods[body["kind"]])


def _refused_cities(teller: Teller, plots: Path) -> None:
    teller.says(
        "宁波没有公布分值范围，威海没有公布最低分与最高分：不能登记。",
        "Ningbo has published no range, Weihai neither minimum nor maximum: they cannot be registered.",
    )
    for city_id, zh, en, score in (
        ("ningbo", "宁波", "Ningbo", {"zh": "天一分", "en": "Tianyi score"}),
        ("weihai", "威海", "Weihai", {"zh": "海贝分", "en": "Haibei score"}),
    ):
        city = {"city_id": city_id, "name": {"zh": zh, "en": en}, "time_zone": "Asia/Shanghai"}
        teller.ask("POST", "/v1/cities", "alliance:alliance", city, status=201, quiet=True)
        scale = {"score_name": score, "step": 1, "direction": "higher_is_better", "grades": [], "source": "none found"}
        body = {**scale, "valid_from": "2019-01-01"}
        refusal = teller.ask("POST", f"/v1/cities/{city_id}/scales", f"city:{city_id}", body, status=422)
        pointers = sorted(error["pointer"] for error in refusal.body["errors"])
        teller.expect(f"{city_id}: missing", pointers, ["/maximum", "/minimum"])
    _zhejiang(teller, plots)
    teller.says(
        "无锡只公布了分界点：按等级对照，不给数字。",
        "Wuxi has published cut points only: a tier by policy, never a number.",
    )
    body = {"from_city": "wuxi", "to_city": "xiamen", "scores": [750]}
    teller.expect(
        "wuxi → xiamen",
        teller.ask("POST", "/v1/conversions", "city:wuxi", body, status=422).body["code"],
        "link-not-numeric",
    )


def _zhejiang(teller: Teller, plots: Path) -> None:
    teller.says(
        "浙江 2018 年的公开表，97.9 % 的人落在同一档：过于集中，不能换算。图上看得出来。",
        "Zhejiang's published table of 2018 has 97.9 % of people in one band: refused. The picture shows it.",
    )
    city = {"city_id": "zhejiang", "name": {"zh": "浙江", "en": "Zhejiang"}, "time_zone": "Asia/Shanghai"}
    scale = {
        "score_name": {"zh": "公共信用评价", "en": "public-credit evaluation"},
        "minimum": 0,
        "maximum": 1000,
        "step": 1,
        "direction": "higher_is_better",
        "grades": [],
        "valid_from": "2018-08-13",
        "source": "zjvnet.com/news/zhejiang/117004.html (model total 1000)",
    }
    teller.ask("POST", "/v1/cities", "alliance:alliance", city, status=201, quiet=True)
    teller.ask("POST", "/v1/cities/zhejiang/scales", "city:zhejiang", scale, status=201, quiet=True)
    body = zhejiang(_today())
    refusal = teller.ask("POST", "/v1/cities/zhejiang/distributions", "city:zhejiang", body, status=422)
    teller.expect("zhejiang", refusal.body["code"], "distribution-degenerate")
    drawn = teller.ask("POST", "/v1/cities/zhejiang/distribution-plots", "city:zhejiang", body, quiet=True)
    teller.keep(drawn, plots / "zhejiang.svg")


def _save(teller: Teller, path: str, to: Path) -> None:
    teller.keep(teller.ask("GET", path, quiet=True), to)


def rules_are_published(teller: Teller) -> None:
    """Step 2."""
    teller.chapter("二、应用场景，按公布的规则", "2. Scenario rules, as published")
    demo_load.load_agreements(teller.client)
    demo_load.load_partners(teller.client)
    demo_load.load_scenarios(teller.client)
    tables = teller.ask("GET", "/v1/cities/xiamen/scenarios", quiet=True).body["items"]
    grades = [g["name"] for g in teller.ask("GET", "/v1/cities/xiamen/scales/current", quiet=True).body["grades"]]
    shown = Table("场景 scenario", "分档 tiers", "出处 source", show_lines=True)
    for table in tables:
        mark = "（演示数据 illustrative）" if table.get("illustrative") else ""
        shown.add_row(f"{table['name']['zh']}\n{table['name']['en']}", _tiers(table, grades), table["source"] + mark)
    teller.console.print(shown)
    teller.expect("scenarios in force", len(tables), 6)
    produce = next(t for t in tables if t["scenario_id"] == "jimei_produce")
    worse = {**produce, "version": 2}
    amounts = {**produce["areas"][0]["by_grade"], "优秀": 800}
    worse["areas"] = [{**produce["areas"][0], "by_grade": dict(_by_rank(amounts, grades))}]
    teller.says(
        "如果把“优秀”的优惠改得比“良好”还少，检查会拒绝。",
        "If a draft gave 优秀 less than 良好, the linter refuses it.",
    )
    refusal = teller.ask("POST", "/v1/cities/xiamen/scenarios", "city:xiamen", worse, status=422)
    teller.expect("draft", refusal.body["code"], "table-lint-refused")


def _by_rank(amounts: dict[str, int], grades: list[str]) -> list[tuple[str, int]]:
    """Amounts by grade, the worst grade first: in a reply they come in no order."""
    return sorted(amounts.items(), key=lambda pair: grades.index(pair[0]))


def _tiers(table: dict[str, Any], grades: list[str]) -> str:
    lines = []
    for area in table["areas"]:
        where = f"{area['district']}: " if area.get("district") else ""
        for grade, amount in _by_rank(area.get("by_grade", {}), grades):
            lines.append(f"{where}{grade} {area['unit']} {amount}")
        for tier in area.get("tiers", []):
            edges = ", ".join(f"{edge} {cut}" for edge, cut in tier["when"].get("score", {}).items())
            gives = ", ".join(f"{name} {value}" for name, value in tier["benefit"].items())
            lines.append(f"{where}{edges} → {gives}")
    return "\n".join(lines)


def residents_ask(teller: Teller) -> None:
    """Step 3."""
    teller.chapter("三、厦门的三位市民", "3. Three citizens of Xiamen")
    for person in document("people.json")["people"]:
        if person["city"] == "xiamen":
            _resident(teller, person)


def _resident(teller: Teller, person: dict[str, Any]) -> None:
    who = f"citizen:{person['id']}"
    teller.says(f"{person['score']} 分。", f"A score of {person['score']}.")
    _own_score(teller, person)
    city_wide = _openings(teller, who, None)
    haicang, island, jimei = (_openings(teller, who, d) for d in ("haicang", "island", "jimei"))
    in_haicang = {name: haicang[name] for name in ("roadside_parking", "bicycle")}
    on_the_island, in_jimei = {"bicycle": island["bicycle"]}, {"jimei_produce": jimei["jimei_produce"]}
    _openings_table(
        teller,
        {"": city_wide, "\n海沧 Haicang": in_haicang, "\n岛内 the Island": on_the_island, "\n集美 Jimei": in_jimei},
    )
    found = {
        "roadside_parking": _granted(city_wide["roadside_parking"]),
        "roadside_parking_missing": _missing(city_wide["roadside_parking"]),
        "free_minutes_haicang": _value(haicang["roadside_parking"], "free_minutes"),
        "discount_bp_haicang": _value(haicang["roadside_parking"], "discount_bp", 0),
        "library": _granted(city_wide["library"]),
        "i_chewei_parking": _granted(city_wide["i_chewei_parking"]),
        "i_chewei_missing": _missing(city_wide["i_chewei_parking"]),
        "bicycle_island": _granted(island["bicycle"]),
        "bicycle_island_missing": _missing(island["bicycle"]),
        "bicycle_haicang": _granted(haicang["bicycle"]),
        "jimei_produce_bp": _value(jimei["jimei_produce"], "discount_bp"),
        "jimei_next_tier_missing": _missing(jimei["jimei_produce"]),
        "credit_medical_fen": _value(city_wide["credit_medical"], "limit_fen"),
    }
    _meets(teller, person["expect"], found)


def _own_score(teller: Teller, person: dict[str, Any], *, quiet: bool = False) -> None:
    """What a person is shown of the own score."""
    mine = teller.ask("GET", "/v1/me/score", f"citizen:{person['id']}", quiet=quiet).body
    teller.expect(f"{person['id']}: score", mine["score"], person["score"])
    if "grade" in person:
        teller.expect("grade", mine["grade"]["name"], person["grade"])
    if "beats_percent" in person:
        teller.expect_near("beats, per cent", round(mine["beats_bp"] / 100, 1), person["beats_percent"], 0.05)


def _meets(teller: Teller, wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """A tick for every outcome that the data expect. Raises: Surprise: one is not met, or nobody looked at it."""
    for name, expected in wanted.items():
        if name not in found:
            raise Surprise(f"{name}: expected, and nobody looked")
        if name in ABOUT:
            teller.expect_near(ABOUT[name], found[name], expected, WITHIN)
        elif name == "flags":
            for flag in expected:
                teller.expect(f"flag {flag}", flag in found[name], True)
        else:
            teller.expect(name, found[name], expected)


def visitors_come(teller: Teller) -> None:
    """Step 4."""
    teller.chapter("四、外地市民到厦门", "4. Visitors come to Xiamen")
    people = {p["id"]: p for p in document("people.json")["people"]}
    for who in ("hz-705", "hz-760"):
        _linked(teller, people[who], people[who]["in_xiamen"])
    _at_the_kerb(teller, people["hz-705"])
    _either_bound(teller, people["zz-130"])
    _linked(teller, people["zz-100"], people["zz-100"]["in_xiamen"])
    _linked(teller, people["fz-700"], people["fz-700"]["in_xiamen"], quiet=True)
    _by_grade(teller, people["wx-750"])


def _linked(teller: Teller, person: dict[str, Any], wanted: dict[str, Any], *, quiet: bool = False) -> None:
    """What the home city, which knows the score, sees; and what the visitor himself sees."""
    city, score = person["city"], person["score"]
    name = next(e["city"]["name"] for e in document("cities.json") if e["city"]["city_id"] == city)
    teller.says(f"{name['zh']}的 {score} 分在厦门相当于多少？", f"What is {name['en']}'s {score} worth in Xiamen?")
    _own_score(teller, person, quiet=True)
    body = {"from_city": city, "to_city": "xiamen", "scores": [person["score"]]}
    conversion = teller.ask("POST", "/v1/conversions", f"city:{city}", body, quiet=quiet).body["items"][0]
    if quiet:
        teller.console.print("  {equivalent_score}  [dim]{lower_bound} – {upper_bound}[/]".format(**conversion))
    who = f"citizen:{person['id']}"
    city_wide, haicang = _openings(teller, who, None), _openings(teller, who, "haicang")
    _openings_table(teller, {"": city_wide})
    figures = {
        "point_about": conversion["equivalent_score"],
        "lower_bound_about": conversion["lower_bound"],
        "flags": conversion["flags"],
    }
    _meets(teller, wanted, figures | _opened(city_wide, haicang))


def _opened(city_wide: Any, haicang: Any) -> dict[str, Any]:
    """What a visitor gets."""
    granted = {name: _granted(city_wide[name]) for name in ("roadside_parking", "library", "i_chewei_parking")}
    return {**granted, "discount_bp_haicang": _value(haicang["roadside_parking"], "discount_bp", 0)}


def _at_the_kerb(teller: Teller, person: dict[str, Any]) -> None:
    teller.says(
        "在海沧停车：出示码给停车方；停车方只看到“可以”，看不到分数。",
        "Parking in Haicang: the visitor shows a pass; the operator sees yes, and no score.",
    )
    wish = {"recipient": "parking_operator:xiamen/haicang-parking", "scenario": "xiamen/roadside_parking"}
    shown = teller.ask("POST", "/v1/me/passes", f"citizen:{person['id']}", wish, status=201).body
    body = {"scenario_id": "roadside_parking", "district": "haicang", "pass_code": shown["pass_code"]}
    first = teller.ask("POST", "/v1/decisions", PARKING, body, key="kerb-hz-705-first")
    _says_nothing_of(teller, first, person["score"])
    teller.expect("outcome", first.body["decision"]["outcome"], "granted")
    teller.expect("free minutes", first.body["decision"]["benefit"]["free_minutes"], 30)
    teller.expect("discount", "discount_bp" in first.body["decision"]["benefit"], False)
    again = teller.ask("POST", "/v1/decisions", PARKING, body, key="kerb-hz-705-first", quiet=True)
    teller.expect("the same request again: the same bytes", again.text == first.text, True)
    used = teller.ask("POST", "/v1/decisions", PARKING, body, status=409)
    teller.expect("a used pass", used.body["code"], "pass-used")


def _says_nothing_of(teller: Teller, exchange: Exchange, score: int) -> None:
    teller.expect(f"{score} appears in what the operator got", str(score) in exchange.text, False)


def _either_bound(teller: Teller, person: dict[str, Any]) -> None:
    here, who = person["in_xiamen"], f"citizen:{person['id']}"
    wanted = here["discount_bp_haicang"]
    _linked(teller, person, {**here, "discount_bp_haicang": wanted["grant_on_point"]})
    teller.says(
        "换一份按下限给予优惠的协议：同一个人，这次没有折扣。由协议决定，并写明。",
        "Under an agreement that grants on the lower bound: the same person, no discount. The agreement decides.",
    )
    agreements = teller.ask("GET", "/v1/cities/xiamen/control", quiet=True).body["agreements"]
    old = next(a["agreement_id"] for a in agreements if a["home"] == "zhengzhou")
    teller.ask("POST", f"/v1/cities/xiamen/agreements/{old}/end", "city:zhengzhou", quiet=True)
    entry = next(a for a in document("agreements.json") if a["home"] == "zhengzhou")
    demo_load.agree(teller.client, {**entry, "grant_on": "lower_bound"}, key="agreement-zhengzhou-lower")
    found = _value(_openings(teller, who, "haicang")["roadside_parking"], "discount_bp", 0)
    teller.expect("discount, granted on the lower bound", found, wanted["grant_on_lower_bound"])


def _by_grade(teller: Teller, person: dict[str, Any]) -> None:
    teller.says(
        "无锡的“四”按双方签署的对照表是厦门的“优秀”：能确定的即给予，不能确定的如实说明。",
        "Wuxi's 四 is 优秀 here by a signed map: what that settles is granted, the rest is said to be unknown.",
    )
    who = f"citizen:{person['id']}"
    _own_score(teller, person, quiet=True)
    city_wide, haicang = _openings(teller, who, None), _openings(teller, who, "haicang")
    _openings_table(teller, {"": city_wide})
    _meets(teller, person["in_xiamen"], _opened(city_wide, haicang) | {"host_grade": _grade_met(teller, city_wide)})


def _grade_met(teller: Teller, found: dict[str, Any]) -> str | None:
    """The grade here for which a visitor gets what he gets."""
    tables = teller.ask("GET", "/v1/cities/xiamen/scenarios", quiet=True).body["items"]
    (area,) = next(t for t in tables if t["scenario_id"] == "credit_medical")["areas"]
    gets = _value(found["credit_medical"], area["unit"])
    return next((grade for grade, amount in area["by_grade"].items() if amount == gets), None)


def someone_looks_back(teller: Teller) -> None:
    """The visitor reads who looked; an auditor decides again from the receipt."""
    teller.chapter("谁看过我的信用", "Who looked, and is it still the same?")
    looks = teller.ask("GET", "/v1/me/looks?limit=3", "citizen:hz-705").body["items"]
    receipt = next(look["effect_id"] for look in looks if look["actor"] == "parking_operator")
    replay = teller.ask("POST", f"/v1/receipts/{receipt}/replay", "auditor:auditor", quiet=True).body
    teller.expect("decided again from the receipt: the same bytes", replay["same"], True)


def _openings(teller: Teller, who: str, district: str | None) -> dict[str, Any]:
    query = f"?city=xiamen&district={district}" if district else "?city=xiamen"
    items = teller.ask("GET", "/v1/me/openings" + query, who, quiet=True).body["items"]
    return {item["scenario_id"]: item for item in items}


def _openings_table(teller: Teller, places: dict[str, dict[str, Any]]) -> None:
    """One row per scenario that is offered, place by place."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    for heading, ratio in (("场景 scenario", 4), ("结果 outcome", 3), ("得到 gets", 4), ("还差 still missing", 6)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for where, item in ((where, item) for where, found in places.items() for item in found.values()):
        if any(reason["code"] in ELSEWHERE for reason in item["reasons"]):
            continue
        ahead = _both(item["next_tier"]["said"]) if item["next_tier"] else ""
        gets = "\n".join(_both(line["said"]) for line in item["benefit"])
        table.add_row(item["name"]["zh"] + where, _both(item["said"]), gets, ahead)
    teller.console.print(table)


def _both(said: dict[str, str]) -> str:
    return f"{said['zh']}\n[dim]{said['en']}[/]"


def _granted(view: dict[str, Any]) -> bool | None:
    """None where it cannot be said yet."""
    return None if view["outcome"] == "unknown" else bool(view["outcome"] == "granted")


def _missing(view: dict[str, Any]) -> int | None:
    return view["next_tier"]["missing_points"] if view["next_tier"] else None


def _value(view: dict[str, Any], field: str, otherwise: Any = None) -> Any:
    return next((line["value"] for line in view["benefit"] if line["field"] == field), otherwise)


def _today() -> date:
    return demo_load.now().date()
