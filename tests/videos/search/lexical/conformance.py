"""The tests that every lexical backend has to pass. A subclass configures the backend; see test_postgres.py."""

import random
import re
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from heimdex.accounts.models import User
from tests.library import make_user
from tests.videos.search.lexical.language_conformance import APART, NOTHING, LanguageConformance
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video, edit_video
from videos.channels import LEXICAL, ON_SCREEN, SHOWN
from videos.models import Scene, Video
from videos.search.lexical.base import LexicalBackend, LexicalQuery, Mark

LONG_TALK = " ".join(f"Sentence {number} of a long talk about nothing." for number in range(40))


class LexicalConformance(LanguageConformance):
    """Set `configuration` to the value of LEXICAL_BACKENDS["default"] with the backend under test."""

    def test_words_match_in_any_inflection_and_case(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["She planted tomatoes.", "He was sailing.", "The BOATS sank.", "A hat."])
        assert self.find(backend, owner, "planting") == [0]
        assert self.find(backend, owner, "Tomato") == [0]
        assert self.find(backend, owner, "sailed") == [1]
        assert self.find(backend, owner, "boat") == [2]
        assert self.find(backend, owner, "hatter") == []

    def test_any_word_matches_and_scenes_with_all_words_come_first(self, backend: LexicalBackend, owner: User) -> None:
        texts = ["A boat, a boat, a boat, a boat.", "After the harbor comes a boat.", "A harbor.", "A hat."]
        self.add(backend, owner, texts)
        indexes = self.find(backend, owner, "harbor boat")
        assert indexes[0] == 1
        assert set(indexes) == {0, 1, 2}

    def test_words_in_any_order_match_without_quotes_and_only_the_phrase_with_them(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["The railway station.", "The station of the railway.", "A station."])
        assert set(self.find(backend, owner, "railway station")) == {0, 1, 2}
        assert self.find(backend, owner, '"railway station"') == [0]
        assert self.find(backend, owner, '"station railway"') == []
        assert self.find(backend, owner, '"railway station" hat') == []

    def test_a_minus_sign_excludes_a_word_wherever_it_appears(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["A boat at sea.", "A boat in the harbor.", "A boat."], on_screen="Harbor office")
        assert self.find(backend, owner, "boat -harbor") == [0]
        assert self.find(backend, owner, "boat -harbor", ON_SCREEN) == []
        assert set(self.find(backend, owner, "boat")) == {0, 1, 2}

    def test_a_hyphen_within_a_word_excludes_nothing(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["A well-known boat.", "A hat."])
        assert self.find(backend, owner, "well-known") == [0]

    def test_speech_counts_more_than_a_title_and_a_title_more_than_a_description(self, backend: LexicalBackend, owner: User) -> None:
        spoken = self.add(backend, owner, ["A lighthouse."])
        titled = self.add(backend, owner, ["Nothing."], title="Lighthouse keepers")
        described = self.add(backend, owner, ["Nothing."])
        edit_video(described, description="Filmed at a lighthouse.")
        matches = backend.search(LexicalQuery(owner.pk, "lighthouse", 10)).matches[LEXICAL]
        assert [match.video_id for match in matches] == [spoken.pk, titled.pk, described.pk]
        scores = [match.score for match in matches]
        assert scores == sorted(scores, reverse=True)
        assert len(set(scores)) == 3

    def test_a_word_counts_more_in_a_short_text(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, [f"A boat. {LONG_TALK}", "A boat in the harbor."])
        assert self.find(backend, owner, "boat") == [1, 0]

    def test_on_screen_words_are_a_channel_of_their_own(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["The boat sails.", "Silence."], on_screen="Boat for sale\nClosed on Mondays")
        assert self.find(backend, owner, "boat") == [0]
        assert self.find(backend, owner, "boat", ON_SCREEN) == [1]
        assert self.find(backend, owner, "mondays", ON_SCREEN) == [1]
        # A word of the speech and a word on screen count together.
        assert self.find(backend, owner, '"silence" "mondays"') == [1]
        assert self.find(backend, owner, '"silence" "mondays"', ON_SCREEN) == [1]
        assert self.find(backend, owner, '"silence" "boat sails"') == []

    def test_words_of_descriptions_and_tags_are_a_channel_of_their_own(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["The boat sails.", "Silence."])
        video.scenes.filter(index=APART).update(visual_text="Likely shows: a boat. boat")
        backend.index(video.list_scene_ids())
        assert self.find(backend, owner, "boats") == [0]
        assert self.find(backend, owner, "boats", SHOWN) == [1]
        assert self.find(backend, owner, "boats", ON_SCREEN) == []

    def test_only_scenes_of_the_owner_are_found(self, backend: LexicalBackend, owner: User) -> None:
        other = make_user("other@example.org")
        mine = self.add(backend, owner, ["A boat."], title="Boats")
        self.add(backend, other, ["A boat."], title="Boats", on_screen="boat")
        matches = backend.search(LexicalQuery(owner.pk, "boat", 10)).matches
        assert [match.video_id for match in matches[LEXICAL]] == [mine.pk]
        assert matches[ON_SCREEN] == []
        assert backend.search(LexicalQuery(make_user("third@example.org").pk, "boat", 10)).matches == NOTHING

    def test_a_video_and_scenes_restrict_the_search(self, backend: LexicalBackend, owner: User) -> None:
        first, second = (self.add(backend, owner, ["A boat.", "A boat."], title="Boats") for _ in range(2))
        allowed = Scene.objects.filter_searchable(owner.pk).filter(index=APART)
        in_second = backend.search(LexicalQuery(owner.pk, "boat", 10, video_id=second.pk)).matches[LEXICAL]
        assert {match.video_id for match in in_second} == {second.pk}
        assert len(in_second) == 2
        in_allowed = backend.search(LexicalQuery(owner.pk, "boat", 10, scenes=allowed)).matches[LEXICAL]
        assert {match.scene_id for match in in_allowed} == set(allowed.values_list("pk", flat=True))
        both = backend.search(LexicalQuery(owner.pk, "boat", 10, video_id=first.pk, scenes=allowed)).matches[LEXICAL]
        assert [match.scene_id for match in both] == [first.scenes.get(index=APART).pk]
        assert backend.search(LexicalQuery(owner.pk, "boat", 10, scenes=allowed.none())).matches[LEXICAL] == []
        assert backend.search(LexicalQuery(owner.pk, "boat", 10, video_id=uuid4())).matches[LEXICAL] == []

    def test_a_video_that_is_not_indexed_is_not_found(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["A boat."], title="Boats", on_screen="boat")
        backend.delete(video.list_scene_ids())
        Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
        assert self.find(backend, owner, "boat") == []
        assert self.find(backend, owner, "boat", ON_SCREEN) == []

    def test_updates_and_deletions_are_visible_at_once(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["A boat at sea."], title="Diary")
        scene = video.scenes.get()
        edit_transcript(owner, video.pk, scene.pk, "A goat at sea.")
        assert self.find(backend, owner, "boat") == []
        assert self.find(backend, owner, "goat") == [0]
        edit_video(video, title="Zeppelin holidays")
        assert self.find(backend, owner, "zeppelin") == [0]
        delete_video(video)
        assert backend.search(LexicalQuery(owner.pk, "goat zeppelin", 10)).matches == NOTHING

    def test_a_rollback_leaves_the_index_as_it_was(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["A boat."])
        with transaction.atomic():
            edit_transcript(owner, video.pk, video.scenes.get().pk, "A goat.")
            transaction.set_rollback(True)
        assert self.find(backend, owner, "boat") == [0]
        assert self.find(backend, owner, "goat") == []

    def test_indexing_and_deleting_again_or_unknown_scenes_changes_nothing(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["A boat."])
        backend.index([*video.list_scene_ids(), uuid4()])
        backend.index([])
        backend.delete([uuid4()])
        backend.delete([])
        assert self.find(backend, owner, "boat") == [0]

    @pytest.mark.parametrize("text", ["", "   ", "-", '"', '""', "'", "%", "the", "& | ! ( ) : * <->", "🚀", "日本語", "\\"])
    def test_a_query_without_words_finds_nothing(self, backend: LexicalBackend, owner: User, text: str) -> None:
        video = self.add(backend, owner, ["A boat."])
        assert self.find(backend, owner, text) == []
        assert self.find(backend, owner, text, ON_SCREEN) == []
        assert {excerpt.html for excerpt in backend.highlight(video.list_scene_ids(), text, LEXICAL).values()} == {"A boat."}

    def test_a_very_long_query_is_answered(self, backend: LexicalBackend, owner: User) -> None:
        self.add(backend, owner, ["A boat."])
        assert self.find(backend, owner, "boat " + "word " * 199) == [0]
        assert self.find(backend, owner, "boat " + " ".join(f"word{number}" for number in range(120))) == [0]
        assert self.find(backend, owner, "x" * 1000) == []

    def test_equal_scores_are_in_order_of_videos_and_times_and_the_limit_keeps_the_first(
        self, backend: LexicalBackend, owner: User
    ) -> None:
        videos = [self.add(backend, owner, ["A boat."] * 4) for _ in range(3)]
        for video in random.sample(videos, 3):
            backend.index(video.list_scene_ids())
        expected = [(video_id, index) for video_id in sorted(video.pk for video in videos) for index in range(0, 4 * APART, APART)]
        indexes = dict(Scene.objects.values_list("pk", "index"))

        def search(limit: int) -> list[tuple[UUID, int]]:
            matches = backend.search(LexicalQuery(owner.pk, "boat", limit)).matches[LEXICAL]
            return [(match.video_id, indexes[match.scene_id]) for match in matches]

        assert search(100) == expected
        assert search(12) == expected
        assert search(5) == expected[:5]
        assert search(1) == expected[:1]

    def test_the_limit_applies_to_each_channel(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["A boat."] * 3)
        video.scenes.update(on_screen_text="boat")
        backend.index(video.list_scene_ids())
        matches = backend.search(LexicalQuery(owner.pk, "boat", 2)).matches
        assert (len(matches[LEXICAL]), len(matches[ON_SCREEN])) == (2, 2)

    @pytest.mark.parametrize(
        ("text", "query", "highlight"),
        [
            ("We went out. The boat sailed.", "sailing", "We went out. The boat <mark>sailed</mark>."),
            (f"A boat came. {LONG_TALK}", "boat", r"A <mark>boat</mark> came. Sentence 0 of .* …"),
            (f"{LONG_TALK} The boat came. {LONG_TALK}", "boat", r"… .*<mark>boat</mark> came. Sentence 0 .* …"),
            (f"{LONG_TALK} The boat", "boat", r"… .*<mark>boat</mark>"),
            (
                f"{LONG_TALK} One boat. {LONG_TALK} More boats. {LONG_TALK}",
                "boat",
                r"… .*One <mark>boat</mark>.* … .*<mark>boats</mark>.* …",
            ),
            (LONG_TALK, "harbor", r"Sentence 0 of a long talk .* …"),
            ("The quick fox.", "harbor", "The quick fox."),
        ],
        ids=["short", "start", "middle", "end", "two fragments", "long without a match", "short without a match"],
    )
    def test_an_excerpt_is_whole_or_shows_where_text_is_omitted(
        self, backend: LexicalBackend, owner: User, text: str, query: str, highlight: str
    ) -> None:
        video = self.add(backend, owner, [text])
        (excerpt,) = backend.highlight(video.list_scene_ids(), query, LEXICAL).values()
        assert re.fullmatch(highlight, excerpt.html), excerpt

    def test_excerpts_are_escaped(self, backend: LexicalBackend, owner: User) -> None:
        text = "<script>alert(1)</script> boat <mark> & \"quoted\" 'text'"
        video = self.add(backend, owner, [text, text], on_screen=f"{text}\x7f")
        for channel in (LEXICAL, ON_SCREEN):
            excerpt = backend.highlight([video.scenes.get(index=APART).pk], "boat", channel)[video.scenes.get(index=APART).pk].html
            assert "<mark>boat</mark>" in excerpt
            assert re.findall(r"<[^>]*>", excerpt) == ["<mark>", "</mark>"]
            assert "&amp;" in excerpt

    def test_each_channel_highlights_its_own_words(self, backend: LexicalBackend, owner: User) -> None:
        video = self.add(backend, owner, ["A boat at sea."], on_screen="Boat for sale")
        (scene_id,) = video.list_scene_ids()
        assert backend.highlight([scene_id], "boat", LEXICAL)[scene_id].html == "A <mark>boat</mark> at sea."
        assert backend.highlight([scene_id], "boat", ON_SCREEN)[scene_id].html == "<mark>Boat</mark> for sale"
        assert backend.highlight([], "boat", LEXICAL) == {}
        assert backend.highlight([uuid4()], "boat", LEXICAL) == {}

    def test_marks_tell_where_all_matching_words_are(self, backend: LexicalBackend, owner: User) -> None:
        text = f"Boat & boats. {LONG_TALK} The boat"
        video = self.add(backend, owner, [text], on_screen="No boat, no train")
        (scene_id,) = video.list_scene_ids()
        marks = backend.highlight([scene_id], "boat", LEXICAL)[scene_id].marks
        assert marks == (Mark(0, "Boat"), Mark(7, "boats"), Mark(len(text) - 4, "boat"))
        assert backend.highlight([scene_id], "boat", ON_SCREEN)[scene_id].marks == (Mark(3, "boat"),)
        assert backend.highlight([scene_id], "harbor", LEXICAL)[scene_id].marks == ()

    def test_a_working_backend_is_healthy_and_has_no_problems(self, backend: LexicalBackend, owner: User) -> None:
        assert backend.health() == ""
        assert backend.check() == []
