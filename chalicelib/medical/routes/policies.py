"""How a bank writes its policy for medical credit, tries it, and how its city approves it."""

from __future__ import annotations

from functools import partial

from chalicelib.cities.rules import CitySuspended
from chalicelib.core import codec
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.http import SVG, Call, Reply, etag, paged
from chalicelib.core.text import Text
from chalicelib.medical import service
from chalicelib.medical.routes.blueprint import routes
from chalicelib.medical.rules import (
    Policy,
    PolicyApprovalByAuthor,
    PolicyInvalid,
    PolicyLintRefused,
    PolicyMoveForbidden,
    PolicyStateConflict,
    PopulationUnknown,
)
from chalicelib.medical.rules.lifecycle import PolicyChanged
from chalicelib.medical.rules.plot_what_if import plot_what_if_svg
from chalicelib.medical.service import exposing, policies
from chalicelib.partners.rules import PartnerSuspended

_POLICIES = "/v1/cities/{city_id}/banks/{bank_id}/credit-policies"
_VERSION = _POLICIES + "/{version}"
_AUTHOR = allow("bank", scope="credit:write", owner="city_id", tenant="bank_id")
_STAFF = allow("bank", "city", scope="credit:write", owner="city_id", tenant="bank_id")
_WRITING = (PolicyInvalid, CitySuspended, PartnerSuspended, PolicyMoveForbidden, PolicyStateConflict, Conflict)
_MOST_DIGITS = 6


@routes.route(
    "POST", _POLICIES, policy=_AUTHOR, effect=True, dry_run=True, status=201, body="medical/draft_policy.json",
    reply="medical/policy_view.json", problems=_WRITING,
    summary=Text("起草授信规则的下一版本", "Draft the next version of a bank's credit policy"),
)  # fmt: skip
def draft_policy(call: Call) -> Reply:
    """A draft may have faults that only its city can tell, all of which are named; it goes to review once it has
    none."""
    made = service.draft(call.unit, call.effect_intent, call.now, call.caller, _policy(call, 0))
    return Reply(made, 201, etag=_tag(made))


@routes.route(
    "GET", _POLICIES, policy=_STAFF, reply="medical/policy_list.json",
    summary=Text("一家银行的授信规则各版本", "The versions of a bank's credit policy, and where each stands"),
)  # fmt: skip
def list_policies(call: Call) -> Reply:
    """At most a hundred."""
    return Reply({"items": service.list_versions(call.now, call.caller, _bank(call)), "next": None})


@routes.route(
    "GET", _VERSION, policy=_STAFF, reply="medical/policy_view.json",
    summary=Text("授信规则的一个版本", "One version of a credit policy, and what is wrong with it"),
)  # fmt: skip
def get_policy(call: Call) -> Reply:
    """The linter judges it by the city's rules of today for as long as it is not approved."""
    _, found = service.read_version(call.now, call.caller, _bank(call), _number(call))
    return Reply(found, etag=_tag(found))


@routes.route(
    "PUT", _VERSION, policy=_AUTHOR, if_match=True, effect=True, dry_run=True, body="medical/draft_policy.json",
    reply="medical/policy_view.json", problems=_WRITING,
    summary=Text("修改授信规则草稿", "Change a draft of a credit policy"),
)  # fmt: skip
def edit_policy(call: Call) -> Reply:
    """Whoever changes a draft becomes one of its authors, none of whom may approve it."""
    desk, seen = service.read_version(call.now, call.caller, _bank(call), _number(call))
    call.expect(_tag(seen))
    changed = service.edit(call.unit, call.effect_intent, call.now, desk, _policy(call, seen.version))
    return Reply(changed, etag=_tag(changed))


@routes.route(
    "POST", _VERSION + "/moves", policy=_STAFF, effect=True, dry_run=True, body="medical/move_policy.json",
    reply="medical/policy_view.json", problems=(*_WRITING, PolicyApprovalByAuthor, PolicyChanged, PolicyLintRefused),
    summary=Text("提交、撤回、退回、批准或结束一个版本", "Submit, withdraw, return, approve or end a version"),
)  # fmt: skip
def move_policy(call: Call) -> Reply:
    """`submit`, `withdraw` and `end` are the bank's authors' moves, `return` and `approve` the city's reviewers'.

    Who approves or returns one sends the `digest` of what he has read.
    """
    wanted, digest = call.body["move"], call.body.get("digest")
    who = call.effect_intent, call.now, call.caller
    moved = service.move(call.unit, *who, _bank(call), _number(call), wanted, digest)
    return Reply(moved, etag=_tag(moved))


@routes.route(
    "GET", _VERSION + "/what-if", policy=_STAFF, reply="medical/what_if.json",
    problems=(PolicyLintRefused, PopulationUnknown),
    summary=Text("试算：各档人数和授信总额", "What a version would mean: people and exposure per tier"),
)  # fmt: skip
def try_policy(call: Call) -> Reply:
    """By the city's published distribution, as if everybody opened a line. Nobody's score is looked at."""
    return Reply(service.try_out(call.now, call.caller, _bank(call), _number(call)))


@routes.route(
    "GET", _VERSION + "/what-if/plot", policy=_STAFF, content_type=SVG, problems=(PolicyLintRefused, PopulationUnknown),
    summary=Text("试算的图", "What a version would mean, as a picture"),
)  # fmt: skip
def plot_policy(call: Call) -> Reply:
    """A row per tier, the highest limit first; below, all of it beside the exposure cap."""
    tried = service.try_out(call.now, call.caller, _bank(call), _number(call))
    return Reply(plot_what_if_svg(tried), content_type=SVG)


@routes.route(
    "GET", "/v1/cities/{city_id}/credit-policies/waiting",
    policy=allow("city", scope="credit:write", owner="city_id"), query=("limit", "cursor"),
    reply="medical/waiting_policies.json",
    summary=Text("待审核的授信规则，等待最久的在前", "What waits for the city's review, the longest waiting first"),
)  # fmt: skip
def list_waiting_policies(call: Call) -> Reply:
    """The list may lag by a moment; whether a version waits is read anew for each of its lines."""
    city_id = call.path["city_id"]
    return paged(call, f"credit-policies-waiting:{city_id}", partial(policies.list_waiting, city_id))


@routes.route(
    "GET", "/v1/cities/{city_id}/banks/{bank_id}/exposure", policy=_STAFF, reply="medical/exposure.json",
    summary=Text("一家银行的授信总额：上限、已占用、剩余", "What a bank has granted in all: its cap, booked, free"),
)  # fmt: skip
def get_exposure(call: Call) -> Reply:
    """Every part of the cap counts the lines that lie in it; `over_fen` is what a lowered cap left above a part."""
    return Reply(exposing.read_exposure(call.now, call.caller, _bank(call)))


def _policy(call: Call, version: int) -> Policy:
    return codec.build(Policy, call.body, **_bank(call)._asdict(), version=version)


def _bank(call: Call) -> service.Bank:
    return service.Bank(call.path["city_id"], call.path["bank_id"])


def _number(call: Call) -> int:
    version = call.path["version"]
    if not version.isdigit() or len(version) > _MOST_DIGITS:
        raise NotFound
    return int(version)


def _tag(seen: service.PolicyView) -> str:
    """What changes whenever the version reads otherwise: a move, or the calendar."""
    return etag("medical-policy", seen.city_id, seen.bank_id, seen.version, seen.revision, seen.state)
