"""Files of scores as they come: encodings, marks, formulas, files cut off, and files that are none."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from infra.cli.score_files import MAX_LINE_BYTES, FileUnreadable, look_over, rows_of

HEADER = "subject_id,score,as_of,revision\n"
ROW = {"subject_id": "p1_a", "score": 650, "as_of": "2025-08-01T00:00:00Z", "revision": 1}
LINE = "p1_a,650,2025-08-01T00:00:00Z,1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scores.csv"


def read(path: Path, content: str | bytes) -> list[Any]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(rows_of(look_over(path)))


def bad(reason: str) -> dict[str, str]:
    return {"unreadable": reason}


def test_csv_and_ndjson_say_the_same(path: Path) -> None:
    assert read(path, HEADER + LINE) == [ROW]
    assert read(path, '{"subject_id":"p1_a","score":650,"as_of":"2025-08-01T00:00:00Z","revision":1}\n') == [ROW]
    assert read(path, "revision, score,as_of,subject_id\r\n1,650 ,2025-08-01T00:00:00Z,p1_a\r\n") == [ROW]
    assert read(path, 'subject_id,score,as_of,revision\n"p1_a","650","2025-08-01T00:00:00Z","1"\n') == [ROW]


def test_a_byte_order_mark_is_read_and_told(path: Path) -> None:
    assert read(path, b"\xef\xbb\xbf" + (HEADER + LINE).encode()) == [ROW]
    assert look_over(path).bom
    assert read(path, b'\xef\xbb\xbf{"score":1}\n') == [{"score": 1}]


def test_gbk_is_found_out_and_converted(path: Path) -> None:
    content = "主体编号,信用分,截至时间,修订号\n" + LINE + "张三,650,2025-08-01T00:00:00Z,1\n"
    assert read(path, content.encode("gbk")) == [ROW, {**ROW, "subject_id": "张三"}]
    file = look_over(path)
    assert (file.encoding, file.bom, file.rows_total) == ("gb18030", False, 2)
    assert file.sha256 == hashlib.sha256(content.encode("gbk")).hexdigest()


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        ("=1+1,650,2025-08-01T00:00:00Z,1", bad("formula")),
        ("p1_a,@x,2025-08-01T00:00:00Z,1", bad("formula")),
        ("p1_a,+650,2025-08-01T00:00:00Z,1", bad("formula")),
        ("p1_a,-1+2,2025-08-01T00:00:00Z,1", bad("formula")),
        ("p1_a,-5,2025-08-01T00:00:00Z,1", {**ROW, "score": -5}),
        ('"\t=cmd",650,2025-08-01T00:00:00Z,1', bad("formula")),
        ("p1_a,650.0,2025-08-01T00:00:00Z,1", {**ROW, "score": "650.0"}),
        ("p1_a,６５０,2025-08-01T00:00:00Z,1", {**ROW, "score": "６５０"}),
        ("p1_a,,2025-08-01T00:00:00Z,1", {**ROW, "score": ""}),
        ("p1_a,650,2025-08-01T00:00:00Z", bad("columns")),
        ("p1_a,650,2025-08-01T00:00:00Z,1,9", bad("columns")),
        ('p1_a,"650,2025-08-01T00:00:00Z,1', bad("columns")),
        ("p1_a,650,2025\0-08-01T00:00:00Z,1", bad("nul")),
        ("", bad("blank")),
        ("x" * (MAX_LINE_BYTES + 1), bad("long")),
        ("x" * (3 * MAX_LINE_BYTES), bad("long")),
    ],
)
def test_a_bad_line_is_one_bad_row(path: Path, cells: str, row: dict[str, Any]) -> None:
    assert read(path, HEADER + LINE + cells + "\n" + LINE) == [ROW, row, ROW]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("[1]", bad("json")),
        ('{"score":1,"score":2}', bad("json")),
        ('{"score":NaN}', bad("json")),
        ('{"score":1', bad("json")),
        ('{"subject_id":"=1+1"}', bad("formula")),
        ('{"score":-1}', {"score": -1}),
    ],
)
def test_a_bad_line_of_ndjson_is_one_bad_row(path: Path, line: str, row: dict[str, Any]) -> None:
    assert read(path, '{"score":1}\n' + line + '\n{"score":2}\n') == [{"score": 1}, row, {"score": 2}]


@pytest.mark.parametrize("end", ["p1_a,650,2025-08-0", "p1_a,650,2025-08-01T00:00:00Z,", LINE.strip(), '"p1', "p1_张"])
def test_a_file_cut_off_loses_its_last_row_only(path: Path, end: str) -> None:
    raw = (HEADER + LINE + end).encode()
    assert read(path, raw) == [ROW, bad("cut-off")]
    assert look_over(path).open_end
    if not end.isascii():
        assert read(path, raw[:-1]) == [ROW, bad("cut-off")]
        assert look_over(path).encoding == "utf-8"


def test_ndjson_cut_off_loses_its_last_row_only(path: Path) -> None:
    assert read(path, '{"score":1}\n{"sco') == [{"score": 1}, bad("cut-off")]


def test_a_score_cut_in_half_is_never_sent(path: Path) -> None:
    whole = "subject_id,as_of,revision,score\n" + 2 * "p1_a,2025-08-01T00:00:00Z,1,693\n"
    assert [row["score"] for row in read(path, whole)] == [693, 693]
    for cut in range(1, 8):
        _, last = read(path, whole[:-cut])
        assert last == bad("cut-off")


def test_what_ends_completely_is_a_row(path: Path) -> None:
    assert read(path, '{"score":1}\n{"score":69}') == [{"score": 1}, {"score": 69}]
    assert look_over(path).open_end
    assert read(path, HEADER + LINE + "\n\r\n \n") == [ROW]
    assert not look_over(path).open_end


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (HEADER.encode(), "no rows"),
        (b"subject,score,as_of,revision\n" + LINE.encode(), "header"),
        (b"subject_id;score;as_of;revision\n", "header"),
        (b"subject_id,score,as_of,revision,score\n", "header"),
        (LINE.encode(), "header"),
        ((HEADER + LINE).encode("utf-16"), "encoded"),
        (b"subject_id,score,as_of,revision\n\x80\xff\xff\n", "encoded"),
        (b"PK\x03\x04" + bytes(100), "header"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(FileUnreadable, match=said):
        look_over(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(FileUnreadable, match="cannot be opened"):
            look_over(path)


def test_a_file_changed_meanwhile_is_noticed(path: Path) -> None:
    read(path, HEADER + LINE)
    file = look_over(path)
    path.write_text(HEADER + LINE + LINE)
    with pytest.raises(FileUnreadable, match="changed"):
        list(rows_of(file))
    rows = rows_of(look_over(path))
    assert next(rows) == ROW
    path.write_text(HEADER + LINE)
    with pytest.raises(FileUnreadable, match="changed"):
        list(rows)


def test_reading_goes_on_at_any_row_and_knows_its_line(path: Path) -> None:
    lines = [LINE.replace("650", str(600 + n)) for n in range(5)]
    read(path, HEADER + "".join(lines))
    file = look_over(path)
    assert [row["score"] for row in rows_of(file, 4)] == [603, 604]
    assert (file.line_of(1), file.rows_total) == (2, 5)
    read(path, '{"score":1}\n{"score":2}\n')
    assert look_over(path).line_of(2) == 2


def test_memory_stays_flat(path: Path) -> None:
    with path.open("w") as stream:
        stream.write(HEADER)
        stream.writelines(LINE for _ in range(20_000))
        stream.write("x" * 5_000_000)
    tracemalloc.start()
    count = sum(1 for _ in rows_of(look_over(path)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_001
    assert peak_bytes < 4_500_000 < path.stat().st_size
