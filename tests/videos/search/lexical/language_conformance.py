"""The part of the conformance suite about words and their ranking in many languages, and what all of it uses."""

import html
import re

import pytest
from pytest_django import Settings

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions.videos import delete_video
from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.models import Scene, Video
from videos.search.lexical.base import LexicalBackend, LexicalQuery
from videos.search.lexical.handler import get_lexical_backend

# Scenes that are this far apart are in no window of each other.
APART = 10
NOTHING: dict[str, list[object]] = {LEXICAL: [], SHOWN: [], ON_SCREEN: []}


class LanguageConformance:
    """Set `configuration` to the value of LEXICAL_BACKENDS["default"] with the backend under test."""

    configuration: dict[str, object]

    @pytest.fixture
    def backend(self, settings: Settings) -> LexicalBackend:
        """Return the backend under test, which is also the one that actions and the ingest use."""
        settings.LEXICAL_BACKENDS = {"default": self.configuration}
        return get_lexical_backend()

    @pytest.fixture
    def owner(self, db: None) -> User:
        """Return an owner."""
        return make_user("owner@example.org")

    def add(self, backend: LexicalBackend, owner: User, texts: list[str], *, title: str = "Diary", on_screen: str = "") -> Video:
        """Index a video with a scene per text, none near another; `on_screen` is visible in the last scene."""
        video = make_video(owner, texts, title=title)
        video.scenes.update(visual_text="", description="", tags=[])
        if on_screen:
            video.scenes.filter(index=len(texts) - 1).update(on_screen_text=on_screen)
        for scene in video.scenes.order_by("-index"):
            Scene.objects.filter(pk=scene.pk).update(index=APART * scene.index)
        backend.index(video.list_scene_ids())
        return video

    def find(self, backend: LexicalBackend, owner: User, text: str, channel: str = LEXICAL, **filters: object) -> list[int]:
        """Return the places of the texts that a channel finds, best first."""
        query = LexicalQuery(owner.pk, text, **{"limit": 100, **filters})  # type: ignore[arg-type]
        indexes = dict(Scene.objects.values_list("pk", "index"))
        return [indexes[match.scene_id] // APART for match in backend.search(query).matches[channel]]

    @pytest.mark.parametrize(
        ("language", "text", "query"),
        [
            ("ja", "東京バナナは美味しい。", "東京"),
            ("ja", "日東電工の株価です。", "日東電工"),
            ("ja", "小犬が走る。", "犬"),
            ("zh", "今天的会议很长。", "会议"),
            ("ko", "회의를 시작합니다.", "회의"),
            ("ar", "ذهبت إلى المكتبة", "مكتبة"),
            ("ar", "هذه مكتبة كبيرة", "المكتبة"),
            ("th", "ฉันเรียนภาษาไทยทุกวัน", "ภาษาไทย"),
            ("de", "Das Dampfschiff legt ab.", "Schiff"),
            ("de", "Die Dampfschifffahrt beginnt.", "Dampfschiff"),
            ("de", "Ein Schiff legt ab.", "Dampfschiff"),
            ("de", "Der Flusskapitän schläft.", "Kapitän"),
            ("de", "Herr Schlüter spricht.", "schlueter"),
            ("de", "Herr Schlueter spricht.", "Schlüter"),
            ("de", "Die Straße ist leer.", "Strasse"),
            ("de", "Frau Müller lacht.", "Mueller"),
            ("fr", "Dans un café à Paris.", "cafe"),
            ("fr", "Dans un cafe\u0301 à Paris.", "café"),
            ("fr", "Dans un café à Paris.", "cafe\u0301"),
            ("el", "Η θάλασσα είναι μπλε.", "ΘΑΛΑΣΣΑ"),
            ("vi", "Ông Nguyễn nói.", "Nguyen"),
            ("en", "Two mice ran away.", "mouse"),
            ("en", "Written with node.js today.", "node.js"),
            ("en", "The error 0x80070057 again.", "80070057"),
            ("en", "Up we go 🚀!", "🚀"),
            ("en", "They reached the harbor.", "harbour"),
            ("en", "They reached the harbor.", "harbot"),
        ],
    )
    def test_words_are_found_in_every_language(self, backend: LexicalBackend, owner: User, language: str, text: str, query: str) -> None:
        other = make_user("other@example.org")
        Video.objects.filter(pk=self.add(backend, other, [text]).pk).update(language=language)
        video = make_video(owner, [])
        Video.objects.filter(pk=video.pk).update(language=language)
        Scene.objects.create(video=video, owner=owner, index=0, start_s=0, end_s=1, transcript=text)
        backend.index(video.list_scene_ids())
        matches = backend.search(LexicalQuery(owner.pk, query, 10)).matches[LEXICAL]
        assert [match.video_id for match in matches] == [video.pk]

    @pytest.mark.parametrize(
        ("language", "text", "query", "excerpt"),
        [
            ("ja", "東京バナナは美味しい。", "東京バナナ", "<mark>東京バナナ</mark>は美味しい。"),
            ("ko", "회의를 시작합니다.", "회의", "<mark>회의</mark>를 시작합니다."),
            ("de", "Die Häuser der Straße.", "Haus strasse", "Die <mark>Häuser</mark> der <mark>Straße</mark>."),
            ("ar", "ذهبت إلى المكتبة", "مكتبة", "ذهبت إلى <mark>المكتبة</mark>"),
            ("en", "Two mice & C++.", "mouse c++", "Two <mark>mice</mark> &amp; <mark>C++</mark>."),
        ],
    )
    def test_an_excerpt_marks_words_in_their_language(
        self, backend: LexicalBackend, owner: User, language: str, text: str, query: str, excerpt: str
    ) -> None:
        video = make_video(owner, [text])
        Video.objects.filter(pk=video.pk).update(language=language)
        backend.index(video.list_scene_ids())
        highlighted = backend.highlight(video.list_scene_ids(), query, LEXICAL)[video.scenes.get().pk]
        assert highlighted.html == excerpt
        marked = [html.unescape(part) for part in re.findall("<mark>(.*?)</mark>", excerpt)]
        assert [mark.text for mark in highlighted.marks] == marked
        assert [text[mark.start : mark.start + len(mark.text)] for mark in highlighted.marks] == marked

    @pytest.mark.parametrize(
        ("language", "text", "query", "excerpt"),
        [
            ("en", "The harbors of old.", "harbot", "The <mark>harbors</mark> of old."),
            ("de", "Ein Dampfschiff legt ab.", "Schiff", "Ein <mark>Dampfschiff</mark> legt ab."),
            ("de", "Das Schiff legt ab.", "Dampfschiff", "Das <mark>Schiff</mark> legt ab."),
            ("de", "Das Dampfschiff legt ab.", "Dampschif", "Das <mark>Dampfschiff</mark> legt ab."),
        ],
    )
    def test_an_excerpt_marks_corrected_words_and_compounds(
        self, backend: LexicalBackend, owner: User, language: str, text: str, query: str, excerpt: str
    ) -> None:
        video = make_video(owner, [text])
        Video.objects.filter(pk=video.pk).update(language=language)
        backend.index(video.list_scene_ids())
        answer = backend.search(LexicalQuery(owner.pk, query, 10))
        assert [match.video_id for match in answer.matches[LEXICAL]] == [video.pk]
        corrected = [word for words in answer.corrections.values() for word in words]
        assert backend.highlight(video.list_scene_ids(), query, LEXICAL, corrected)[video.scenes.get().pk].html == excerpt

    def test_words_that_no_text_holds_are_corrected_to_those_that_are_nearest(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, make_user("other@example.org"), ["The harpon."])
        video = self.add(backend, owner, ["The harbor.", "The harbors, the harbors."])
        self.add(backend, owner, ["Because."], title="Zeppelin")

        def correct(text: str) -> object:
            return backend.search(LexicalQuery(owner.pk, text, 10)).corrections

        assert correct("a Harbot") == {"Harbot": ("harbor",)}
        assert correct("harborx zeppelim") == {"harborx": ("harbor", "harbors"), "zeppelim": ("zeppelin",)}
        # Known words, those of a title included, words that are too short, stop words, and codes.
        assert correct("harbors zeppelin hat becxuse harb0t -harbot") == {}
        delete_video(video)
        assert correct("harbot") == {}

    def test_codes_that_differ_by_a_sign_are_different_words(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["We teach C++ here.", "We teach C# here.", "Vitamin C."])
        assert self.find(backend, owner, "C++") == [0]
        assert self.find(backend, owner, "c#") == [1]
        assert self.find(backend, owner, "c") == [2]

    def test_a_word_that_is_found_is_not_taken_for_a_mistyped_one(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["The harbor.", "The harper."])
        assert self.find(backend, owner, "harper") == [1]

    def test_stop_words_count_only_if_nothing_else_is_left(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["To be or not to be.", "The boat is here and there.", "A boat."])
        assert set(self.find(backend, owner, "where is the boat")) == {1, 2}
        assert self.find(backend, owner, "to be or not to be")[0] == 0

    def test_scenes_near_the_words_follow_those_that_hold_them(self, backend: LexicalBackend, owner: User) -> None:
        talk = [f"They speak about number {number} for a while." for number in range(12)]
        talk[5] = "They speak about a lighthouse for a while."
        video = make_video(owner, talk)
        make_video(owner, talk[:5])
        matches = backend.search(LexicalQuery(owner.pk, "lighthouse", 100)).matches[LEXICAL]
        indexes = dict(Scene.objects.values_list("pk", "index"))
        assert {match.video_id for match in matches} == {video.pk}
        assert [indexes[match.scene_id] for match in matches] == [5, 4, 6, 3, 7, 2, 8]
        allowed = Scene.objects.filter_searchable(owner.pk).filter(index__in=[5, 6])
        restricted = backend.search(LexicalQuery(owner.pk, "lighthouse", 100, scenes=allowed)).matches[LEXICAL]
        assert [indexes[match.scene_id] for match in restricted] == [5, 6]

    def test_a_score_is_the_share_of_the_query_that_a_scene_covers(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["A boat.", "A train.", "A hat.", "A harbor."])
        (boat,) = backend.search(LexicalQuery(owner.pk, "boat", 10)).matches[LEXICAL]
        half = {match.scene_id: match.score for match in backend.search(LexicalQuery(owner.pk, "boat zeppelin", 10)).matches[LEXICAL]}
        assert 0 < half[boat.scene_id] < boat.score / 2 + 0.01
        assert boat.score < 1
