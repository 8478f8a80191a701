"""``egret token AS``: a token of the local issuer, for whoever is named.

AS is ``kind:tenant@city/person``: merchant:qingliu-farm, merchant:qingliu-farm/qingliu-author, bank:demo-bank,
city:xiamen, alliance, auditor, citizen:xm-612. The person is one of the tenant's staff; a city's are reviewers here.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from chalicelib.core.auth import ACTOR_KINDS

FOLDER = Path(".egret")
HOME = "xiamen"


def add_to(commands: Any) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser("token", help="打印本地签发的令牌 / print a token of the local issuer")
    parser.add_argument("actor", metavar="AS", help="kind:tenant@city/person, e.g. citizen:xm-612")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where make run keeps its keys")
    parser.add_argument("--scope", help="scopes, if other than the usual ones of the kind")
    parser.add_argument("--no-face", action="store_true", help="a citizen who has not just been face-checked")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the token and nothing else."""
    from infra.local.issuer import DevelopmentIssuer

    kind, _, rest = options.actor.partition(":")
    rest, _, person = rest.partition("/")
    tenant, _, city = rest.partition("@")
    if kind not in ACTOR_KINDS or (not tenant and kind not in {"alliance", "auditor"}):
        return _sorry(f"AS=kind:tenant，kind 为 / kind is one of: {', '.join(ACTOR_KINDS)}")
    if not (options.folder / "keys" / "issuer.pem").exists():
        return _sorry("请先运行 make run / start Egret first: make run")
    if kind == "citizen":
        people = _people(options.folder)
        if tenant in people:
            tenant, city = people[tenant]["subject_id"], people[tenant]["city"]
        elif not tenant.startswith("p1_"):
            return _sorry(f"没有此演示人物 / no such person in the demo; there are: {', '.join(sorted(people))}")
    issuer = DevelopmentIssuer.kept_in(options.folder / "keys" / "issuer.pem")
    home = city or ("alliance" if kind in {"alliance", "auditor"} else tenant if kind == "city" else HOME)
    face = kind == "citizen" and not options.no_face
    roles = ["reviewer"] if kind == "city" else []
    named = {"sub": person} if person else {}
    print(issuer.token(kind, tenant or kind, home, scope=options.scope, roles=roles, face=face, **named))
    return 0


def _people(folder: Path) -> dict[str, dict[str, str]]:
    kept = folder / "people.json"
    return dict(json.loads(kept.read_text("utf-8"))) if kept.exists() else {}


def _sorry(said: str) -> int:
    print(said, file=sys.stderr)
    return 2
