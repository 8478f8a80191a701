"""Reading an authored document: every fault is collected with its place, and the reading goes on with a stand-in."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any

from chalicelib.core.errors import Fault
from chalicelib.core.text import Text

MAX_TEXT = 500
_ID = re.compile(r"[a-z][a-z0-9_-]{0,47}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile("[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escaped(part: str) -> str:
    """One step of a JSON pointer. Source: RFC 6901."""
    return part.replace("~", "~0").replace("/", "~1")


class Reader:
    """Collects faults. Each method returns the value if it is right, else notes the fault and returns a stand-in."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, at: str, zh: str, en: str) -> None:
        self.faults.append(Fault(at, Text(zh, en)))

    def record(
        self, value: Any, at: str, required: Collection[str], optional: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """An object with these fields and no others; fields that are lacking are noted here, once."""
        if not isinstance(value, Mapping):
            self.fault(at, "应为对象", "This must be an object")
            return {}
        for key in required:
            if key not in value:
                self.fault(f"{at}/{key}", "缺少此字段", "This field is missing")
        if not value.keys() <= {*required, *optional}:
            self.fault(at, "有未声明的字段", "There are fields here that are not declared")
        return value

    def items(self, record: Mapping[str, Any], key: str, at: str, most: int) -> Sequence[Any]:
        """A list of 1 … ``most`` things."""
        value = record.get(key)
        if isinstance(value, list | tuple) and 1 <= len(value) <= most:
            return value
        if key in record:
            self.fault(f"{at}/{key}", f"应为 1 至 {most} 项的数组", f"This must be a list of 1 to {most} items")
        return ()

    def word(self, record: Mapping[str, Any], key: str, at: str, among: Collection[str] | None = None) -> str:
        """An id (small letters, digits, hyphens, underscores), or one of a closed list."""
        value = record.get(key)
        if isinstance(value, str) and (value in among if among else _ID.fullmatch(value)):
            return value
        if key in record and among:
            listed = ", ".join(sorted(among))
            self.fault(f"{at}/{key}", f"取值应为：{listed}", f"This must be one of: {listed}")
        elif key in record:
            self.fault(
                f"{at}/{key}",
                "应为小写字母、数字、连字符和下划线",
                "Use small letters, digits, hyphens and underscores",
            )
        return ""

    def line(self, record: Mapping[str, Any], key: str, at: str) -> str:
        """One line of text without control characters."""
        value = record.get(key)
        if isinstance(value, str) and value.strip() and len(value) <= MAX_TEXT and not _CONTROL.search(value):
            return value
        if key in record:
            self.fault(f"{at}/{key}", "应为一行文字", "This must be one line of text")
        return ""

    def text(self, record: Mapping[str, Any], key: str, at: str) -> Text:
        """A name or sentence in both languages."""
        if key not in record:
            return Text("", "")
        both = self.record(record[key], f"{at}/{key}", ("zh", "en"))
        return Text(self.line(both, "zh", f"{at}/{key}"), self.line(both, "en", f"{at}/{key}"))

    def whole(self, record: Mapping[str, Any], key: str, at: str, least: int) -> int:
        """An integer of at least ``least``; a bool and a float are none."""
        value = record.get(key)
        if type(value) is int and value >= least:
            return value
        if key in record:
            self.fault(f"{at}/{key}", f"应为不小于 {least} 的整数", f"This must be a whole number of at least {least}")
        return least

    def flag(self, record: Mapping[str, Any], key: str, at: str) -> bool:
        """True or false; false if absent."""
        value = record.get(key, False)
        if isinstance(value, bool):
            return value
        self.fault(f"{at}/{key}", "应为 true 或 false", "This must be true or false")
        return False

    def day(self, record: Mapping[str, Any], key: str, at: str) -> date:
        """A date as YYYY-MM-DD."""
        value = record.get(key)
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        if key in record:
            self.fault(f"{at}/{key}", "应为日期 YYYY-MM-DD", "This must be a date, YYYY-MM-DD")
        return date.min

    def distinct(self, values: Sequence[Any], place: Callable[[int], str]) -> None:
        """Notes every value that was there before."""
        for index, value in enumerate(values):
            if value in values[:index]:
                self.fault(place(index), "与前面的重复", "This is there twice")
