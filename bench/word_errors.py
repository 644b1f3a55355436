"""How wrong a transcript is."""

import re


def word_errors(reference: str, heard: str) -> int:
    """Count the words to change, add or remove (Levenshtein over words), regardless of case, hyphens and punctuation."""
    expected, given = _plain(reference), _plain(heard)
    row = list(range(len(given) + 1))
    for count, word in enumerate(expected, 1):
        previous, row = row, [count]
        for index, other in enumerate(given, 1):
            row.append(min(previous[index] + 1, row[-1] + 1, previous[index - 1] + (word != other)))
    return row[-1]


def _plain(text: str) -> list[str]:
    return re.sub(r"\bmr\b", "mister", re.sub(r"[^a-z' ]", " ", text.lower())).split()
