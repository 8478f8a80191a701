"""A city with a scale and citizens, made without the roads that lead there; for the tests of scores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, Grade, Scale
from chalicelib.core import ids
from chalicelib.core.commit import Unit
from chalicelib.core.text import Text
from chalicelib.subjects.rules import Account, AccountRef, HeldScore
from chalicelib.subjects.store import AccountRow, account_key, create_account, load_account

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CUTS = {"一般": 500, "良好": 560, "优秀": 620, "极好": 680}


def scale(city_id: str = "xiamen", version: int = 1, **changes: Any) -> Scale:
    """The Xiamen-like scale: 0 to 1000, five grades with illustrative cuts."""
    grades = (Grade("不良", "poor", None), *(Grade(name, name, cut) for name, cut in CUTS.items()))
    made: dict[str, Any] = {"minimum": 0, "maximum": 1000, "step": 1, "grades": grades, **changes}
    return Scale(
        city_id,
        version,
        Text("白鹭分", "Egret score"),
        made["minimum"],
        made["maximum"],
        made["step"],
        "higher_is_better",
        made["grades"],
        date(2026, 1, 1),
        "illustrative",
        illustrative=True,
    )


def found_city(city_id: str = "xiamen", *, zone: str = "Asia/Shanghai", step: int = 1, active: bool = True) -> None:
    """A city whose scale has version 1."""
    unit = Unit()
    cities.create_scale(unit, scale(city_id, step=step))
    cities.save_control(unit, Control(city_id, zone, scale_version=1, active=active), seen_revision=0)
    unit.commit()


def change_control(city_id: str = "xiamen", **changes: Any) -> None:
    """Changes what is in force in a city."""
    control = cities.load_control(city_id)
    unit = Unit()
    cities.save_control(unit, replace(control, **changes), seen_revision=control.revision)
    unit.commit()


def publish_scale(version: int, **changes: Any) -> None:
    """Xiamen's next scale, in force at once."""
    unit = Unit()
    cities.create_scale(unit, scale(version=version, **changes))
    unit.commit()
    change_control(scale_version=version, concordance_version=None)


def account_of(name: str, city_id: str = "xiamen") -> AccountRef:
    """The account that a citizen of this name would have."""
    return AccountRef(city_id, f"person-{name}")


def subject_id(name: str, city_id: str = "xiamen", *, to: str | None = None) -> str:
    """The id by which the city (or the city ``to``) knows a citizen."""
    return ids.pairwise(f"city:{to or city_id}", account_of(name, city_id).secret)


def enrol(*names: str, city_id: str = "xiamen") -> list[str]:
    """Opens accounts; the subject ids, in the order of the names."""
    for start in range(0, len(names), 100):
        unit = Unit()
        for name in names[start : start + 100]:
            create_account(unit, Account(account_of(name, city_id), SINCE))
        unit.commit()
    return [subject_id(name, city_id) for name in names]


def close(name: str, city_id: str = "xiamen") -> None:
    """Closes an account."""
    row = AccountRow.get(*account_key(account_of(name, city_id)))
    row.status = "closed"
    row.save()


def held(name: str, city_id: str = "xiamen") -> HeldScore | None:
    """What an account holds now."""
    account = load_account(account_of(name, city_id))
    assert account is not None
    return account.score
