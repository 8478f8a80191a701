"""``make run``: Egret on 127.0.0.1 with the demo loaded, until Ctrl-C.

Usage: python -m infra.local.server [--port 8000] [--folder .egret] [--empty]
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.markup import escape

from infra.local.client import Refused
from infra.local.database import DatabaseFailed, DatabaseInUse
from infra.local.httpd import PortUnusable
from infra.local.stack import Stack

console = Console(highlight=False, soft_wrap=True)


def main(argv: list[str] | None = None) -> int:
    """Serves until it is told to stop. Returns the exit code."""
    options = _options(argv)
    over = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    notes = Notes()
    try:
        with Stack(options.folder, port=options.port, note=notes) as stack:
            if not options.empty:
                _load(stack)
            _welcome(stack, options.folder)
            notes.shown = True
            over.wait()
            console.print("\n正在停止…… stopping …")
    except PortUnusable as error:
        return _sorry(f"端口 {options.port} 无法使用 / port {options.port} cannot be used: {error}")
    except (DatabaseInUse, DatabaseFailed) as error:
        return _sorry(str(error))
    except Refused as refused:
        return _sorry(_not_loaded(refused, options.folder))
    except OSError as error:
        return _sorry(f"无法继续 / cannot go on: {error.strerror or error}: {error.filename or options.folder}")
    console.print("已停止。stopped.")
    return 0


def _not_loaded(refused: Refused, folder: Path) -> str:
    exchange, said = refused.exchange, refused.said
    return (
        f"演示数据没有载入完：{exchange.method} {exchange.path} 被拒绝（{said.zh}）。"
        f"{folder}/ 中的数据可能来自另一版本：可用 --folder 换一个目录，或加 --empty 直接启动。\n"
        f"The demo could not be loaded: {exchange.method} {exchange.path} was refused ({said.en}). The data in "
        f"{folder}/ may be of another version: take another folder with --folder, or start with --empty."
    )


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="egret-server", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--folder", type=Path, default=Path(".egret"))
    parser.add_argument("--empty", action="store_true", help="do not load the demo")
    return parser.parse_args(argv)


class Notes:
    """One short line per request, once they are ``shown``; the query, which may hold a cursor, is left out."""

    def __init__(self) -> None:
        self.shown = False

    def __call__(self, method: str, path: str, status: int) -> None:
        if self.shown:
            colour = "green" if status < 400 else "yellow" if status < 500 else "red"
            console.print(f"[{colour}]{status}[/] {method} {escape(path.partition('?')[0])}")


def _load(stack: Stack) -> None:
    from infra.local.client import Client
    from infra.local.demo_clinic import load_policy
    from infra.local.demo_load import load
    from infra.local.demo_offers import load_offers

    client = Client(stack.url, stack.issuer)
    with console.status("正在载入演示数据…… loading the demo …"):
        load(client, stack.folder)
        load_offers(client)
        load_policy(client)


def _welcome(stack: Stack, folder: Path) -> None:
    kept = "Dynoxide" if stack.database.engine == "dynoxide" else "moto（内存，不保存 / in memory, nothing is kept）"
    console.print(
        f"""
[bold]白鹭 Egret[/]  {stack.url}
数据 data: {kept}, {folder}/    按 Ctrl-C 停止 / Ctrl-C stops it

试一试 / try, in another terminal:

  curl -s {stack.url}/v1/cities/xiamen/scenarios
  curl -s -H "Authorization: Bearer $(make -s token AS=citizen:xm-612)" "{stack.url}/v1/me/openings?city=xiamen"
  curl -s -H "Authorization: Bearer $(make -s token AS=citizen:hz-705)" "{stack.url}/v1/me/openings?city=xiamen"

看一看 / look at, in a browser:

  {stack.url}/       分数对照图 / the concordance plots
  {stack.url}/docs   接口参考 / the API reference
"""
    )


def _sorry(said: str) -> int:
    Console(stderr=True, highlight=False, soft_wrap=True).print(said)
    return 1


if __name__ == "__main__":
    sys.exit(main())
