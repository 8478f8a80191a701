"""The domain's endpoints: each module here adds its own."""

from __future__ import annotations

from chalicelib.core.http import Routes

routes = Routes("medical", __name__)
