"""Texts and queries in many languages get words that match where a reader expects it."""

import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdex.text_analysis import analyze_query, analyze_text
from heimdex.text_analysis.analysis import MAX_WORD_LENGTH
from heimdex.text_analysis.normalization import fold


def find(query: str, text: str, language: str, languages: Sequence[str] = ("en",)) -> list[str]:
    """Return the parts of a text that a query's terms match in any form."""
    terms = analyze_query(query, [language, *languages])
    return [
        text[token.start : token.end]
        for token in analyze_text(text, language)
        for term in terms
        if set(term.words) & {token.word, *token.spellings}
        or set(term.stems) & set(token.stems)
        or (term.is_prefix and token.word.startswith(term.words[0]))
    ]


@pytest.mark.parametrize(
    ("query", "text", "language", "parts"),
    [
        ("sailing", "They SAILED home.", "en", ["SAILED"]),
        ("mouse", "Two mice ran.", "en", ["mice"]),
        ("go", "She went home.", "en", ["went"]),
        ("cafe", "Im Café", "de", ["Café"]),
        ("café", "Im cafe", "de", ["cafe"]),
        (unicodedata.normalize("NFD", "café"), "Im Café", "de", ["Café"]),
        ("café", unicodedata.normalize("NFD", "Im Café"), "de", [unicodedata.normalize("NFD", "Café")]),
        ("schlueter", "Herr Schlüter", "de", ["Schlüter"]),
        ("Schlüter", "Herr Schlueter", "de", ["Schlueter"]),
        ("schluter", "Herr Schlüter", "de", ["Schlüter"]),
        ("Mueller", "Frau Müller", "en", ["Müller"]),
        ("Strasse", "Die Straße", "de", ["Straße"]),
        ("Straße", "Die Strasse", "de", ["Strasse"]),
        ("Häuser", "Das Haus", "de", ["Haus"]),
        ("Oedegaard", "Ødegård spiller", "no", ["Ødegård"]),
        ("canciones", "La canción nueva", "es", ["canción"]),
        ("cancion", "La canción nueva", "es", ["canción"]),
        ("ΘΑΛΑΣΣΑ", "η θάλασσα", "el", ["θάλασσα"]),
        ("Nguyen", "Ông Nguyễn Đức", "vi", ["Nguyễn"]),
        ("Duc", "Ông Nguyễn Đức", "vi", ["Đức"]),
        ("مكتبة", "في المكتبة الكبيرة", "ar", ["المكتبة"]),
        ("المكتبة", "هذه مكتبة", "ar", ["مكتبة"]),
        ("İstanbul", "istanbul'da", "tr", ["istanbul"]),
        ("东京", "東京", "zh", []),
        ("東京", "東京バナナは美味しい", "ja", ["東京"]),
        ("日東", "日東電工の株", "ja", ["日東"]),
        ("テスト", "ﾃｽﾄです", "ja", ["ﾃｽ", "ｽﾄ"]),
        ("会议", "今天的会议很长", "zh", ["会议"]),
        ("犬", "小犬です", "ja", ["犬で"]),
        ("犬", "小犬。", "ja", ["犬"]),
        ("회의", "회의를 시작", "ko", ["회의"]),
        (unicodedata.normalize("NFD", "회의"), "회의를 시작", "ko", ["회의"]),
        ("ไทย", "ภาษาไทย", "th", ["ไท", "ทย"]),
        ("C++", "C++ and C# and C", "en", ["C++"]),
        ("c#", "C++ and C# and C", "en", ["C#"]),
        ("C", "C++ and C# and C", "en", ["C"]),
        ("node.js", "with node.js here", "en", ["node", "js"]),
        ("80070057", "error 0x80070057", "en", ["0x80070057"]),
        ("0x80070057", "error 0x80070057", "en", ["0x80070057"]),
        ("1000", "costs 1,000 or 3.14", "en", ["1,000"]),
        ("3.14", "costs 1,000 or 3.14", "en", ["3.14"]),
        ("🚀", "Up 🚀🚀 we go", "en", ["🚀", "🚀"]),
        ("👍", "Good 👍🏽", "en", ["👍🏽"]),
        ("2024", "２０２４年", "ja", ["２０２４"]),
        ("boat", "日本のboats", "ja", ["boats"]),
        ("well-known", "a well-known boat", "en", ["well", "known"]),
        ("boat", "Ein boat", "", ["boat"]),
        ("boats", "Ein boat", "", []),
    ],
)
def test_a_query_finds_the_forms_of_a_word(query: str, text: str, language: str, parts: list[str]) -> None:
    assert find(query, text, language) == parts


def test_a_stop_word_has_no_stem_in_a_text_and_is_known_in_a_query() -> None:
    tokens = analyze_text("Das Boot und die See", "de-AT")
    assert [token.word for token in tokens if not token.stems] == ["das", "und", "die"]
    terms = analyze_query("Das Boot und die See", ["en"], own_language="de")
    assert [term.words[0] for term in terms if term.is_stop_word] == ["das", "und", "die"]
    assert not any(term.is_stop_word for term in analyze_query("die hard", [], own_language="en"))


def test_a_query_has_the_stems_of_each_language_of_the_library() -> None:
    (term,) = analyze_query("nationalen", ["de", "en-US"], own_language="es")
    assert {"national", "nationalen"} <= set(term.stems)
    assert analyze_query("houses", [], own_language="")[0].stems == ()


def test_a_run_of_characters_has_one_term_per_pair_and_keeps_its_distance_to_the_next_word() -> None:
    tokens = analyze_text("東京湾 boat", "ja")
    assert [(token.word, token.position) for token in tokens] == [("東京", 0), ("京湾", 1), ("湾", 2), ("boat", 3)]
    terms = analyze_query("東京湾 boat", ["ja"])
    assert [(term.words[0], term.position, term.is_prefix) for term in terms] == [
        ("東京", 0, False),
        ("京湾", 1, False),
        ("boat", 3, False),
    ]
    assert [term.is_prefix for term in analyze_query("犬", ["ja"])] == [True]


@given(st.text(max_size=200))
def test_tokens_are_folded_parts_of_the_text_in_order(text: str) -> None:
    tokens = analyze_text(text, "en")
    assert [token.position for token in tokens] == sorted({token.position for token in tokens})
    for token in tokens:
        assert 0 <= token.start < token.end <= len(text)
        assert fold(token.word) == token.word
        assert 0 < len(token.word) <= MAX_WORD_LENGTH
    starts = [token.start for token in tokens]
    assert starts == sorted(starts)


def test_a_long_word_is_cut() -> None:
    assert MAX_WORD_LENGTH == 64
    assert [token.word for token in analyze_text("x" * 100_000, "en")] == ["x" * 64]
    assert analyze_query("x" * 1000, ["en"])[0].words == ("x" * 64,)
