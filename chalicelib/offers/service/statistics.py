"""The city's statistics: counted from the stream, read by scenario."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.core import clock, stream
from chalicelib.core.commit import Unit
from chalicelib.core.effect import EffectRow
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.stream import Change
from chalicelib.offers.rules.statistics import Days, Statistics, statistics_of
from chalicelib.offers.rules.suppression import suppressed
from chalicelib.offers.store import statistics as store

# A batch of a mapping's size stays within its function's time, whatever is in its way.
PATIENCE_SECONDS = 1.0


@stream.consumer("effect")
def count(now: datetime, change: Change) -> None:
    """Adds a redemption to its cell, or takes a refund back from it; the same effect again changes nothing.

    Raises: Unavailable: the cell was busy.
    """
    if change.old is not None or not isinstance(change.new, EffectRow):
        return
    event = store.event_of(change.new)
    if event is None:
        return
    unit = Unit(PATIENCE_SECONDS)
    store.add(unit, event, now)
    with suppress(Conflict):  # counted before
        unit.commit()


def read(now: datetime, city_id: str, days: Days, scenario_id: str | None = None) -> Statistics:
    """What a city is shown of these days: all of its scenarios, or one.

    Raises: NotFound: no such city or scenario.
    """
    control = cities.load_control(city_id)
    if scenario_id is not None and scenario_id not in control.scenarios:
        raise NotFound
    today = clock.day_in(control.time_zone, now)
    wanted = sorted(control.scenarios) if scenario_id is None else [scenario_id]
    shown = (suppressed(each, store.list_tallies(city_id, each, days), days, today) for each in wanted)
    return statistics_of(city_id, days, shown)
