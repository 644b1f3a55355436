import os

from heimdex.services.log_files import LIMIT_BYTES, open_log, read_last_lines, rotate


def test_an_oversized_log_is_rotated_and_its_writer_continues(tmp_path):
    path = tmp_path / "logs" / "web.log"
    log = open_log(path)
    try:
        os.write(log, b"old\n" * (LIMIT_BYTES // 4 + 1))
        rotate(path)
        os.write(log, b"new\n")
    finally:
        os.close(log)
    assert path.read_bytes() == b"new\n"
    assert path.with_suffix(".log.1").stat().st_size > LIMIT_BYTES


def test_other_users_cannot_read_logs(tmp_path):
    path = tmp_path / "logs" / "web.log"
    path.parent.mkdir(mode=0o755)
    path.touch(mode=0o644)
    log = open_log(path)
    try:
        os.write(log, b"old\n" * (LIMIT_BYTES // 4 + 1))
        rotate(path)
    finally:
        os.close(log)
    assert {file.name: file.stat().st_mode & 0o777 for file in (path.parent, path, path.with_suffix(".log.1"))} == {
        "logs": 0o750,
        "web.log": 0o640,
        "web.log.1": 0o640,
    }


def test_a_log_of_normal_size_is_not_rotated(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("line\n")
    rotate(path)
    rotate(tmp_path / "missing.log")
    assert path.read_text() == "line\n"


def test_only_lines_since_the_last_start_are_quoted(tmp_path):
    path = tmp_path / "web.log"
    path.write_text("yesterday\n")
    start = path.stat().st_size
    path.write_text(path.read_text() + "".join(f"line {number}\n" for number in range(30)))
    assert read_last_lines(path, since=start, count=2) == "line 28\nline 29"
    assert "yesterday" not in read_last_lines(path, since=start, count=1000)
    assert read_last_lines(tmp_path / "missing.log") == ""
