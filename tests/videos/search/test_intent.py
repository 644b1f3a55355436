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
    intent = detect_intent(query)
    assert (intent.text, dict(intent.emphasis)) == (subject, {"said": SPEECH_IN_IMAGE_QUERIES})
    assert SPEECH_IN_IMAGE_QUERIES == 0.3


@pytest.mark.parametrize("query", ["a dog", "photo", "a photo of", "the photographer", "he said a photo of a dog", "image quality", ""])
def test_other_queries_stay_as_they_are(query: str) -> None:
    intent = detect_intent(query)
    assert (intent.text, dict(intent.emphasis)) == (query, {})
