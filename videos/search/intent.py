"""What a query's words tell about the evidence that answers it: "a photo of a dog" wants to see one. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heimdex.text_analysis import analyze_query, recognize_language
from videos.channels import Evidence

# A query for an image counts what is said this much. A speaker who mentions a dog seldom stands beside one.
SPEECH_IN_IMAGE_QUERIES = 0.3
# The query with so many words counts what is said once. Few words are often mentioned in passing where a scene is about something else, so
# they count less. With meetings beside images (A and B), nDCG@10 of the queries for images rises from 0.48 to 0.55.
TYPICAL_WORDS = 5
# The articles, nouns and prepositions are few, so that no word of what the query is about is taken away.
_ASKS_TO_SEE = re.compile(
    r"""^\s*(?:
        (?:(?:an?|the|some)\s+)?(?:photo|picture|image|shot)s?\s+(?:of|with|showing)\s+   # English
      | (?:(?:ein|das|die)\s+)?(?:Foto|Bild|Aufnahme)(?:s|er|n)?\s+(?:von|mit)\s+         # German
      | (?:(?:una?|la|las)\s+)?(?:foto|imagen|fotos|imágenes)\s+(?:de|con)\s+             # Spanish
    )(?=\S)""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Intent:
    """The query without the words that ask for a kind of evidence, its language (empty: unknown), and factors of kinds of evidence."""

    text: str
    language: str
    emphasis: Mapping[Evidence, float]


def detect_intent(text: str, languages: Sequence[str]) -> Intent:
    """Return what the query is about, and how much which evidence counts, in a library with texts of some languages."""
    subject = _ASKS_TO_SEE.sub("", text)
    language = recognize_language(subject, languages)
    words = sum(not term.is_stop_word for term in analyze_query(subject, languages, own_language=language or None))
    speech = weigh_speech(words) * (SPEECH_IN_IMAGE_QUERIES if subject != text else 1.0)
    return Intent(subject, language, {"said": speech})


def weigh_speech(words: int) -> float:
    """Return the factor of what is said for a query of so many words, stop words not counted; from 1/3 for one word to below 2."""
    return 2 * max(words, 1) / (max(words, 1) + TYPICAL_WORDS)
