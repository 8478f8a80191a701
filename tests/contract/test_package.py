"""The packager's own promises: reproducible, and no silent gaps."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from infra.package import PackagingFailed, _check_complete
from infra.slim import kept, slim


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("app.py", True),
        ("botocore/data/dynamodb/2012-08-10/service-2.json.gz", True),
        ("botocore/data/endpoints.json", True),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("boto3/data/s3/2006-03-01/resources-1.json", False),
        ("boto3/examples/s3.rst", False),
        ("botocore/cacert.pem", True),
        ("chalicelib/core/__pycache__/text.cpython-311.pyc", False),
        ("jsonschema_specifications/schemas/draft202012/metaschema.json", True),
    ],
)
def test_what_is_kept(name: str, stays: bool) -> None:
    assert kept(name) is stays


def zipped(path: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return path


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    entries = {
        "a.py": "X = {'one', 'two', 'three'}\n",
        "b/__init__.py": "",
        "b/c.py": "from a import X\n",
        "d.json": "1",
    }
    first = zipped(tmp_path / "1.zip", entries)
    second = zipped(tmp_path / "2.zip", dict(reversed(entries.items())))
    slim(first, first)
    slim(second, second)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {"a.py", "__pycache__/a.cpython-311.pyc", "b/__pycache__/c.cpython-311.pyc"} < set(archive.namelist())


def test_a_missing_distribution_fails_the_build(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("python-dateutil==2.9.0 \\\n    --hash=sha256:00\nrpds-py==1.0\n", "utf-8")
    entries = {"python_dateutil-2.9.0.dist-info/METADATA": "", "rpds/__init__.py": ""}
    with pytest.raises(PackagingFailed, match="rpds-py"):
        _check_complete(zipped(tmp_path / "x.zip", entries), requirements)
