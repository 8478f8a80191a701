"""``python -m infra.package OUT``: zip and template of a release, for ``aws cloudformation package`` and ``deploy``.

Chalice packages a copy of what ships (so no stale cache, no ``__pycache__`` and nothing of the working tree gets in),
the template fragments are merged in, the zip is checked against ``requirements.txt`` and slimmed, and cfn-lint reads
the result.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from infra.slim import slim
from infra.template import merged

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("dev", "prod")
# Decides the service principal of API Gateway, which has another suffix in China.
REGION = "cn-north-1"
_SHIPPED = ("app.py", "requirements.txt", "chalicelib", "vendor", ".chalice/config.json")
_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
_CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"
# For pip, which Chalice calls: Lambda's wheels and nothing else, every one by its hash. Without these, Chalice takes
# this computer's wheels first and fetches those that do not fit Lambda a second time, without hashes.
_LAMBDA_WHEELS = {
    "PIP_REQUIRE_HASHES": "1",
    "PIP_ONLY_BINARY": ":all:",
    "PIP_IMPLEMENTATION": "cp",
    "PIP_PYTHON_VERSION": "3.11",
    "PIP_ABI": "cp311",
    "PIP_PLATFORM": " ".join(f"manylinux_{glibc}_x86_64" for glibc in ("2_26", "2_24", "2_17", "2_12", "2_5")),
}
_TICK_SECONDS = 5
_LAST_LINES = 20


class PackagingFailed(RuntimeError):
    """A step failed; the text holds what it printed."""


def build(out: Path, stage: str = "prod", region: str = REGION, root: Path = ROOT) -> None:
    """Writes ``deployment.zip`` and ``sam.json`` to ``out``.

    Raises: PackagingFailed: Chalice or pip failed; a required distribution is missing from the zip (Chalice only
        prints that); cfn-lint objects; in this order.
    """
    out.mkdir(parents=True, exist_ok=True)
    archive, template = out / "deployment.zip", out / "sam.json"
    with tempfile.TemporaryDirectory() as scratch:
        copy = _copy(root, Path(scratch, "egret"))
        fragment = Path(scratch, "merge.json")
        fragment.write_text(json.dumps(merged(stage)), "utf-8")
        _chalice(copy, fragment, out.resolve(), stage, region)
    _check_complete(archive, root / "requirements.txt")
    before = archive.stat().st_size
    _say("正在精简并预编译压缩包 / slimming and compiling the zip")
    slim(archive, archive)
    _run("cfn-lint 检查模板 / cfn-lint reads the template", ["-c", _CFN_LINT, "--regions", region, "-t", str(template)])
    after = archive.stat().st_size
    _say(f"压缩包 / zip: {before / 1e6:.1f} MB → {after / 1e6:.1f} MB  {archive}")
    _say(f"模板 / template: {template}")


def _copy(root: Path, copy: Path) -> Path:
    for name in _SHIPPED:
        source, target = root / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(source, target)
    return copy


def _chalice(project: Path, fragment: Path, out: Path, stage: str, region: str) -> None:
    options = ["--stage", stage, "--merge-template", str(fragment), str(out)]
    _run(
        "Chalice 打包（下载依赖，约十几秒） / chalice package (fetches the requirements, some ten seconds)",
        ["-c", _CHALICE, "--project-dir", str(project), "package", *options],
        {"AWS_DEFAULT_REGION": region, "PYTHONDONTWRITEBYTECODE": "1", **_LAMBDA_WHEELS},
    )


def _check_complete(archive: Path, requirements: Path) -> None:
    with zipfile.ZipFile(archive) as whole:
        found = {_canonical(m[1]) for n in whole.namelist() if (m := re.match(r"([^/]+?)-[^/-]+\.dist-info/", n))}
    wanted = {_canonical(m[1]) for m in re.finditer(r"^([A-Za-z0-9._-]+)==", requirements.read_text("utf-8"), re.M)}
    if wanted - found:
        raise PackagingFailed(f"压缩包缺少 / missing from the zip: {', '.join(sorted(wanted - found))}")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _run(title: str, arguments: Sequence[str], environment: dict[str, str] | None = None) -> None:
    """Runs Python with these arguments; a dot every few seconds shows that it goes on."""
    _say(title)
    command = [sys.executable, *arguments]
    with tempfile.TemporaryFile() as output:
        running = subprocess.Popen(command, stdout=output, stderr=output, env=_environment() | (environment or {}))
        while _still(running):
            _say("……")
        output.seek(0)
        if running.returncode:
            said = output.read().decode(errors="replace").strip().splitlines()
            raise PackagingFailed("\n".join([title, *said[-_LAST_LINES:]]))


def _still(running: subprocess.Popen[bytes]) -> bool:
    try:
        running.wait(_TICK_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _environment() -> dict[str, str]:
    """This environment without the caller's AWS settings; the app is imported to find its routes, in the test stage."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("EGRET_", "AWS_"))}


def _say(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="输出文件夹 / folder for the zip and the template")
    parser.add_argument("--stage", choices=STAGES, default="prod", help="部署阶段 / stage (prod)")
    parser.add_argument("--region", default=REGION, help=f"部署区域 / region to deploy to ({REGION})")
    options = parser.parse_args()
    try:
        build(options.out, options.stage, options.region)
    except PackagingFailed as failed:
        sys.exit(f"打包失败 / packaging failed: {failed}")


if __name__ == "__main__":
    main()
