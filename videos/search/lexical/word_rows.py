"""Write the rows of `SceneWords` and `VideoWords`: analyze the texts of scenes, and find videos whose words are missing or outdated."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

from heimdex.text_analysis import ANALYSIS_VERSION, detect_language
from videos.models import Scene, SceneDocument, SceneWords, Video, VideoWords
from videos.search.lexical.base import WordChange
from videos.search.lexical.handler import DEFAULT, lexical_backends
from videos.search.lexical.owner_words import VocabularyChange
from videos.search.lexical.windows import spread
from videos.search.lexical.word_analysis import VideoAnalyzer

_BATCH = 500
# Enough of a transcript to detect its language (characters).
_SAMPLE_LENGTH = 2000
_SUMS = ("spoken_scenes", "spoken_windows", "shown_scenes", "shown_words", "on_screen_scenes", "on_screen_words")
_VIDEO_FIELDS = ("owner", "title", "description", *_SUMS, "text_hash", "languages", "analysis_version")
_VIDEO_TEXTS = ("owner", "metadata__language", "language", "title", "description")
_SCENE_TEXTS = ("video__owner", "index", "video__metadata__language", "video__language", "transcript", "visual_text", "on_screen_text")
_SCENE_FIELDS = ("owner", "video", "index", "spoken", "shown", "on_screen", "spoken_count", "shown_count", "on_screen_count", "text_hash")


def write_words(scene_ids: Collection[UUID]) -> None:
    """Write the words of some scenes, and those of their videos, in the current transaction. Scenes whose texts are unchanged stay.

    All scenes of a video are written when the video has no current words yet.
    """
    _write_videos(Video.objects.filter(pk__in=Scene.objects.filter(pk__in=scene_ids).values("video")), scene_ids)


def write_missing_words(video_id: UUID) -> None:
    """Write the words of a video and of all its scenes, unless they are current."""
    _write_videos(Video.objects.filter(pk=video_id), ())


def delete_words(scene_ids: Collection[UUID]) -> None:
    """Delete the words of some scenes, and those of their videos."""
    videos = Video.objects.filter(pk__in=Scene.objects.filter(pk__in=scene_ids).values("video"))
    with transaction.atomic():
        # Locked before the vocabulary, as those who write words do, and before the rows of the video, which may be deleted next.
        video_ids = list(videos.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        vocabulary = VocabularyChange()
        changes: list[WordChange] = []
        titles, words = VideoWords.objects.filter(pk__in=video_ids), SceneWords.objects.filter(pk__in=scene_ids)
        vocabulary.remove(titles.iterator(chunk_size=_BATCH))
        vocabulary.remove(_note(words.iterator(chunk_size=_BATCH), changes))
        titles.delete()
        words.delete()
        # Whichever backend is used now: nothing of a deleted scene stays in the database.
        SceneDocument.objects.filter(pk__in=scene_ids).delete()
        vocabulary.apply()
        _record(changes)


def select_unwritten_videos() -> QuerySet[Video]:
    """Return the indexed videos whose words were not written by the current analysis."""
    written = VideoWords.objects.filter(video=OuterRef("pk"), analysis_version=ANALYSIS_VERSION)
    return _select_indexed().filter(~Exists(written))


def select_outdated_videos() -> QuerySet[Video]:
    """Return the indexed videos whose words were not written by the current analysis from the current title and description."""
    current = VideoWords.objects.filter(video=OuterRef("pk"), text_hash=OuterRef("text_hash"), analysis_version=ANALYSIS_VERSION)
    return _select_indexed().annotate(text_hash=_hash_texts(*_VIDEO_TEXTS)).filter(~Exists(current))


def select_outdated_scenes() -> QuerySet[Scene]:
    """Return the scenes of indexed videos whose words were not written from their current texts."""
    scenes = Scene.objects.filter(video__state=Video.State.INDEXED).annotate(text_hash=_hash_texts(*_SCENE_TEXTS))
    return scenes.filter(~_has_words_of_texts())


def _select_indexed() -> QuerySet[Video]:
    """Return the indexed videos with scenes. Without any, nothing of a video is found, and its words would never be deleted."""
    return Video.objects.filter(Exists(Scene.objects.filter(video=OuterRef("pk"))), state=Video.State.INDEXED)


def _has_words_of_texts() -> Exists:
    """Match scenes, annotated with the hash of their texts, whose words were written from these texts and for this owner."""
    return Exists(SceneWords.objects.filter(scene=OuterRef("pk"), text_hash=OuterRef("text_hash")))


def _hash_texts(*fields: str) -> MD5:
    # A character that no stored text contains stands between the texts.
    parts = [part for field in fields for part in (Cast(field, TextField()), Value("\x1f"))]
    return MD5(Concat(*parts, output_field=TextField()))


def _write_videos(videos: QuerySet[Video], scene_ids: Collection[UUID]) -> None:
    with transaction.atomic():
        # Locked in the order of edits, first videos and then scenes, so that no other transaction changes a text that was read here.
        hashed = videos.annotate(text_hash=_hash_texts(*_VIDEO_TEXTS)).select_related("metadata")
        vocabulary = VocabularyChange()
        changes: list[WordChange] = []
        for video in hashed.select_for_update(no_key=True, of=("self",)).order_by("pk"):
            _write_video(video, scene_ids, vocabulary, changes)
        vocabulary.apply()
        _record(changes)


def _note(rows: Iterable[SceneWords], changes: list[WordChange]) -> Iterator[SceneWords]:
    """Yield the rows, and add them to the changes."""
    for row in rows:
        changes.append(WordChange(row.owner_id, row.pk))
        yield row


def _record(changes: Sequence[WordChange]) -> None:
    if changes:
        # A scene that got another owner is changed for both, the last one last.
        lexical_backends[DEFAULT].record_changes(list(dict.fromkeys(changes)))


def _write_video(video: Video, scene_ids: Collection[UUID], vocabulary: VocabularyChange, changes: list[WordChange]) -> None:
    analyzer = VideoAnalyzer(video, _find_spoken_language(video))
    scenes = (
        Scene.objects.filter(video=video)
        .annotate(text_hash=_hash_texts(*_SCENE_TEXTS))
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    )
    known = VideoWords.objects.filter(video=video, analysis_version=ANALYSIS_VERSION).first()
    if known:
        scenes = scenes.filter(~_has_words_of_texts(), pk__in=scene_ids)
        analyzer.languages.update(known.languages)
    changed = list(scenes.only("index", "transcript", "visual_text", "on_screen_text"))
    for start in range(0, len(changed), _BATCH):
        rows = [analyzer.build_scene_words(scene, _get_hash(scene)) for scene in changed[start : start + _BATCH]]
        vocabulary.remove(_note(SceneWords.objects.filter(pk__in=[row.pk for row in rows]), changes))
        vocabulary.add(_note(rows, changes))
        SceneWords.objects.bulk_create(rows, update_conflicts=True, unique_fields=["scene"], update_fields=_SCENE_FIELDS)
    row = analyzer.build_video_words(_get_hash(video), **_sum_scenes(video))
    vocabulary.remove(VideoWords.objects.filter(pk=video.pk))
    vocabulary.add([row])
    VideoWords.objects.bulk_create([row], update_conflicts=True, unique_fields=["video"], update_fields=_VIDEO_FIELDS)


def _get_hash(row: Scene | Video) -> str:
    text_hash: str = row.text_hash  # type: ignore[union-attr]  # annotated
    return text_hash


def _find_spoken_language(video: Video) -> str:
    """Return the language of a video's speech: as transcribed, as given by the owner, or as its text looks."""
    metadata = getattr(video, "metadata", None)
    if known := (metadata.language if metadata else "") or video.language:
        return known
    transcripts = Scene.objects.filter(video=video).exclude(transcript="").order_by("index").values_list("transcript", flat=True)
    return detect_language(" ".join(_take(transcripts.iterator(chunk_size=20), _SAMPLE_LENGTH)))


def _take(texts: Iterable[str], length: int) -> Iterator[str]:
    for text in texts:
        if length <= 0:
            return
        yield text
        length -= len(text)


def _sum_scenes(video: Video) -> dict[str, float]:
    """Update the lengths of windows, which reach into scenes that were not written, and return the sums over all scenes."""
    rows = list(SceneWords.objects.filter(video=video).only("index", "spoken_count", "spoken_window", "shown_count", "on_screen_count"))
    windows = spread({(video.pk, row.index): row.spoken_count for row in rows})
    changed = [row for row in rows if row.spoken_window != windows[video.pk, row.index]]
    for row in changed:
        row.spoken_window = windows[video.pk, row.index]
    SceneWords.objects.bulk_update(changed, ["spoken_window"], batch_size=_BATCH)
    return {
        "spoken_scenes": sum(row.spoken_count > 0 for row in rows),
        "spoken_windows": sum(row.spoken_window for row in rows if row.spoken_count),
        "shown_scenes": sum(row.shown_count > 0 for row in rows),
        "shown_words": sum(row.shown_count for row in rows),
        "on_screen_scenes": sum(row.on_screen_count > 0 for row in rows),
        "on_screen_words": sum(row.on_screen_count for row in rows),
    }
