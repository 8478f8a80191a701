"""An API over a city with a scale and one citizen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Answer, Api
from tests.integration.scores import world


@dataclass
class City:
    """Speaks as a city."""

    api: Api
    city_id: str = "xiamen"

    @property
    def path(self) -> str:
        return f"/v1/cities/{self.city_id}"

    @property
    def token(self) -> str:
        return self.api.as_city(self.city_id)

    def report(
        self, subject: str, score: Any, as_of: Any = "2025-08-01T00:00:00Z", revision: Any = 1, **more: Any
    ) -> Answer:
        body = {"score": score, "as_of": as_of, "revision": revision, "scale_version": 1, **more}
        return self.api.put(f"{self.path}/subjects/{subject}/score", body, token=self.token)

    def batch(self, *rows: Any, scale_version: int = 1) -> Answer:
        body = {"scale_version": scale_version, "rows": list(rows)}
        return self.api.post(f"{self.path}/scores", body, token=self.token, key="")

    def get(self, rest: str) -> Answer:
        return self.api.get(self.path + rest, token=self.token)

    def open(self, sha: str = "a" * 64, **more: Any) -> Answer:
        body = {"file_sha256": sha, "file_name": "八月.csv", "scale_version": 1, **more}
        return self.api.post(f"{self.path}/score-imports", body, token=self.token)

    def rows(self, job_id: str, first_row: int, *rows: Any, **more: Any) -> Answer:
        body = {"first_row": first_row, "rows": list(rows), **more}
        return self.api.post(f"{self.path}/score-imports/{job_id}/rows", body, token=self.token, key="")


def row(subject: str, score: Any = 650, as_of: Any = "2025-08-01T00:00:00Z", revision: Any = 1) -> dict[str, Any]:
    """A row of a batch or a file."""
    return {"subject_id": subject, "score": score, "as_of": as_of, "revision": revision}


@pytest.fixture
def xiamen(api: Api) -> City:
    world.found_city()
    return City(api)
