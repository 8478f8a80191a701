"""The CloudFormation template that is merged into Chalice's own: ``infra/*.yaml`` and the gateway's own answers.

Chalice's merger replaces lists and keeps both keys where two intrinsic functions meet; no fragment therefore touches a
list of another (but for one of Chalice's, which it means to replace), and Chalice's placeholders are plain strings.
"""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from chalice.package import TemplateDeepMerger

from chalicelib.core import errors, http
from chalicelib.core.errors import Problem
from chalicelib.core.intake import RAW_TYPES

FOLDER = Path(__file__).resolve().parent

# What API Gateway answers by itself, before or after the function. No route asks it to check a signature or a token:
# the types about those only come up where no route is (a bearer token on an unknown path is a broken signature to it).
_REFUSALS: dict[str, Problem] = {
    "ACCESS_DENIED": errors.Forbidden(),
    "API_CONFIGURATION_ERROR": errors.InternalError(),
    "AUTHORIZER_CONFIGURATION_ERROR": errors.InternalError(),
    "AUTHORIZER_FAILURE": errors.InternalError(),
    "BAD_REQUEST_BODY": errors.MalformedRequest(),
    "BAD_REQUEST_PARAMETERS": errors.MalformedRequest(),
    "EXPIRED_TOKEN": errors.NotFound(),
    "INTEGRATION_FAILURE": errors.Unavailable(retry_after_seconds=1),
    "INTEGRATION_TIMEOUT": errors.Unavailable(retry_after_seconds=1),
    "INVALID_API_KEY": errors.Forbidden(),
    "INVALID_SIGNATURE": errors.NotFound(),
    "MISSING_AUTHENTICATION_TOKEN": errors.NotFound(),
    "QUOTA_EXCEEDED": errors.TooManyRequests(retry_after_seconds=3600),
    "REQUEST_TOO_LARGE": errors.TooLarge(),
    "RESOURCE_NOT_FOUND": errors.NotFound(),
    "THROTTLED": errors.TooManyRequests(retry_after_seconds=1),
    "UNAUTHORIZED": errors.Unauthenticated(),
    "UNSUPPORTED_MEDIA_TYPE": errors.UnsupportedMediaType(),
    "WAF_FILTERED": errors.Forbidden(),
}
_DEFAULTS: dict[str, Problem] = {
    "DEFAULT_4XX": errors.MalformedRequest(),
    "DEFAULT_5XX": errors.InternalError(),
}


def merged(stage: str) -> dict[str, Any]:
    """The whole fragment to hand to ``chalice package --merge-template``, for one stage."""
    parts = [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    gateway = {"Resources": {"RestAPI": {"Properties": _gateway()}}}
    whole: dict[str, Any] = reduce(TemplateDeepMerger().merge, [*parts, gateway])
    whole["Parameters"]["Stage"]["Default"] = stage
    return whole


def _gateway() -> dict[str, Any]:
    """The gateway's own answers, and the types whose bodies it hands over in base64, in place of Chalice's list.

    ``app.api.binary_types`` would be the place, but there Chalice takes replies of these types for bytes, too, refuses
    text, and asks readers for an Accept header. The gateway itself decodes a reply only if it says that it is base64.
    """
    definition = {"x-amazon-apigateway-binary-media-types": list(RAW_TYPES)}
    return {"GatewayResponses": gateway_responses(), "DefinitionBody": definition}


def gateway_responses() -> dict[str, Any]:
    """Every answer of API Gateway itself as the problem document the functions would send, in both languages.

    The defaults keep the gateway's status: a status on a default would change all others of its class.
    """
    answers = {kind: _answer(problem) for kind, problem in _REFUSALS.items()}
    for kind, problem in _DEFAULTS.items():
        answers[kind] = _answer(problem, keep_status=True)
    return answers


def _answer(problem: Problem, *, keep_status: bool = False) -> dict[str, Any]:
    response = http.problem_response(problem)
    document = json.loads(response.body) | {"request_id": "$context.requestId"}
    if keep_status:
        del document["status"]
    answer = {
        "ResponseParameters": {"Headers": {name: f"'{value}'" for name, value in sorted(response.headers.items())}},
        # ASCII with escapes: CloudFormation does not promise to carry anything else.
        "ResponseTemplates": {http.JSON: json.dumps(document, ensure_ascii=True)},
    }
    return answer if keep_status else {"StatusCode": problem.status, **answer}
