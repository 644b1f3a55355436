"""Stage `transcript`: transcribe the speech in each scene."""

from heimdex.backends import transcriber
from heimdex.speech.chunked_transcription import find_main_language
from heimdex.speech.languages import get_language_name
from heimdex.speech.words import assign_words_to_scenes
from videos.ingest.stage import Stage, StageContext
from videos.ingest.transcribe import transcribe_video
from videos.models import Scene, TranscriptChunk, VideoMetadata

UNSUPPORTED_LANGUAGE = (
    "The speech was not transcribed: the speech model of this server does not support {language}. "
    "Your administrator can configure one that does."
)


def run(context: StageContext) -> None:
    """Set the words of every scene, except of those whose transcript the owner has edited. A video without speech has none."""
    video, speech = context.video, transcriber()
    chunks: list[TranscriptChunk] = []
    notice = ""
    if video.language and not speech.supports_language(video.language):
        notice = UNSUPPORTED_LANGUAGE.format(language=get_language_name(video.language))
    else:
        transcribe_video(context, speech)
        chunks = list(TranscriptChunk.objects.filter(video=video).order_by("first_sample"))
    scenes = list(Scene.objects.filter(video=video).only("id", "start_s", "transcript_edited_at").order_by("index"))
    words = ((start, end, text) for chunk in chunks for start, end, text in chunk.words)
    for scene, scene_words in zip(scenes, assign_words_to_scenes(words, [scene.start_s for scene in scenes]), strict=True):
        scene.words = [list(word) for word in scene_words]
        scene.transcript = " ".join(" ".join(text for _, _, text in scene_words).split())
    unedited = [scene for scene in scenes if scene.transcript_edited_at is None]
    language = find_main_language((chunk.language, len(chunk.words)) for chunk in chunks)
    with context.transaction():
        Scene.objects.bulk_update(unedited, ["words", "transcript"], batch_size=200)
        VideoMetadata.objects.filter(video=video).update(language=language, speech_notice=notice)
        TranscriptChunk.objects.filter(video=video).delete()


STAGE = Stage("transcript", order=40, label="Transcribing speech", run=run, weight=40)
