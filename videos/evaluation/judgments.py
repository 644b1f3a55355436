"""Judged queries: what each should find. They are read from JSON lines, or from TREC's qrels with a file of topics."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videos.evaluation.text_files import FileProblem, InvalidFile, read_lines

MAX_QUERY = 1000
MAX_GRADE = 100
NO_CLASS = "all"


@dataclass(frozen=True)
class JudgedQuery:
    """A query with its class, and the grades of scenes by reference (see `videos.evaluation.references`).

    `video` names the video in which it was asked, if any. `lines` has the line of each reference, for messages.
    """

    id: str
    text: str
    query_class: str
    grades: Mapping[str, int]
    lines: Mapping[str, int]
    video: str = ""
    line: int = 0


def read_judgments(path: Path, topics: Path | None = None) -> list[JudgedQuery]:
    """Read judged queries from JSON lines, or from qrels if `topics` has the texts. Raise InvalidFile with all bad lines."""
    lines = read_lines(path)
    if not lines:
        raise InvalidFile(path, [FileProblem(0, "The file is empty. Write one judged query per line.")])
    is_json = lines[0][1].startswith("{")
    if is_json and topics is not None:
        raise InvalidFile(path, [FileProblem(0, "It has JSON lines, which contain their queries. Leave out --topics.")])
    if is_json:
        return _read_json_lines(path, lines)
    if topics is None:
        raise InvalidFile(path, [FileProblem(lines[0][0], "This is not JSON. For TREC's qrels, give the queries with --topics FILE.")])
    return list(_join_topics(path, read_qrels(path), _read_topics(topics), topics))


def read_qrels(path: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Return grade and line by topic and scene. A line is: topic, a field that is ignored, scene, grade. Raise InvalidFile."""
    problems: list[FileProblem] = []
    judged: dict[str, dict[str, tuple[int, int]]] = {}
    for number, line in read_lines(path):
        fields = line.split()
        if len(fields) != 4:
            problems.append(FileProblem(number, f"It has {len(fields)} fields. Write topic, 0, scene and grade, separated by spaces."))
            continue
        topic, _, scene, grade = fields
        scenes = judged.setdefault(topic, {})
        if scene in scenes:
            problems.append(FileProblem(number, f"The scene {scene} is already judged for {topic} in line {scenes[scene][1]}."))
        elif not _is_grade(grade):
            problems.append(FileProblem(number, f"{grade!r} is not a grade. Write a whole number up to {MAX_GRADE}; 0 is not relevant."))
        else:
            scenes[scene] = int(grade), number
    if problems:
        raise InvalidFile(path, problems)
    return judged


def _is_grade(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) < 5 and int(text) <= MAX_GRADE


def _read_topics(path: Path) -> dict[str, tuple[str, str, int]]:
    """Return text, class and line of each topic. A line has an id, a query and maybe a class, separated by tabs. Raise InvalidFile."""
    problems: list[FileProblem] = []
    topics: dict[str, tuple[str, str, int]] = {}
    for number, line in read_lines(path):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) not in (2, 3) or not all(fields):
            problems.append(FileProblem(number, "Write the topic's id, a tab and the query. A second tab and a class may follow."))
        elif fields[0] in topics:
            problems.append(FileProblem(number, f"The topic {fields[0]} is already in line {topics[fields[0]][2]}."))
        elif "\x00" in line:
            problems.append(FileProblem(number, "The line contains a null character."))
        elif len(fields[1]) > MAX_QUERY:
            problems.append(FileProblem(number, f"The query has more than {MAX_QUERY} characters."))
        else:
            topics[fields[0]] = fields[1], fields[2] if len(fields) == 3 else NO_CLASS, number
    if problems:
        raise InvalidFile(path, problems)
    return topics


def _join_topics(
    path: Path, qrels: Mapping[str, Mapping[str, tuple[int, int]]], topics: Mapping[str, tuple[str, str, int]], topics_path: Path
) -> Iterator[JudgedQuery]:
    """Yield the topics that are judged, in the order of the topics."""
    if unknown := [(topic, scenes) for topic, scenes in qrels.items() if topic not in topics]:
        first_lines = [(min(line for _, line in scenes.values()), topic) for topic, scenes in unknown]
        raise InvalidFile(path, [FileProblem(line, f"There is no topic {topic} in {topics_path}.") for line, topic in sorted(first_lines)])
    for topic, (text, query_class, line) in topics.items():
        if scenes := qrels.get(topic):
            grades = {scene: grade for scene, (grade, _) in scenes.items()}
            yield JudgedQuery(topic, text, query_class, grades, {scene: number for scene, (_, number) in scenes.items()}, line=line)


def _read_json_lines(path: Path, lines: list[tuple[int, str]]) -> list[JudgedQuery]:
    problems: list[FileProblem] = []
    queries: dict[str, JudgedQuery] = {}
    for number, line in lines:
        try:
            query = _parse_json_line(number, json.loads(line))
            if query.id in queries:
                raise _LineError(f"The id {query.id!r} is already in line {queries[query.id].line}.")
            queries[query.id] = query
        except json.JSONDecodeError as error:
            problems.append(FileProblem(number, f"This is not JSON: {error.msg} at character {error.pos + 1}."))
        except RecursionError:
            problems.append(FileProblem(number, "Its lists and objects are nested too deeply."))
        except _LineError as error:
            problems.append(FileProblem(number, str(error)))
    if problems:
        raise InvalidFile(path, problems)
    return list(queries.values())


class _LineError(Exception):
    """A line is JSON, but not a judged query."""


def _parse_json_line(number: int, data: Any) -> JudgedQuery:
    if not isinstance(data, dict):
        raise _LineError('Write an object: {"query": "…", "relevant": {"SCENE": 2}}.')
    text = _get_text(data, "query")
    if not text:
        raise _LineError('"query" is missing.')
    if len(text) > MAX_QUERY:
        raise _LineError(f'"query" has more than {MAX_QUERY} characters.')
    relevant = data.get("relevant")
    if isinstance(relevant, list):
        relevant = {str(scene): 1 for scene in relevant}
    if not isinstance(relevant, dict) or not relevant:
        raise _LineError('"relevant" is missing. Name the scenes with their grades: {"SCENE": 2, "OTHER": 1}.')
    for scene, grade in relevant.items():
        if not isinstance(grade, int) or isinstance(grade, bool) or abs(grade) > MAX_GRADE:
            raise _LineError(f"The grade of {scene!r} is {grade!r}. Write a whole number up to {MAX_GRADE}; 0 is not relevant.")
    query_class, video = _get_text(data, "class") or NO_CLASS, _get_text(data, "video")
    return JudgedQuery(_get_text(data, "id") or str(number), text, query_class, relevant, dict.fromkeys(relevant, number), video, number)


def _get_text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise _LineError(f'"{name}" is not a text.')
    if "\x00" in value:
        raise _LineError(f'"{name}" contains a null character.')
    return value.strip()
