"""Runs in TREC's format: the ranked scenes of each query, as other programs write them."""

import math
from pathlib import Path

from videos.evaluation.measures import order_by_score
from videos.evaluation.text_files import FileProblem, InvalidFile, read_lines


def read_run(path: Path) -> dict[str, list[str]]:
    """Return the ranking of each query by id: topic, a field that is ignored, scene, rank (ignored), score, name. Raise InvalidFile."""
    problems: list[FileProblem] = []
    scores: dict[str, dict[str, float]] = {}
    for number, line in read_lines(path):
        fields = line.split()
        if len(fields) != 6:
            problems.append(FileProblem(number, f"It has {len(fields)} fields. Write topic, Q0, scene, rank, score and name."))
            continue
        topic, scene, score = fields[0], fields[2], _parse_score(fields[4])
        if score is None:
            problems.append(FileProblem(number, f"{fields[4]!r} is not a score. Write a number."))
        elif scene in scores.setdefault(topic, {}):
            problems.append(FileProblem(number, f"The scene {scene} is already ranked for {topic}."))
        else:
            scores[topic][scene] = score
    if problems:
        raise InvalidFile(path, problems)
    return {topic: order_by_score(scenes) for topic, scenes in scores.items()}


def _parse_score(text: str) -> float | None:
    try:
        score = float(text)
    except ValueError:
        return None
    return score if math.isfinite(score) else None
