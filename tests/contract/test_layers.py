"""What the import law cannot say: which names may be called where, and how long anything may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import SLOWEST_FIRST

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "chalicelib"
FILES = {path.relative_to(ROOT).as_posix(): path for path in sorted(CODE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
ROOMS = {"rules", "store", "service", "routes", "data"}
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 400, 50
every_file = pytest.mark.parametrize("name", FILES)


@cache
def nodes(name: str) -> list[ast.AST]:
    return list(ast.walk(TREES[name]))


def places(name: str, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in nodes(name) if isinstance(node, kinds))


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a chain of attributes; empty for anything else."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


@cache
def called(name: str) -> frozenset[str]:
    """Every dotted name that a file uses, with what it imports by name spelled out."""
    found = {dotted(node) for node in places(name, ast.Attribute, ast.Name)}
    for node in places(name, ast.ImportFrom):
        assert isinstance(node, ast.ImportFrom)
        found |= {f"{node.module}.{alias.name}" for alias in node.names}
    for node in places(name, ast.Import):
        assert isinstance(node, ast.Import)
        found |= {alias.name for alias in node.names}
    return frozenset(found)


def test_the_import_law_is_kept() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    kept = subprocess.run([linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert kept.returncode == 0, kept.stdout[-3000:]


OUTERMOST = {f"chalicelib/core/{name}.py" for name in ("chores", "functions", "http", "stream")}


@every_file
def test_only_the_outermost_wrappers_catch_everything(name: str) -> None:
    caught = 0
    for node in places(name, ast.ExceptHandler):
        assert isinstance(node, ast.ExceptHandler)
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        caught += any(kind is None or dotted(kind) in {"Exception", "BaseException"} for kind in kinds)
    assert caught == (1 if name in OUTERMOST else 0)


# What reaches outside a function's arguments, and the one file that may.
OUTSIDE = {
    "chalicelib/core/config.py": ("os.environ", "os.getenv", "os"),
    "chalicelib/core/clock.py": (
        "datetime.now", "datetime.utcnow", "datetime.today", "datetime.datetime.now", "date.today", "time.time",
        "time.time_ns", "time.perf_counter", "time.monotonic", "time.sleep", "time.localtime", "time",
    ),
    "chalicelib/core/ids.py": ("random", "secrets", "uuid", "os.urandom", "random.random", "uuid.uuid4"),
    "chalicelib/core/log.py": ("print", "logging", "sys.stdout", "sys.stderr", "sys"),
}  # fmt: skip


@every_file
def test_the_outside_is_reached_in_one_place(name: str) -> None:
    for home, names in OUTSIDE.items():
        if name != home:
            assert not called(name) & set(names), f"only {home} may use {called(name) & set(names)}"


@every_file
def test_nothing_unsafe_is_used(name: str) -> None:
    unsafe = {"eval", "exec", "pickle", "pickle.loads", "subprocess", "os.system", "__import__", "marshal", "shelve"}
    assert not called(name) & unsafe


@every_file
def test_files_and_functions_are_short(name: str) -> None:
    assert len(FILES[name].read_text("utf-8").splitlines()) <= MOST_LINES
    for node in places(name, ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        assert lines <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {lines} lines"


@every_file
def test_every_module_and_public_function_says_what_it_promises(name: str) -> None:
    tree = TREES[name]
    assert ast.get_docstring(tree), "a module says what it is for"
    if name.endswith(("routes.py", "__init__.py")):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not overloaded(node):
            assert ast.get_docstring(node), f"{node.name} promises nothing"


def overloaded(node: ast.FunctionDef) -> bool:
    return any(dotted(decorator) == "overload" for decorator in node.decorator_list)


DOMAINS = sorted(path.parent for path in CODE.glob("*/__init__.py") if path.parent.name != "core")


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda path: path.name)
def test_a_domain_has_rooms_and_nothing_else(domain: Path) -> None:
    found = {path.stem for path in domain.iterdir() if path.name not in {"__init__.py", "__pycache__"}}
    assert found <= ROOMS
    assert "rules" in found
    docstring = ast.get_docstring(TREES[f"chalicelib/{domain.name}/__init__.py"])
    assert docstring is not None
    assert len(docstring.splitlines()) >= 3, "a domain says what it is, its states, its sources"


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda path: path.name)
def test_the_rules_of_a_domain_have_tests_of_their_own(domain: Path) -> None:
    tests = [
        path
        for kind in ("unit", "property", "integration")
        for path in (ROOT / "tests" / kind / domain.name).glob("test_*.py")
    ]
    assert tests


@pytest.mark.parametrize("name", SLOWEST_FIRST)
def test_the_files_of_tests_that_are_handed_out_first_are_there(name: str) -> None:
    assert (ROOT / "tests" / name).is_file()


def test_the_app_is_wiring_only() -> None:
    assert len((ROOT / "app.py").read_text("utf-8").splitlines()) < 80


@every_file
def test_nothing_is_said_of_the_machine_it_was_written_on(name: str) -> None:
    text = FILES[name].read_text("utf-8")
    for word in ("/work/", "/root/", "/home/", "TODO", "FIXME", "XXX"):
        assert word not in text
