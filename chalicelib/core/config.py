"""What the environment says, read once. No other module reads ``os.environ``.

EGRET_STAGE           local, test or a deployed stage's name; only local and test accept development keys and issuer
EGRET_TABLE           name of the DynamoDB table
EGRET_ISSUERS         JSON list of trusted token issuers (see ``core.auth``)
EGRET_SEAL_KEY        ``plain:<base64, 32 bytes>`` (local and test only) or ``kms:<base64 ciphertext>``
EGRET_INDEX_KEY       ``plain:<base64, 32 bytes>`` (local and test only) or ``kms:<key id>``
EGRET_SIGNING_KEY     ``plain:<base64 of a PKCS8 PEM>`` (local and test only) or ``kms:<key id>``
EGRET_RETIRED_KEYS    JSON list of the public JWKs of earlier signing keys, still published
EGRET_ENROL_FUNCTION  name of the enrolment function; empty runs it in this process (local and test only)
EGRET_BANKS           JSON of the addresses of banks' cores: ``{"<city>/<bank>": "https://…"}``
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

DEVELOPMENT_STAGES = frozenset({"local", "test"})


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one process."""

    stage: str
    table: str
    issuers: str
    seal_key: str
    index_key: str
    enrol_function: str
    signing_key: str = ""
    retired_keys: str = "[]"
    banks: str = "{}"

    @property
    def development(self) -> bool:
        """Whether keys in plain text, the development issuer and the identity stub may be used."""
        return self.stage in DEVELOPMENT_STAGES


def load(environ: Mapping[str, str]) -> Config:
    """The settings in this environment.

    A deployed stage with a key in plain text or without an enrolment function is a broken deployment: it must not
    start. A process that names no stage (a tool that only reads declarations) has no more rights than a deployed one.
    """
    config = Config(
        stage=environ.get("EGRET_STAGE", ""),
        table=environ.get("EGRET_TABLE", "egret"),
        issuers=environ.get("EGRET_ISSUERS", "[]"),
        seal_key=environ.get("EGRET_SEAL_KEY", ""),
        index_key=environ.get("EGRET_INDEX_KEY", ""),
        enrol_function=environ.get("EGRET_ENROL_FUNCTION", ""),
        signing_key=environ.get("EGRET_SIGNING_KEY", ""),
        retired_keys=environ.get("EGRET_RETIRED_KEYS", "[]"),
        banks=environ.get("EGRET_BANKS", "{}"),
    )
    if not config.development:
        assert not config.seal_key.startswith("plain:"), "a deployed stage needs its sealing key from KMS"
        assert not config.index_key.startswith("plain:"), "a deployed stage needs its index key in KMS"
        assert not config.signing_key.startswith("plain:"), "a deployed stage needs its signing key in KMS"
        assert config.enrol_function or not config.stage, "a deployed stage needs its enrolment function"
    return config


@lru_cache(maxsize=1)
def current() -> Config:
    """The settings of this process."""
    return load(os.environ)
