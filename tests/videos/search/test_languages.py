"""Search finds words in every language, in a library that holds all of them."""

import io
import json
import unicodedata

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video
from videos.models import Scene, Video
from videos.search.lexical.handler import get_lexical_backend
from videos.search.modes import Kind, Mode
from videos.search.service import Correction, SearchAnswer, SearchRequest, search

pytestmark = pytest.mark.django_db

# What is said in the film of each language.
SPEECH = {
    "en": [
        "Two mice ran away from the lighthouse.",
        "We write it in C++ and with node.js.",
        "The error 0x80070057 came back in version 3.14.",
        "It costs 1,250 dollars. Thumbs up 👍🏽 and 🚀!",
        "We teach C# to everybody.",
    ],
    "de": [
        "Das Dampfschiff von Kapitän Schlüter legt in der Hauptstraße ab.",
        "Die Hafenarbeiter streikten für höhere Löhne.",
        "Frau Mueller mag große Häuser.",
        "Die Kaffeepreise steigen.",
    ],
    "fr": ["Nous buvons du thé dans un café à Besançon."],
    "es": ["La canción nueva del año."],
    "no": ["Ødegård spiller på Blåbærøya."],
    "el": ["Η θάλασσα είναι μπλε."],
    "ru": ["Мы читали интересные книги о лётчиках."],
    "vi": ["Ông Nguyễn Đức nói chuyện."],
    "tr": ["İstanbul'da güzel bir gün."],
    "zh": ["今天的会议很长。"],
    "ja": ["東京バナナは美味しい。", "日東電工の株価とﾃｽﾄです。", "小犬が走る。"],
    "ko": ["회의를 시작합니다.", "도서관에서 책을 읽었습니다."],
    "th": ["ฉันเรียนภาษาไทยทุกวัน"],
    "ar": ["ذهبت إلى المكتبة الكبيرة مع أحمد"],
    "he": ["הילדים הלכו לספרייה"],
    "hi": ["मुझे किताबें पढ़ना पसंद है"],
}


@pytest.fixture
def owner() -> User:
    """Return the owner of a film in each language."""
    owner = make_user()
    for language, texts in SPEECH.items():
        add_film(owner, language, texts)
    return owner


def add_film(owner: User, language: str, texts: list[str]) -> Video:
    """Add a film with a scene for each text."""
    video = make_video(owner, texts, title=language)
    Video.objects.filter(pk=video.pk).update(language=language)
    get_lexical_backend().index(video.list_scene_ids())
    return video


def ask(owner: User, text: str) -> SearchAnswer:
    """Search the library."""
    return search(owner, SearchRequest(text))


def find_marked(answer: SearchAnswer) -> str:
    """Return the excerpt of the best scene."""
    return next((match.highlight for match in answer.hits[0].matches if match.highlight), "") if answer.hits else ""


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        # Case, accents composed or not, and letters that are typed in other ways.
        ("LIGHTHOUSE", "lighthouse"),
        ("cafe", "café"),
        (unicodedata.normalize("NFD", "café"), "café"),
        ("besancon", "Besançon"),
        ("schlueter", "Schlüter"),
        ("Schluter", "Schlüter"),
        ("Müller", "Mueller"),
        ("grosse", "große"),
        ("Hauptstrasse", "Hauptstraße"),
        ("Oedegaard", "Ødegård"),
        ("odegard", "Ødegård"),
        ("ΘΑΛΑΣΣΑ", "θάλασσα"),
        ("Nguyen", "Nguyễn"),
        ("duc", "Đức"),
        ("istanbul", "İstanbul"),
        ("летчик", "лётчиках"),
        ("احمد", "أحمد"),
        # Forms of words.
        ("mouse", "mice"),
        ("Haus", "Häuser"),
        ("canciones", "canción"),
        ("книга", "книги"),
        ("مكتبة", "المكتبة"),
        ("किताब", "किताबें"),
        # Compounds.
        ("Schiff", "Dampfschiff"),
        ("Preis", "Kaffeepreise"),
        ("Hafen", "Hafenarbeiter"),
        ("Streik", "streikten"),
        # Scripts without spaces, and particles that follow a noun without one.
        ("会议", "会议"),
        ("東京", "東京"),
        ("日東電工", "日東電工"),
        ("テスト", "ﾃｽﾄ"),
        ("犬", "犬が"),
        ("회의", "회의"),
        (unicodedata.normalize("NFD", "회의"), "회의"),
        ("도서관", "도서관"),
        ("ภาษาไทย", "ภาษาไทย"),
        # Numbers, codes and symbols.
        ("C++", "C++"),
        ("c#", "C#"),
        ("node.js", "node.js"),
        ("80070057", "0x80070057"),
        ("0X80070057", "0x80070057"),
        ("3.14", "3.14"),
        ("1250", "1,250"),
        ("👍", "👍🏽"),
        ("🚀", "🚀"),
    ],
)
def test_a_word_is_found_and_marked(owner: User, query: str, marked: str) -> None:
    excerpt = find_marked(ask(owner, query))
    assert f"<mark>{marked}</mark>" in excerpt.replace("</mark>.<mark>", ".")


@pytest.mark.parametrize(
    ("query", "corrected", "marked"),
    [
        ("lihgthouse", "lighthouse", "lighthouse"),
        # It has the stem of the word.
        ("lighthous", None, "lighthouse"),
        ("Dampfschif", "dampfschiff", "Dampfschiff"),
        ("Kafeepreis", "kaffeepreise", "Kaffeepreise"),
        ("θάλασα", "θαλασσα", "θάλασσα"),
        ("интерестные", "интересные", "интересные"),
        ("Ngueyn", "nguyen", "Nguyễn"),
        ("הילדם", "הילדים", "הילדים"),
        ("المكتبه", None, "المكتبة"),
    ],
)
def test_a_mistyped_word_finds_what_is_meant_and_is_reported(owner: User, query: str, corrected: str | None, marked: str) -> None:
    answer = ask(owner, query)
    assert f"<mark>{marked}</mark>" in find_marked(answer)
    assert [(correction.word, correction.searched) for correction in answer.corrections] == ([(query, (corrected,))] if corrected else [])


def test_a_corrected_word_is_found_where_only_speech_is_searched(owner: User) -> None:
    answer = search(owner, SearchRequest("lihgthouse", mode=Mode.SPOKEN))
    assert [hit.scene.video.title for hit in answer.hits][:1] == ["en"]
    assert search(owner, SearchRequest("Hafen", evidence=frozenset({Kind.SPOKEN}))).hits[0].scene.video.title == "de"


def test_words_that_a_text_holds_or_that_are_required_are_not_corrected(owner: User) -> None:
    add_film(owner, "en", ["The harper."])
    titled = make_video(owner, ["A hat."], title="Harber")
    assert ask(owner, "harber").corrections == ()
    assert ask(owner, '"lihgthouse"').corrections == ask(owner, '"lihgthouse"').hits == ()
    assert ask(owner, "mice -lihgthouse").corrections == ()
    delete_video(titled)
    assert ask(owner, "harber").corrections == (Correction("harber", ("harper",)),)


def test_words_of_edited_and_deleted_texts_correct_nothing(owner: User) -> None:
    film = add_film(owner, "en", ["The zeppelin lands.", "A zeppelin."])
    assert ask(owner, "zepelin").corrections == (Correction("zepelin", ("zeppelin",)),)
    edit_transcript(owner, film.pk, film.scenes.get(index=0).pk, "It lands.")
    assert ask(owner, "zepelin").corrections == (Correction("zepelin", ("zeppelin",)),)
    delete_video(film)
    answer = ask(owner, "zepelin")
    assert answer.corrections == answer.hits == ()


def test_another_owners_words_correct_nothing(owner: User) -> None:
    answer = ask(make_user("other@example.org"), "lihgthouse")
    assert answer.corrections == answer.hits == ()


def test_corrections_are_shown_by_the_api_the_command_and_the_page(owner: User, client: Client) -> None:
    api = APIClient()
    api.force_authenticate(owner)
    corrections = [{"word": "lihgthouse", "searched": ["lighthouse"]}]
    assert api.get("/v1/search", {"q": "lihgthouse"}).json()["corrections"] == corrections
    assert api.get("/v1/search", {"q": "lighthouse"}).json()["corrections"] == []
    out, err = io.StringIO(), io.StringIO()
    call_command("search", "lihgthouse", "--owner", owner.email, stdout=out, stderr=err)
    assert "Also searched for: lighthouse." in err.getvalue()
    call_command("search", "lihgthouse", "--owner", owner.email, "--json", stdout=(out := io.StringIO()))
    assert json.loads(out.getvalue())["corrections"] == corrections
    client.force_login(owner)
    assert "Also searched for: lighthouse" in client.get("/search/", {"q": "lihgthouse"}).content.decode()


@pytest.mark.parametrize("query", ["lihgthouse mouse", "Schiff Kafeepreis", "会议 犬", "mouse"])
def test_the_number_of_statements_grows_neither_with_texts_nor_with_languages(query: str) -> None:
    owner = make_user()
    languages = ("en", "de", "zh", "ja")
    for language in languages:
        add_film(owner, language, SPEECH[language])
    with CaptureQueriesContext(connection) as few:
        ask(owner, query)
    for language, texts in SPEECH.items():
        for _ in range(2):
            add_film(owner, language, texts * 2)
    with CaptureQueriesContext(connection) as many:
        ask(owner, query)
    assert Scene.objects.count() > 100
    assert len(many) <= len(few)


def test_stop_words_find_nothing_beside_other_words_in_their_language(owner: User) -> None:
    assert {hit.scene.video.title for hit in ask(owner, "where is the lighthouse").hits} == {"en"}
    assert {hit.scene.video.title for hit in ask(owner, "wo ist das Dampfschiff").hits} == {"de"}
