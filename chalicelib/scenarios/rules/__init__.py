"""What is right about scenarios: tables, standings, decisions, receipts, explanations and the linter."""

from chalicelib.scenarios.rules.basis import SCORE_LIFE_DAYS, Basis, Recognised, host_grade_of
from chalicelib.scenarios.rules.benefits import FIELDS, Benefit, BenefitField, describe, merge, worse_fields
from chalicelib.scenarios.rules.compiled import CompiledTable, compile_table
from chalicelib.scenarios.rules.conditions import (
    AllOf,
    AnyOf,
    AttributeIs,
    Condition,
    GradeIs,
    Resident,
    ScoreIs,
    Verdict,
)
from chalicelib.scenarios.rules.decisions import Decision, decide
from chalicelib.scenarios.rules.documents import parse_table, to_document
from chalicelib.scenarios.rules.explaining import Audience, AuditorView, CitizenView, PartnerView, explain
from chalicelib.scenarios.rules.findings import Finding
from chalicelib.scenarios.rules.linting import lint, lint_versions, may_publish
from chalicelib.scenarios.rules.receipts import ENGINE_VERSION, digest, trace
from chalicelib.scenarios.rules.rulings import NextStep, Outcome, Reason
from chalicelib.scenarios.rules.standings import (
    Facts,
    GradeStanding,
    LinkedStanding,
    NoStanding,
    NoStandingReason,
    ResidentStanding,
    Standing,
)
from chalicelib.scenarios.rules.tables import RECIPIENTS, USES, Area, ByGrade, TableInvalid, Tier, TierTable
from chalicelib.scenarios.rules.visitors import linked_standing
from chalicelib.scenarios.rules.wording import WORDING_VERSION

__all__ = [
    "ENGINE_VERSION",
    "FIELDS",
    "RECIPIENTS",
    "SCORE_LIFE_DAYS",
    "USES",
    "WORDING_VERSION",
    "AllOf",
    "AnyOf",
    "Area",
    "AttributeIs",
    "Audience",
    "AuditorView",
    "Basis",
    "Benefit",
    "BenefitField",
    "ByGrade",
    "CitizenView",
    "CompiledTable",
    "Condition",
    "Decision",
    "Facts",
    "Finding",
    "GradeIs",
    "GradeStanding",
    "LinkedStanding",
    "NextStep",
    "NoStanding",
    "NoStandingReason",
    "Outcome",
    "PartnerView",
    "Reason",
    "Recognised",
    "Resident",
    "ResidentStanding",
    "ScoreIs",
    "Standing",
    "TableInvalid",
    "Tier",
    "TierTable",
    "Verdict",
    "compile_table",
    "decide",
    "describe",
    "digest",
    "explain",
    "host_grade_of",
    "linked_standing",
    "lint",
    "lint_versions",
    "may_publish",
    "merge",
    "parse_table",
    "to_document",
    "trace",
    "worse_fields",
]
