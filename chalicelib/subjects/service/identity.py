"""The city's identity service: who confirms that a document is real and belongs to the person who shows it."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from chalicelib.core import config
from chalicelib.subjects.rules import Application


class IdentityService(Protocol):
    """What enrolment asks a city's identity service."""

    def confirm(self, application: Application) -> date | None:
        """The date of birth of the person, if document, name and proof belong together; None if they do not."""
        ...


class DevelopmentIdentity:
    """NOT an identity service: a stub for development stages. A deployed stage refuses to run it.

    It believes any document whose proof is ``stub:<date of birth>``.
    """

    def __init__(self) -> None:
        assert config.current().development, "a deployed stage needs an identity service of its city"

    def confirm(self, application: Application) -> date | None:
        """The date in the proof; None if it is of another form."""
        scheme, _, text = application.identity_proof.partition(":")
        if scheme != "stub":
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None


def identity_service() -> IdentityService:
    """The identity service of this stage. None is connected yet but the stub, so a deployed stage enrols nobody."""
    return DevelopmentIdentity()
