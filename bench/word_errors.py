"""Count the word errors of a transcript."""

import re


def count_word_errors(reference: str, transcript: str) -> int:
    """Count the words to change, add or remove (Levenshtein distance over words). Case, hyphens and punctuation are ignored."""
    expected, given = _normalize(reference), _normalize(transcript)
    row = list(range(len(given) + 1))
    for count, word in enumerate(expected, 1):
        previous, row = row, [count]
        for index, other in enumerate(given, 1):
            row.append(min(previous[index] + 1, row[-1] + 1, previous[index - 1] + (word != other)))
    return row[-1]


def _normalize(text: str) -> list[str]:
    return re.sub(r"\bmr\b", "mister", re.sub(r"[^a-z' ]", " ", text.lower())).split()
