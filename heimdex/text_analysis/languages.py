"""Detect the language of a text that a person typed or a model read."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# The language of texts that are too short to tell.
FALLBACK = "en"
# Scripts with one language, or with languages that are analyzed in the same way.
_SCRIPTS = {
    "Hangul": "ko",
    "Hiragana": "ja",
    "Katakana": "ja",
    "Han": "zh",
    "Thai": "th",
    "Greek": "el",
    "Hebrew": "he",
    "Armenian": "hy",
    "Tamil": "ta",
}
_LETTERS = regex.compile("|".join([*(rf"(?P<{script}>\p{{{script}}})" for script in _SCRIPTS), r"(?P<other>\p{L})"]))
# The languages that have a stemmer, and others that would be mistaken for one of them. No other language is considered.
_CANDIDATES = frozenset(
    re.findall(r"\w+", "ar bg ca cs da de en es et eu fa fi fr ga he hi hr hu id it lt lv ne nl no pl pt ro ru sk sl sr sv tr uk vi")
)
# Longer texts are not told better (characters).
_MAX_LENGTH = 2000
# The detector's probability, which is calibrated for short texts. Below it, a language that is expected is the better guess.
MIN_CONFIDENCE = 0.5
_ALIASES = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "yue": "zh", "cmn": "zh"}


def normalize_code(code: str) -> str:
    """Return the ISO 639-1 code of a language tag: `en` for `en-US`; empty for an empty tag."""
    language = code.replace("_", "-").partition("-")[0].lower()
    return _ALIASES.get(language, language)


def detect_language(text: str, likely: Sequence[str] = ()) -> str:
    """Return the ISO 639-1 code of a text's language. Of a text that is too short to tell, return the best of the `likely` languages."""
    text = text[:_MAX_LENGTH]
    script = _find_script(text)
    if script in _SCRIPTS:
        is_japanese = _SCRIPTS[script] == "zh" and (
            ("ja" in likely and "zh" not in likely) or regex.search(r"[\p{Hiragana}\p{Katakana}]", text)
        )
        return "ja" if is_japanese else _SCRIPTS[script]
    expected = [language for code in likely if (language := normalize_code(code)) in _CANDIDATES]
    if not script:
        return expected[0] if expected else FALLBACK
    ranking = _load_identifier().rank(text)
    language, confidence = ranking[0]
    if confidence >= MIN_CONFIDENCE:
        return str(language)
    return next((str(language) for language, _ in ranking if language in expected), FALLBACK)


def recognize_language(text: str, expected: Sequence[str]) -> str:
    """Return the language of a few words if their script tells it, or if it is one that is expected; else an empty string.

    Detectors often mistake a few words of one language for another.
    """
    language = detect_language(text, expected)
    is_certain = _find_script(text) in _SCRIPTS or language in map(normalize_code, expected)
    return language if is_certain else ""


def _find_script(text: str) -> str | None:
    """Return the script of most letters, `other` for a script of many languages, or None without letters."""
    counts = Counter(match.lastgroup for match in _LETTERS.finditer(text))
    return max(counts, key=lambda script: counts[script]) if counts else None


@cache
def _load_identifier() -> "LanguageIdentifier":
    # Loading takes a second and 100 MB, which processes that analyze no text are spared.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(_CANDIDATES))
    return identifier
