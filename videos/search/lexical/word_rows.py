"""Write the rows of `SceneWords` and `VideoWords`: analyze the texts of scenes, and find videos whose words are missing or outdated."""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import MD5, Cast, Concat

from heimdex.text_analysis import ANALYSIS_VERSION, Token, analyze_text, detect_language
from videos.models import Scene, SceneWords, Video, VideoWords
from videos.search.lexical.lexemes import compose_vector, get_owner_key

_BATCH = 500
# The language of tags, whatever is spoken.
_TAGS = "en"
# Enough of a transcript to detect its language (characters).
_SAMPLE_LENGTH = 2000
_VIDEO_FIELDS = ("owner", "title", "description", "title_count", "description_count", "text_hash", "languages", "analysis_version")
_VIDEO_TEXTS = ("owner", "metadata__language", "language", "title", "description")
_SCENE_TEXTS = ("video__owner", "video__metadata__language", "video__language", "transcript", "visual_text", "on_screen_text")
_SCENE_FIELDS = ("owner", "video", "spoken", "shown", "on_screen", "spoken_count", "shown_count", "on_screen_count", "text_hash")
_Analyzed: TypeAlias = tuple[str, list[Token]]


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
    VideoWords.objects.filter(video__scenes__in=scene_ids).delete()
    SceneWords.objects.filter(pk__in=scene_ids).delete()


def select_unwritten_videos() -> QuerySet[Video]:
    """Return the indexed videos whose words were not written by the current analysis."""
    written = VideoWords.objects.filter(video=OuterRef("pk"), analysis_version=ANALYSIS_VERSION)
    return Video.objects.filter(~Exists(written), state=Video.State.INDEXED)


def select_outdated_videos() -> QuerySet[Video]:
    """Return the indexed videos whose words were not written by the current analysis from the current title and description."""
    current = VideoWords.objects.filter(video=OuterRef("pk"), text_hash=OuterRef("text_hash"), analysis_version=ANALYSIS_VERSION)
    return Video.objects.filter(state=Video.State.INDEXED).annotate(text_hash=_hash_texts(*_VIDEO_TEXTS)).filter(~Exists(current))


def select_outdated_scenes() -> QuerySet[Scene]:
    """Return the scenes of indexed videos whose words were not written from their current texts."""
    scenes = Scene.objects.filter(video__state=Video.State.INDEXED).annotate(text_hash=_hash_texts(*_SCENE_TEXTS))
    return scenes.filter(~_has_words_of_texts())


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
        for video in hashed.select_for_update(no_key=True, of=("self",)).order_by("pk"):
            _write_video(video, scene_ids)


def _write_video(video: Video, scene_ids: Collection[UUID]) -> None:
    spoken = _find_spoken_language(video)
    scenes = (
        Scene.objects.filter(video=video)
        .annotate(text_hash=_hash_texts(*_SCENE_TEXTS))
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))
    )
    known = VideoWords.objects.filter(video=video, analysis_version=ANALYSIS_VERSION).first()
    if known:
        scenes = scenes.filter(~_has_words_of_texts(), pk__in=scene_ids)
    languages = set(known.languages) if known else set()
    changed = list(scenes.only("transcript", "visual_text", "on_screen_text"))
    for start in range(0, len(changed), _BATCH):
        rows = [_build_scene_words(video, scene, spoken, languages) for scene in changed[start : start + _BATCH]]
        SceneWords.objects.bulk_create(rows, update_conflicts=True, unique_fields=["scene"], update_fields=_SCENE_FIELDS)
    row = _build_video_words(video, spoken, languages)
    VideoWords.objects.bulk_create([row], update_conflicts=True, unique_fields=["video"], update_fields=_VIDEO_FIELDS)


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


def _build_scene_words(video: Video, scene: Scene, spoken: str, languages: set[str]) -> SceneWords:
    speech = _analyze(scene.transcript, spoken)
    shown = _analyze(scene.visual_text, detect_language(scene.visual_text, (_TAGS, spoken)))
    read = _analyze(scene.on_screen_text, detect_language(scene.on_screen_text, (spoken, _TAGS)))
    languages |= {language for language, tokens in (speech, shown, read) if tokens}
    # The video's owner, which decides in case of doubt.
    key = get_owner_key(video.owner_id)
    vectors = {name: compose_vector(key, tokens) for name, (_, tokens) in {"spoken": speech, "shown": shown, "on_screen": read}.items()}
    counts = {"spoken_count": len(speech[1]), "shown_count": len(shown[1]), "on_screen_count": len(read[1])}
    text_hash: str = scene.text_hash  # type: ignore[attr-defined]  # annotated
    return SceneWords(scene=scene, owner_id=video.owner_id, video=video, text_hash=text_hash, **vectors, **counts)


def _build_video_words(video: Video, spoken: str, languages: set[str]) -> VideoWords:
    title = _analyze(video.title, detect_language(video.title, (spoken, _TAGS)))
    description = _analyze(video.description, detect_language(video.description, (spoken, _TAGS)))
    languages |= {language for language, tokens in (title, description) if tokens}
    key = get_owner_key(video.owner_id)
    return VideoWords(
        video=video,
        owner_id=video.owner_id,
        title=compose_vector(key, title[1]),
        description=compose_vector(key, description[1]),
        title_count=len(title[1]),
        description_count=len(description[1]),
        languages=sorted(languages),
        text_hash=video.text_hash,  # type: ignore[attr-defined]  # annotated
        analysis_version=ANALYSIS_VERSION,
    )


def _analyze(text: str, language: str) -> _Analyzed:
    return language, analyze_text(text, language) if text else []
