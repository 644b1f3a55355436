"""A query can ask in words for an image."""

import pytest

from videos.search.intent import SPEECH_IN_IMAGE_QUERIES, detect_intent


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        ("a photo of a dog", "a dog"),
        ("Pictures of two dogs", "two dogs"),
        ("the image showing a dog", "a dog"),
        ("ein Foto von einem Hund", "einem Hund"),
        ("Bilder mit Hunden", "Hunden"),
        ("una foto de un perro", "un perro"),
    ],
)
def test_the_words_that_ask_for_an_image_are_not_searched_for(query: str, subject: str) -> None:
    intent = detect_intent(query, ["en", "de", "es"])
    assert intent.text == subject
    assert intent.emphasis["said"] == SPEECH_IN_IMAGE_QUERIES * detect_intent(subject, ["en", "de", "es"]).emphasis["said"]
    assert SPEECH_IN_IMAGE_QUERIES == 0.3


@pytest.mark.parametrize("query", ["a dog", "photo", "a photo of", "the photographer", "he said a photo of a dog", "image quality", ""])
def test_other_queries_stay_as_they_are(query: str) -> None:
    assert detect_intent(query, ["en"]).text == query


@pytest.mark.parametrize(
    ("query", "words"),
    [("giraffe", 1), ("the giraffe", 1), ("a dog and a cat", 2), ("", 1), ("who decided on the shape of the remote control", 4)],
)
def test_speech_counts_less_for_few_words(query: str, words: int) -> None:
    assert detect_intent(query, ["en"]).emphasis == {"said": pytest.approx(2 * words / (words + 5))}


@pytest.mark.parametrize(
    ("query", "languages", "language"),
    [
        ("das Wetter in den Bergen", ["de", "en"], "de"),
        ("influenza vaccination", ["en"], ""),
        ("기차가 늦었습니다", ["en"], "ko"),
        ("a chair", [], ""),
    ],
)
def test_a_language_that_nobody_expects_is_not_assumed(query: str, languages: list[str], language: str) -> None:
    assert detect_intent(query, languages).language == language
