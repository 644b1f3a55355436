"""Judged queries are read from JSON lines and from TREC's files, and every bad line is named by its number."""

from pathlib import Path

import pytest

from videos.evaluation.judgments import read_judgments, read_qrels
from videos.evaluation.runs import read_run
from videos.evaluation.text_files import InvalidFile


def _write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _collect_problems(path: Path, topics: Path | None = None) -> list[str]:
    with pytest.raises(InvalidFile) as raised:
        read_judgments(path, topics)
    assert str(raised.value).startswith(f"{path} cannot be used:") or topics
    return [str(problem) for problem in raised.value.problems]


def test_json_lines_hold_queries_with_classes_videos_and_grades(tmp_path: Path) -> None:
    text = (
        '\ufeff{"query": " a cat ", "class": "object", "relevant": {"film#2": 2, "film#3": 0}}\r\n'
        "\n"
        '{"id": 7, "query": "un café", "video": "Film", "relevant": ["1", 4]}\n'
    )
    first, second = read_judgments(_write(tmp_path / "judged.jsonl", text))
    assert (first.id, first.text, first.query_class, first.video) == ("1", "a cat", "object", "")
    assert first.grades == {"film#2": 2, "film#3": 0}
    assert (second.id, second.query_class, second.video, second.line) == ("7", "all", "Film", 3)
    assert second.grades == {"1": 1, "4": 1}


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    lines = [
        '{"query": "good", "relevant": {"a": 1}}',
        '{"query": "cut off", ',
        "[1, 2]",
        '{"relevant": {"a": 1}}',
        '{"query": "   ", "relevant": {"a": 1}}',
        '{"query": ["a"], "relevant": {"a": 1}}',
        '{"query": "nothing"}',
        '{"query": "empty", "relevant": {}}',
        '{"query": "grade", "relevant": {"a": 1.5}}',
        '{"query": "grade", "relevant": {"a": true}}',
        '{"query": "same", "id": "1", "relevant": {"a": 1}}',
        '{"query": "%s", "relevant": {"a": 1}}' % ("x" * 1001),
        '{"query": "a\\u0000b", "relevant": {"a": 1}}',
        '{"query": "deep", "relevant": ' + "[" * 100_000,
    ]
    problems = _collect_problems(_write(tmp_path / "judged.jsonl", "\n".join(lines)))
    assert [int(problem.split()[1].rstrip(":")) for problem in problems] == list(range(2, 15))
    assert problems[0].startswith("line 2: This is not JSON: ")
    assert problems[9] == "line 11: The id '1' is already in line 1."


def test_qrels_take_their_queries_from_a_file_of_topics(tmp_path: Path) -> None:
    qrels = _write(tmp_path / "qrels", "t1 0 film#1 2\nt2\t0\tfilm#2\t-1\nt1 0 film#2 1\n")
    topics = _write(tmp_path / "topics", "t2\ta dog\tanimals\nt1\ta cat\nt3\tnot judged\n")
    second, first = read_judgments(qrels, topics)
    assert (first.id, first.text, first.query_class, first.grades) == ("t1", "a cat", "all", {"film#1": 2, "film#2": 1})
    assert (second.text, second.query_class, second.grades, second.lines) == ("a dog", "animals", {"film#2": -1}, {"film#2": 2})


def test_bad_lines_of_trec_files_are_named(tmp_path: Path) -> None:
    topics = _write(tmp_path / "topics", "t1\ta cat\n")
    qrels = _write(tmp_path / "qrels", "t1 0 a 1\nt1 0 a\nt1 0 a 2\nt1 0 b high\n")
    assert _collect_problems(qrels, topics) == [
        "line 2: It has 3 fields. Write topic, 0, scene and grade, separated by spaces.",
        "line 3: The scene a is already judged for t1 in line 1.",
        "line 4: 'high' is not a grade. Write a whole number up to 100; 0 is not relevant.",
    ]
    assert _collect_problems(_write(tmp_path / "other", "t9 0 a 1\n"), topics) == [f"line 1: There is no topic t9 in {topics}."]
    bad_topics = _write(tmp_path / "bad", f"t1 no tab\nt1\ta\nt1\tb\nt2\t{'x' * 1001}\nt3\ta\0b\n")
    assert [problem.split(":")[0] for problem in _collect_problems(_write(tmp_path / "qrels", "t1 0 a 1\n"), bad_topics)] == [
        "line 1",
        "line 3",
        "line 4",
        "line 5",
    ]


def test_files_that_cannot_be_read_say_what_to_do(tmp_path: Path) -> None:
    assert _collect_problems(tmp_path / "absent") == ["No such file or directory. Check the path."]
    assert _collect_problems(tmp_path) == ["Is a directory. Check the path."]
    assert _collect_problems(_write(tmp_path / "empty", "\n \n")) == ["The file is empty. Write one judged query per line."]
    assert _collect_problems(_write(tmp_path / "latin", b'{"query": "\xe9"}\n\xff')) == [
        "line 1: This is not UTF-8 text.",
        "line 2: This is not UTF-8 text.",
    ]
    qrels = _write(tmp_path / "qrels", "t1 0 a 1\n")
    assert _collect_problems(qrels) == ["line 1: This is not JSON. For TREC's qrels, give the queries with --topics FILE."]
    lines = _write(tmp_path / "lines", '{"query": "a", "relevant": {"a": 1}}')
    assert _collect_problems(lines, qrels) == ["It has JSON lines, which contain their queries. Leave out --topics."]


def test_a_long_list_of_bad_lines_is_cut(tmp_path: Path) -> None:
    path = _write(tmp_path / "judged.jsonl", '{"query": "a"\n' * 50)
    with pytest.raises(InvalidFile, match=r"and 30 more$"):
        read_judgments(path)


def test_a_run_is_ordered_by_its_scores(tmp_path: Path) -> None:
    path = _write(tmp_path / "run", "t1 Q0 a 1 0.5 x\nt1\tQ0\tb\t2\t1e3\tx\nt2 Q0 z 1 0 x\nt1 Q0 c 3 0.5 x\n")
    assert read_run(path) == {"t1": ["b", "c", "a"], "t2": ["z"]}


def test_bad_lines_of_a_run_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "run", "t1 Q0 a 1 0.5 x\nt1 Q0 a 2 0.4 x\nt1 Q0 b 3 nan x\nt1 Q0 b\n")
    with pytest.raises(InvalidFile) as raised:
        read_run(path)
    assert [problem.line for problem in raised.value.problems] == [2, 3, 4]


def test_grades_keep_the_lines_of_the_file(tmp_path: Path) -> None:
    assert read_qrels(_write(tmp_path / "qrels", "\nt1 0 a 1\n")) == {"t1": {"a": (1, 2)}}
