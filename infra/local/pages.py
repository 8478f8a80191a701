"""What the local server shows beside the API: the start page, the reference, the OpenAPI document, the issuer's keys.

Everything works offline.
"""

from __future__ import annotations

import json
from functools import cached_property
from html import escape

from infra.local.issuer import DevelopmentIssuer

JWKS_PATH = "/dev/jwks.json"
HTML = "text/html; charset=utf-8"
JSON = "application/json"

_CITIES = (
    ("xiamen", "厦门 Xiamen"),
    ("hangzhou", "杭州 Hangzhou"),
    ("fuzhou", "福州 Fuzhou"),
    ("zhengzhou", "郑州 Zhengzhou"),
)


class Pages:
    """The pages, by path."""

    def __init__(self, issuer: DevelopmentIssuer) -> None:
        self.issuer = issuer

    def page(self, path: str) -> tuple[str, bytes] | None:
        """Content type and bytes; None for a path that the API answers."""
        path = path.partition("?")[0]
        if path == "/":
            return HTML, _start_page().encode()
        if path == JWKS_PATH:
            return JSON, json.dumps(self.issuer.jwks).encode()
        if path == "/openapi.json":
            return JSON, self._openapi
        if path == "/docs" or path.startswith("/docs/"):
            from infra.local import reference

            return reference.asset(path)
        return None

    @cached_property
    def _openapi(self) -> bytes:
        from infra import openapi

        return json.dumps(openapi.document(), ensure_ascii=False).encode()


def _start_page() -> str:
    plots = "".join(
        f'<figure><a href="/v1/cities/{city}/concordances/current/plot"><img loading="lazy" alt="{escape(name)}" '
        f'src="/v1/cities/{city}/concordances/current/plot"></a><figcaption>{escape(name)}</figcaption></figure>'
        for city, name in _CITIES
    )
    return f"""<!doctype html>
<html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>白鹭 Egret</title>
<style>
body {{ font: 16px/1.6 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; margin: 0 auto;
  max-width: 68rem; padding: 2rem 1rem; color: #1d2b36; background: #fbfaf7 }}
a {{ color: #0b6e72 }} h1 {{ font-weight: 600 }} .en {{ color: #5b6b76 }}
.plots {{ display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)) }}
figure {{ margin: 0; background: #fff; border: 1px solid #e3e0d8; border-radius: .5rem; padding: .5rem }}
img {{ width: 100%; height: auto; min-height: 8rem }} figcaption {{ text-align: center }}
</style>
<h1>白鹭 <span class="en">Egret</span></h1>
<p>信用分在两座城市里是同一个意思，以及它能打开什么。<br>
<span class="en">A credit score that means something in two cities, and what it opens.</span></p>
<ul>
<li><a href="/docs">接口参考 <span class="en">API reference</span></a></li>
<li><a href="/openapi.json">OpenAPI 3.1</a></li>
<li><a href="/v1/cities">联盟城市 <span class="en">the cities</span></a></li>
<li><a href="/v1/cities/xiamen/scenarios">厦门的应用场景 <span class="en">Xiamen's scenarios</span></a></li>
</ul>
<h2>分数对照表 <span class="en">Concordances</span></h2>
<p class="en">演示数据均为虚构 · the demo's distributions are illustrative</p>
<div class="plots">{plots}</div>
</html>"""
