"""What kind of evidence a query asks for in words: "a photo of a dog" wants to see one. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from videos.channels import Evidence

# A query for an image counts what is said this much. A speaker who mentions a dog seldom stands beside one.
SPEECH_IN_IMAGE_QUERIES = 0.3
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
    """The query without the words that ask for a kind of evidence, and the factors of the kinds that differ from 1."""

    text: str
    emphasis: Mapping[Evidence, float]


def detect_intent(text: str) -> Intent:
    """Return what the query is about, and which evidence it wants."""
    subject = _ASKS_TO_SEE.sub("", text)
    return Intent(subject, {"said": SPEECH_IN_IMAGE_QUERIES} if subject != text else {})
