"""Analyze texts and queries into words that can be compared, in every language. Pure: no database and no settings."""

from heimdex.text_analysis.analysis import ANALYSIS_VERSION, QueryTerm, Token, analyze_query, analyze_text
from heimdex.text_analysis.languages import detect_language, normalize_code, recognize_language
from heimdex.text_analysis.stop_words import list_stop_words
from heimdex.text_analysis.tokenization import UNSPACED

__all__ = [
    "ANALYSIS_VERSION",
    "UNSPACED",
    "QueryTerm",
    "Token",
    "analyze_query",
    "analyze_text",
    "detect_language",
    "list_stop_words",
    "normalize_code",
    "recognize_language",
]
