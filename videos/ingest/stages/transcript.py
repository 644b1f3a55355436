"""Stage `transcript`: transcribe the audio track chunk by chunk, and divide its words among the scenes.

Finished chunks are stored, so that another worker can resume after them.
"""

from contextlib import closing

import structlog
from django.db.models import Max

from heimdex.backends import get_transcriber
from heimdex.media.audio import SAMPLE_RATE, iter_audio_blocks
from heimdex.speech.base import Transcriber
from heimdex.speech.chunks import TranscribedChunk, find_main_language, transcribe_chunks
from heimdex.speech.languages import get_language_name
from heimdex.speech.words import assign_words_to_scenes, join_words
from videos.ingest.stage import Stage, StageContext
from videos.models import Scene, TranscriptChunk, Video, VideoMetadata
from videos.times import format_time

log = structlog.get_logger(__name__)

UNSUPPORTED_LANGUAGE = (
    "The speech was not transcribed: the speech model of this server does not support {language}. "
    "Your administrator can configure one that does."
)
MISSING = "The speech between {start} and {end} could not be transcribed."
MORE_MISSING = " The same is true of other parts."


def run(context: StageContext) -> None:
    """Set the words of every scene, except of scenes whose transcript the owner has edited. Without speech there are none."""
    video, speech = context.video, get_transcriber()
    chunks: list[TranscriptChunk] = []
    if video.language and not speech.supports_language(video.language):
        notice = UNSUPPORTED_LANGUAGE.format(language=get_language_name(video.language))
        VideoMetadata.objects.filter(video=video).update(speech_notice=notice)
    else:
        transcribe_video(context, speech)
        chunks = list(TranscriptChunk.objects.filter(video=video).order_by("first_sample"))
    scenes = list(Scene.objects.filter(video=video).only("id", "start_s", "transcript_edited_at").order_by("index"))
    words = ((start, end, text) for chunk in chunks for start, end, text in chunk.words)
    for scene, scene_words in zip(scenes, assign_words_to_scenes(words, [scene.start_s for scene in scenes]), strict=True):
        scene.words = [list(word) for word in scene_words]
        scene.transcript = " ".join(join_words(text for _, _, text in scene_words).split())
    unedited = [scene for scene in scenes if scene.transcript_edited_at is None]
    language = find_main_language((chunk.language, len(chunk.words)) for chunk in chunks)
    with context.transaction():
        Scene.objects.bulk_update(unedited, ["words", "transcript"], batch_size=200)
        VideoMetadata.objects.filter(video=video).update(language=language)
        TranscriptChunk.objects.filter(video=video).delete()


STAGE = Stage("transcript", order=40, label="Transcribing speech", run=run, weight=40)


def transcribe_video(context: StageContext, transcriber: Transcriber) -> None:
    """Transcribe and store every chunk that is not stored yet. At most one chunk is in memory, or lost with its worker."""
    video, source = context.video, context.source
    # Stored in rows: with another format, unfinished videos would be transcribed from the start.
    model_key = f"{transcriber.identity}, {video.language or 'any language'}"
    with context.transaction():
        # Delete chunks of another model or for another language.
        TranscriptChunk.objects.filter(video=video).exclude(model_key=model_key).delete()
    start = TranscriptChunk.objects.filter(video=video).aggregate(end=Max("end_sample"))["end"] or 0
    if not start:
        VideoMetadata.objects.filter(video=video).update(speech_notice="")
    duration_s = source.info.duration_s
    context.report_progress(start / SAMPLE_RATE / duration_s)
    with closing(context.decode(iter_audio_blocks)) as blocks:
        chunks = transcribe_chunks(
            transcriber,
            blocks,
            start=start,
            language=video.language or None,
            on_progress=lambda done_s: context.report_progress(done_s / duration_s),
        )
        for chunk in chunks:
            with context.transaction():
                _store(video, model_key, chunk)
                if chunk.problem:
                    _note_missing(video, chunk)


def _store(video: Video, model_key: str, chunk: TranscribedChunk) -> None:
    TranscriptChunk.objects.create(
        video=video,
        owner_id=video.owner_id,
        model_key=model_key,
        first_sample=chunk.start,
        end_sample=chunk.end,
        language=chunk.language or "",
        words=[[round(word.start_s, 3), round(word.end_s, 3), word.text] for word in chunk.words],
    )


def _note_missing(video: Video, chunk: TranscribedChunk) -> None:
    log.warning("A part of the speech could not be transcribed", start_s=round(chunk.start / SAMPLE_RATE), reason=chunk.problem)
    metadata = VideoMetadata.objects.get(video=video)
    if not metadata.speech_notice:
        start, end = (format_time(sample / SAMPLE_RATE) for sample in (chunk.start, chunk.end))
        metadata.speech_notice = MISSING.format(start=start, end=end)
    elif not metadata.speech_notice.endswith(MORE_MISSING):
        metadata.speech_notice += MORE_MISSING
    metadata.save(update_fields=["speech_notice"])
