"""How the demo tells its story: requests and replies as they were, a tick for every expectation met."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.syntax import Syntax

from infra.local.client import Client, Exchange

LONGEST_LIST = 2
LONGEST_TEXT = 64
COLOURS = {2: "green", 3: "green", 4: "yellow", 5: "red"}


class Surprise(AssertionError):
    """Something was not as expected."""


class Teller:
    """Sends requests and tells of them."""

    def __init__(self, client: Client, console: Console) -> None:
        self.client = client
        self.console = console
        self.checks = 0
        self._keys = 0

    def chapter(self, zh: str, en: str) -> None:
        """Begins one part of the story."""
        self.console.print()
        self.console.print(Rule(f"[bold]{zh}[/]  {en}", align="left"))

    def says(self, zh: str, en: str) -> None:
        """One sentence between requests."""
        self.console.print(f"\n{zh}\n[dim]{en}[/]")

    def keep(self, drawn: Exchange, to: Path) -> None:
        """Keeps a picture as a file, and says where."""
        to.write_text(drawn.text, "utf-8")
        self.console.print(f"  [dim]{drawn.path} → {to}[/]")

    def ask(
        self,
        method: str,
        path: str,
        actor: str = "",
        body: Any = None,
        *,
        status: int = 200,
        key: str = "",
        quiet: bool = False,
    ) -> Exchange:
        """Sends one request, shows it with its reply, and expects ``status``."""
        self._keys += 1
        key = key or (f"demo-step-{self._keys:04d}" if method == "POST" else "")
        exchange = self.client.send(method, path, actor, body, key=key)
        if not quiet or exchange.status != status:
            self.show(exchange)
        if exchange.status != status:
            raise Surprise(f"{method} {path}: {exchange.status}, expected {status}")
        return exchange

    def show(self, exchange: Exchange) -> None:
        """One exchange, lists shortened."""
        who = f"  [dim]{escape(exchange.actor)}[/]" if exchange.actor else ""
        self.console.print(f"\n[bold cyan]→ {exchange.method}[/] {escape(_short_path(exchange.path))}{who}")
        if exchange.sent is not None:
            self._json(exchange.sent)
        colour = COLOURS[exchange.status // 100]
        kind = exchange.headers.get("content-type", "")
        self.console.print(f"[bold {colour}]← {exchange.status}[/] [dim]{kind}[/]")
        if "json" in kind:
            self._json(beyond(exchange.body, exchange.sent))

    def _json(self, value: Any) -> None:
        text = json.dumps(shortened(value), ensure_ascii=False, indent=1)
        self.console.print(Syntax(_tight(text), "json", theme="ansi_light", background_color="default", word_wrap=True))

    def expect(self, what: str, got: Any, wanted: Any) -> None:
        """A tick if ``got`` is ``wanted``. Raises: Surprise."""
        if got != wanted:
            raise Surprise(f"{what}: {got!r}, expected {wanted!r}")
        self.checks += 1
        self.console.print(f"  [green]✓[/] {escape(what)}: {escape(_words(got))}")

    def expect_near(self, what: str, got: float, wanted: float, within: float) -> None:
        """A tick if ``got`` is about ``wanted``. Raises: Surprise."""
        if abs(got - wanted) > within:
            raise Surprise(f"{what}: {got!r}, expected about {wanted!r}")
        self.checks += 1
        self.console.print(f"  [green]✓[/] {escape(what)}: {got} ≈ {wanted}")


def _words(value: Any) -> str:
    if value is None:
        return "未知 unknown"
    return {True: "是 yes", False: "否 no"}[value] if isinstance(value, bool) else str(value)


def beyond(reply: Any, sent: Any) -> Any:
    """The reply without the fields that only repeat what was sent, if it repeats any."""
    if not isinstance(reply, dict) or not isinstance(sent, dict):
        return reply
    new = {name: value for name, value in reply.items() if name not in sent or sent[name] != value}
    return new if len(new) == len(reply) else {**new, "…": "其余与请求相同 the rest as sent"}


def shortened(value: Any) -> Any:
    """The value with long lists and texts cut, so that a person can read it."""
    if isinstance(value, dict):
        return {name: shortened(inner) for name, inner in value.items()}
    # The demo's own figures come as tuples, replies as lists.
    if isinstance(value, (list, tuple)) and len(value) > 2 * LONGEST_LIST:
        return [*map(shortened, value[:LONGEST_LIST]), f"… {len(value) - LONGEST_LIST} more"]
    if isinstance(value, (list, tuple)):
        return [shortened(inner) for inner in value]
    if isinstance(value, str) and len(value) > LONGEST_TEXT and " " not in value:
        return value[: LONGEST_TEXT // 2] + "…"
    return value


def _tight(text: str) -> str:
    """JSON with short objects and lists on one line."""
    import re

    pattern = re.compile(r"([\[{])\n\s+([^\[\]{}]{0,88}?)\n\s*([\]}])", re.DOTALL)
    for _ in range(3):
        text = pattern.sub(lambda m: m[1] + re.sub(r"\n\s*", " ", m[2]) + m[3], text)
    return text


def _short_path(path: str) -> str:
    return "/".join(part if len(part) <= LONGEST_TEXT else part[:12] + "…" for part in path.split("/"))
