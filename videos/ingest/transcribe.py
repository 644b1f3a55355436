"""Transcribe a video's sound track chunk by chunk. Finished chunks are stored, so that another worker can resume behind them."""

from contextlib import closing

from django.db.models import Max

from heimdex.media.audio import SAMPLE_RATE, iter_audio_blocks
from heimdex.speech.base import Transcriber
from heimdex.speech.chunked_transcription import TranscribedChunk, transcribe_chunks
from videos.ingest.stage import StageContext
from videos.models import TranscriptChunk, Video


def transcribe_video(context: StageContext, transcriber: Transcriber) -> None:
    """Transcribe and store every chunk that is not stored yet. At most one chunk is in memory, or lost with its worker."""
    video, source = context.video, context.source
    # Part of stored rows: another wording would transcribe unfinished videos from the start.
    model_key = f"{transcriber.identity}, {video.language or 'any language'}"
    with context.transaction():
        # Chunks of another model, or for another language.
        TranscriptChunk.objects.filter(video=video).exclude(listener=model_key).delete()
    start = TranscriptChunk.objects.filter(video=video).aggregate(end=Max("end_sample"))["end"] or 0
    duration_s = source.info.duration_s
    context.progress(start / SAMPLE_RATE / duration_s)
    with closing(context.decode(iter_audio_blocks)) as blocks:
        chunks = transcribe_chunks(
            transcriber,
            blocks,
            start=start,
            language=video.language or None,
            on_progress=lambda done_s: context.progress(done_s / duration_s),
        )
        for chunk in chunks:
            with context.transaction():
                _store(video, model_key, chunk)


def _store(video: Video, model_key: str, chunk: TranscribedChunk) -> None:
    TranscriptChunk.objects.create(
        video=video,
        owner_id=video.owner_id,
        listener=model_key,
        first_sample=chunk.start,
        end_sample=chunk.end,
        language=chunk.language or "",
        words=[[round(word.start_s, 3), round(word.end_s, 3), word.text] for word in chunk.words],
    )
