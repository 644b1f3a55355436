"""Hear a video's sound stretch by stretch; what a worker has heard is kept, and the next one goes on behind it."""

from contextlib import closing

from django.db.models import Max

from heimdex.media.audio import SAMPLE_RATE, audio_blocks
from heimdex.speech.base import Transcriber
from heimdex.speech.listening import Heard, listen
from videos.ingest.stage import StageContext
from videos.models import HeardStretch, Video


def hear(context: StageContext, speech: Transcriber) -> None:
    """Store every stretch of the sound that is not stored yet; at most one stretch is in memory, or lost with its worker."""
    video, source = context.video, context.source
    listener = f"{speech.identity}, {video.language or 'any language'}"
    with context.writing():
        # Of another model, or told another language.
        HeardStretch.objects.filter(video=video).exclude(listener=listener).delete()
    begin = HeardStretch.objects.filter(video=video).aggregate(end=Max("end_sample"))["end"] or 0
    duration_s = source.info.duration_s
    context.progress(begin / SAMPLE_RATE / duration_s)
    with closing(context.decoded(audio_blocks)) as blocks:
        reached = listen(
            speech,
            blocks,
            begin=begin,
            language=video.language or None,
            on_progress=lambda reached_s: context.progress(reached_s / duration_s),
        )
        for heard in reached:
            with context.writing():
                _store(video, listener, heard)


def _store(video: Video, listener: str, heard: Heard) -> None:
    HeardStretch.objects.create(
        video=video,
        owner_id=video.owner_id,
        listener=listener,
        first_sample=heard.first,
        end_sample=heard.end,
        language=heard.language or "",
        words=[[round(word.start_s, 3), round(word.end_s, 3), word.text] for word in heard.words],
    )
