"""Reduce the forms of a word to stems: Snowball's stemmers, and a dictionary for irregular English forms (mice, went)."""

from functools import cache, lru_cache

import regex
import simplemma
import snowballstemmer

from heimdex.text_analysis.normalization import fold, lower

_LATIN = {
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hu": "hungarian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "sv": "swedish",
    "tr": "turkish",
}
_OTHER = {
    "ar": ("Arabic", "arabic"),
    "el": ("Greek", "greek"),
    "fa": ("Arabic", "persian"),
    "hi": ("Devanagari", "hindi"),
    "hy": ("Armenian", "armenian"),
    "ne": ("Devanagari", "nepali"),
    "ru": ("Cyrillic", "russian"),
    "sr": ("Cyrillic", "serbian"),
    "ta": ("Tamil", "tamil"),
}
_ALGORITHMS = {code: ("Latin", name) for code, name in _LATIN.items()} | _OTHER
_IS_LATIN = regex.compile(r"\p{Latin}")
_ENGLISH = "en"
# Languages of other scripts. Latin words in their texts are mostly English.
_OTHER_SCRIPTS = frozenset({*_OTHER, "bg", "he", "ja", "km", "ko", "lo", "my", "th", "uk", "zh"})
# The dictionary is no help for longer words, and a text without spaces would fill the cache.
_MAX_LENGTH = 40


@lru_cache(maxsize=100_000)
def find_stems(word: str, language: str) -> tuple[str, ...]:
    """Return the folded stems of a word in a language (ISO 639-1), the stem of the word as it is written first.

    There are several where a word is irregular, and where its accents change the stem, because people leave them out. Latin words in a
    text of another script are stemmed as English. A word in a script that is not the language's, or without a stemmer, has none.
    """
    script, name = _ALGORITHMS.get(language, ("", ""))
    is_latin = bool(_IS_LATIN.search(word))
    if is_latin and language in _OTHER_SCRIPTS:
        language, script, name = _ENGLISH, "Latin", "english"
    if not name or len(word) > _MAX_LENGTH or is_latin != (script == "Latin"):
        return ()
    forms = [lower(word), fold(word)]
    if language == _ENGLISH:
        forms.append(simplemma.lemmatize(lower(word), _ENGLISH))
    stems = (fold(_load_stemmer(name).stemWord(form)) for form in forms)
    return tuple(dict.fromkeys(stem for stem in stems if stem))


@cache
def _load_stemmer(name: str) -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer(name)
