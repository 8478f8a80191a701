"""What happens in linking: a distribution becomes a concordance, and scores are converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, Scale, ScaleInvalid, ScoreOffScale, require_active
from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.linking import store
from chalicelib.linking.rules import (
    Concordance,
    Conversion,
    Published,
    build_concordance,
    build_reference,
    check_published,
    convert_many,
)
from chalicelib.linking.store import Brief


class NotLinked(Problem):
    code = "city-not-linked"
    status = 409
    title = Text("该城市尚无可用的分数对照表", "This city has no concordance in force yet")


class ScaleMissing(ScaleInvalid):
    code = "scale-missing"
    status = 409
    title = Text("该城市尚未公布分制", "This city has not published its scale yet")


def publish(unit: Unit, intent: Intent, now: datetime, city_id: str, draft: Published) -> Brief:
    """Turns what a city publishes into the next version of its concordance, in force from today.

    The founding city's first version is the reference population, for good; every other city is linked to it.

    Raises:
        NotFound: no such city. CitySuspended. ScaleMissing. The refusals of ``check_published``, in its order.
        ReferenceUnfit; ReferenceMissing; ReferenceFrozen: the founding city again; Conflict; in this order.
    """
    control = require_active(cities.load_control(city_id))
    scale = cities.current_scale(control, ScaleMissing)
    today = clock.day_in(control.time_zone, now)
    published = check_published(draft, scale, today)
    concordance = _built(unit, control, scale, published, now)
    store.create_version(unit, concordance, published)
    cities.save_control(
        unit,
        replace(control, concordance_version=concordance.version, concordances_published=concordance.version),
        seen_revision=control.revision,
    )
    brief = store.brief_of(concordance)
    unit.effect(effect.row(intent, now, purpose="publish-distribution", facts=brief, reply=brief))
    unit.commit()
    return brief


def _built(unit: Unit, control: Control, scale: Scale, published: Published, now: datetime) -> Concordance:
    today = clock.day_in(control.time_zone, now)
    version = control.concordances_published + 1
    if version == 1 and cities.load_city(control.city_id).founding:
        reference = build_reference(published, scale, valid_from=today)
        store.create_reference(unit, reference)
        return reference
    return build_concordance(
        published,
        scale,
        store.load_reference(),
        version=version,
        valid_from=today,
        supersedes=control.concordance_version,
    )


def in_force(control: Control) -> tuple[Concordance, Scale]:
    """A city's concordance in force, and the scale it was made for.

    Raises: NotLinked: none was published for the scale in use.
    """
    if control.concordance_version is None:
        raise NotLinked
    concordance = store.load_concordance(control.city_id, control.concordance_version)
    return concordance, cities.load_scale(control.city_id, concordance.scale_version)


def convert(from_city: str, to_city: str, scores: Sequence[int]) -> list[Conversion]:
    """What scores of one city mean in another, in their order; nothing is clamped.

    Raises:
        NotFound: no such city; CitySuspended; NotLinked; LinkNotNumeric; ScoreOffScale: the place of the first bad one.
    """
    controls = {city_id: require_active(c) for city_id, c in cities.load_controls({from_city, to_city}).items()}
    here, there = in_force(controls[from_city]), in_force(controls[to_city])
    try:
        return convert_many(scores, *here, *there)
    except ScoreOffScale:
        for index, score in enumerate(scores):
            here[1].check(score, f"/scores/{index}")
        raise
