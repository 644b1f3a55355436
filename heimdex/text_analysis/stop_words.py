"""Words that tell nothing about a text, by language. The lists are those of Snowball and NLTK, as `bm25s` packages them."""

from functools import cache

_LISTS = {
    "da": "DANISH",
    "de": "GERMAN",
    "en": "EN_PLUS",
    "es": "SPANISH",
    "fr": "FRENCH",
    "it": "ITALIAN",
    "nl": "DUTCH",
    "no": "NORWEGIAN",
    "pt": "PORTUGUESE",
    "ru": "RUSSIAN",
    "sv": "SWEDISH",
    "tr": "TURKISH",
}


@cache
def list_stop_words(language: str) -> frozenset[str]:
    """Return the folded stop words of a language; none where there is no list."""
    from bm25s import stopwords

    from heimdex.text_analysis.normalization import fold
    from heimdex.text_analysis.tokenization import iter_spans

    words = getattr(stopwords, f"STOPWORDS_{_LISTS[language]}") if language in _LISTS else ()
    return frozenset(fold(word[span.start : span.end]) for word in words for span in iter_spans(word))
