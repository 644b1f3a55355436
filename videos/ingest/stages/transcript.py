"""Stage `transcript`: what is said in each scene."""

from heimdex.backends import transcriber
from heimdex.speech.languages import name_of
from heimdex.speech.listening import main_language
from heimdex.speech.scenes import words_of_scenes
from videos.ingest.hearing import hear
from videos.ingest.stage import StageContext
from videos.models import HeardStretch, Scene, VideoMetadata

NOT_UNDERSTOOD = (
    "The speech was not written down: the speech model of this server does not understand {language}. "
    "Your administrator can configure one that does."
)


def run(context: StageContext) -> None:
    """Give every scene its words, but for those that its owner has edited; a video without sound, or without speech, has none."""
    video, speech = context.video, transcriber()
    heard: list[HeardStretch] = []
    notice = ""
    if video.language and not speech.understands(video.language):
        notice = NOT_UNDERSTOOD.format(language=name_of(video.language))
    else:
        hear(context, speech)
        heard = list(HeardStretch.objects.filter(video=video).order_by("first_sample"))
    scenes = list(Scene.objects.filter(video=video).only("id", "start_s", "transcript_edited_at").order_by("index"))
    words = ((start, end, text) for stretch in heard for start, end, text in stretch.words)
    for scene, said in zip(scenes, words_of_scenes(words, [scene.start_s for scene in scenes]), strict=True):
        scene.words = [list(word) for word in said]
        scene.transcript = " ".join(" ".join(text for _, _, text in said).split())
    unedited = [scene for scene in scenes if scene.transcript_edited_at is None]
    language = main_language((stretch.language, len(stretch.words)) for stretch in heard)
    with context.writing():
        Scene.objects.bulk_update(unedited, ["words", "transcript"], batch_size=200)
        VideoMetadata.objects.filter(video=video).update(language=language, speech_notice=notice)
        HeardStretch.objects.filter(video=video).delete()
