"""The API reference at ``/docs``: Swagger UI from an installed package, offline.

Only the package's files are used, not its code. The page's own policy forbids the browser to ask anybody else for
anything; the viewer's check of the document by a public service is taken out besides.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

ROOT = "/docs"
DOCUMENT = "/openapi.json"
_PACKAGE = "flask_swagger_ui"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
}
_ASSET = re.compile(r"[a-z0-9-]+\.(css|js|png)")
_PUBLIC_CHECK = b"https://validator.swagger.io/validator"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)

_PAGE = f"""<!doctype html>
<html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>白鹭 Egret · API</title>
<link rel="icon" type="image/png" href="{ROOT}/favicon-32x32.png">
<link rel="stylesheet" href="{ROOT}/swagger-ui.css">
<div id="reference"></div>
<script src="{ROOT}/swagger-ui-bundle.js"></script>
<script src="{ROOT}/start.js"></script>
</html>"""
_START = f"""window.ui = SwaggerUIBundle({{
  url: "{DOCUMENT}", dom_id: "#reference", presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
  validatorUrl: null, queryConfigEnabled: false, docExpansion: "list", defaultModelsExpandDepth: 0,
  persistAuthorization: false, syntaxHighlight: {{ activated: true }},
}});
"""


def asset(path: str) -> tuple[str, bytes] | None:
    """Content type and bytes of ``/docs`` or a file below it; None if there is none."""
    if path in {ROOT, ROOT + "/"}:
        return "text/html; charset=utf-8", _PAGE.encode()
    name = path.removeprefix(ROOT + "/")
    if name == "start.js":
        return _TYPES["js"], _START.encode()
    matched = _ASSET.fullmatch(name)
    if matched is None or not (files(_PACKAGE) / "dist" / name).is_file():
        return None
    return _TYPES[matched[1]], _content(name)


@lru_cache(maxsize=8)
def _content(name: str) -> bytes:
    return (files(_PACKAGE) / "dist" / name).read_bytes().replace(_PUBLIC_CHECK, b"")
