"""Two cities, a few partners and citizens, made over HTTP; for the tests of subjects."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import boto3

from chalicelib.partners.rules import check_character
from chalicelib.subjects.rules import AccountRef, HeldScore
from chalicelib.subjects.service import resolve
from chalicelib.subjects.store import AccountRow, account_key, score_order
from tests.conftest import Answer, Api

ADULT = date(1990, 5, 1)
LIBRARY = "library:xiamen/city-library"
FARM = "merchant:xiamen/qingliu-farm"
SCALE = {
    "score_name": {"zh": "白鹭分", "en": "Egret score"},
    "minimum": 0,
    "maximum": 1000,
    "step": 1,
    "direction": "higher_is_better",
    "grades": [
        {"name": "一般", "name_en": "fair", "cut": None},
        {"name": "优秀", "name_en": "very good", "cut": 620, "edge": "ge"},
    ],
    "valid_from": "2026-01-01",
    "source": "illustrative",
    "illustrative": True,
}


def identity_number(born: date = ADULT, order: int = 1) -> str:
    """An invented number: its region, 000000, is assigned to nobody; its check character fits (GB 11643)."""
    body = f"000000{born:%Y%m%d}{order:03d}"
    weighted = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + "10X98765432"[weighted % 11]


def application(born: date = ADULT, order: int = 1, **changes: Any) -> dict[str, Any]:
    document = {"kind": "cn_resident_id", "country": "CN", "number": identity_number(born, order)}
    return {"document": document, "name": "林小鹭", "identity_proof": f"stub:{born}", **changes}


class World:
    """Speaks for the cities and their citizens, at a time that can be set."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.now: datetime | None = None

    def found(self, city_id: str, time_zone: str = "Asia/Shanghai") -> None:
        body = {"city_id": city_id, "name": {"zh": city_id, "en": city_id}, "time_zone": time_zone}
        assert self.api.post("/v1/cities", body, token=self.api.as_alliance(now=self.now)).status == 201

    def suspend_city(self, city_id: str) -> None:
        entry = self.api.get(f"/v1/cities/{city_id}")
        body = {"name": entry.body["name"], "time_zone": entry.body["time_zone"], "status": "suspended"}
        headers = {"If-Match": entry.headers["etag"]}
        token = self.api.as_alliance(now=self.now)
        assert self.api.put(f"/v1/cities/{city_id}", body, token=token, headers=headers).status == 200

    def enter(self, city_id: str, kind: str, partner_id: str, number: int) -> None:
        code = f"91000000MA{number:07d}"
        body = {
            "partner_id": partner_id,
            "kind": kind,
            "name": {"zh": partner_id, "en": partner_id},
            "uscc": code + check_character(code),
            "illustrative": True,
        }
        assert self.api.post(f"/v1/cities/{city_id}/partners", body, token=self.city(city_id)).status == 201

    def suspend_partner(self, city_id: str, partner_id: str) -> None:
        path = f"/v1/cities/{city_id}/partners/{partner_id}"
        seen = self.api.get(path, token=self.city(city_id))
        body = {"name": seen.body["name"], "staff": [], "status": "suspended"}
        headers = {"If-Match": seen.headers["etag"]}
        assert self.api.put(path, body, token=self.city(city_id), headers=headers).status == 200

    def city(self, city_id: str = "xiamen", **kwargs: Any) -> str:
        return self.api.as_city(city_id, now=self.now, **kwargs)

    def citizen(self, subject_id: str, city_id: str = "xiamen", **kwargs: Any) -> str:
        return self.api.as_citizen(subject_id, city_id, now=self.now, **kwargs)

    def enrol(self, body: Any = None, city_id: str = "xiamen", **kwargs: Any) -> Answer:
        sent = {"token": self.city(city_id), **kwargs}
        return self.api.post(f"/v1/cities/{city_id}/subjects", body or application(), **sent)

    def subject(self, order: int = 1, city_id: str = "xiamen") -> str:
        answer = self.enrol(application(order=order), city_id)
        assert answer.status == 201, answer.text
        return str(answer.body["subject_id"])

    def grant(self, subject_id: str, *, token: str | None = None, key: str | None = None, **changes: Any) -> Answer:
        body = {
            "scenario": "xiamen/library",
            "recipient": LIBRARY,
            "purpose": {"zh": "借书免押金", "en": "Borrow books without a deposit"},
            "items": ["decision"],
            "expires_at": moment(timedelta(days=90), self.now),
            **changes,
        }
        return self.api.post("/v1/me/consents", body, token=token or self.citizen(subject_id), key=key)

    def mine(self, subject_id: str, rest: str = "", city_id: str = "xiamen") -> Answer:
        return self.api.get("/v1/me" + rest, token=self.citizen(subject_id, city_id, face=False))

    def act(self, subject_id: str, rest: str, body: Any = None, **kwargs: Any) -> Answer:
        sent = {"token": self.citizen(subject_id, face=False), **kwargs}
        return self.api.post("/v1/me" + rest, body, **sent)


def moment(ahead: timedelta, now: datetime | None = None) -> str:
    """A time from now as a citizen's app sends it."""
    return ((now or datetime.now(UTC)) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")


def ref_of(subject_id: str, city_id: str = "xiamen") -> AccountRef:
    """The account behind a city's subject id."""
    from chalicelib.core.auth import Caller

    return resolve(Caller("city", city_id, city_id, frozenset(), frozenset(), city_id), subject_id)


def give_score(ref: AccountRef, score: HeldScore) -> None:
    """Puts a score into an account, as the store of scores does."""
    AccountRow(*account_key(ref)).update(
        actions=[
            AccountRow.score.set(score.score),
            AccountRow.score_scale.set(score.scale_version),
            AccountRow.score_order.set(score_order(score.as_of, score.revision)),
        ]
    )


def items() -> list[dict[str, Any]]:
    """Every item in the table, with its attributes as they are stored."""
    return list(boto3.client("dynamodb").scan(TableName="egret-test")["Items"])


def stored_text() -> str:
    """Everything in the table as one text."""
    return json.dumps(items(), ensure_ascii=False)


def kinds() -> list[str]:
    """Which kinds of item there are, but for the cities', sorted."""
    found = (item["kind"]["S"] for item in items())
    return sorted(kind for kind in found if kind not in {"city", "control", "scale", "partner", "uscc"})
