"""Words are joined from subwords, timed, and assigned to scenes."""

import pytest

from heimdex.speech.base import Word
from heimdex.speech.chunks import find_main_language
from heimdex.speech.languages import get_language_name, parse_language
from heimdex.speech.words import align_words, assign_words_to_scenes, join_subwords, join_words, split_words


def test_a_word_across_a_cut_belongs_to_the_scene_that_contains_its_middle() -> None:
    words = [(-0.5, -0.1, "zero"), (0.0, 0.9, "one"), (0.9, 1.4, "two"), (1.4, 2.0, "three"), (9.0, 9.5, "late")]
    shares = assign_words_to_scenes(words, [0.0, 1.0, 2.0])
    assert [[text for _, _, text in share] for share in shares] == [["zero", "one"], ["two", "three"], ["late"]]
    assert assign_words_to_scenes(words, []) == []


def test_a_hyphenated_word_is_one_word() -> None:
    words = join_subwords([Word(0, 1, " ill", 0.9), Word(1, 2, "-disposed.", 0.5), Word(2, 3, " man", 1)])
    assert [word.text for word in words] == ["ill-disposed.", "man"]
    assert (words[0].end_s, words[0].probability) == (2, 0.5)


def test_written_words_get_the_times_of_the_matching_timed_words() -> None:
    timed = [Word(1.0, 1.2, "Well", 1), Word(1.3, 1.6, "Mr", 1), Word(1.6, 2.0, "Smith", 1), Word(2.5, 2.9, "no", 1)]
    words = align_words("“Well, Mr. Smith — oh dear no!”", 0.9, 3.0, timed, 0.8)
    assert [word.text for word in words] == ["“Well,", "Mr.", "Smith", "—", "oh", "dear", "no!”"]
    assert [(word.start_s, word.end_s) for word in words[:3]] == [(1.0, 1.2), (1.3, 1.6), (1.6, 2.0)]
    # A dash and untimed words share the time in between.
    assert words[3].start_s == 2.0
    assert words[5].end_s == pytest.approx(2.5)
    assert (words[6].start_s, words[6].end_s, words[6].probability) == (2.5, 2.9, 0.8)


def test_without_word_times_words_share_the_sentence_by_their_lengths() -> None:
    words = align_words("a bbb", 2.0, 4.0, [], 1.0)
    assert [(word.text, word.start_s, word.end_s) for word in words] == [("a", 2.0, 2.5), ("bbb", 2.5, 4.0)]
    assert align_words("", 2.0, 4.0, [], 1.0) == ()


def test_the_language_of_most_words_is_the_main_language() -> None:
    assert find_main_language([("de", 3), ("en", 50), ("de", 60), ("", 0)]) == "de"
    assert find_main_language([("", 0), ("en", 0)]) == ""


@pytest.mark.parametrize(
    ("given", "code"), [("de", "de"), ("pt-BR", "pt"), ("EN_us", "en"), ("english", "en"), ("Elvish", None), ("", None)]
)
def test_languages_are_parsed_from_tags_and_names(given: str, code: str | None) -> None:
    assert parse_language(given) == code
    assert get_language_name("de") == "German"


def test_a_word_whose_middle_is_at_the_cut_belongs_to_the_later_scene() -> None:
    assert assign_words_to_scenes([(0.5, 1.5, "across")], [0.0, 1.0]) == [[], [(0.5, 1.5, "across")]]


def test_words_between_aligned_words_never_overlap_them() -> None:
    """The server's words may overlap, and the sentence may end before its last word."""
    timed = [Word(1.0, 3.0, "one", 1), Word(2.0, 4.0, "three", 1)]
    words = align_words("one two three four", 0.0, 3.5, timed, 1.0)
    assert [(word.start_s, word.end_s) for word in words] == [(1.0, 3.0), (3.0, 3.0), (2.0, 4.0), (4.0, 4.0)]


def test_the_same_words_over_and_over_are_aligned() -> None:
    """Such words make up more than a percent of a long text, which difflib would ignore by default."""
    timed = [Word(float(place), place + 0.5, f"word{place % 20}", 1) for place in range(260)]
    # difflib matches equal texts from their start even so.
    words = align_words(" ".join(["Well", *(word.text for word in timed)]), 0.0, 260.0, timed, 1.0)
    assert [(word.start_s, word.end_s) for word in words[1:]] == [(word.start_s, word.end_s) for word in timed]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([" Good", "morning", " "], "Good morning"),
        (["お", "は", "よう", "ございます", "。"], "おはようございます。"),
        (["我", "们", "用", "Python", "写"], "我们用 Python 写"),
        (["สวัส", "ดี"], "สวัสดี"),
        (["오늘은", "도서관에"], "오늘은 도서관에"),
    ],
)
def test_words_are_joined_as_their_script_is_written(words: list[str], text: str) -> None:
    assert join_words(words) == text


def test_a_text_is_split_where_its_script_has_words_or_else_at_each_character() -> None:
    assert split_words("We use GDPは高い 오늘은") == ["We", "use", "GDP", "は", "高", "い", "오늘은"]
    assert join_words(split_words("今日は。良い天気 and rain")) == "今日は。良い天気 and rain"
