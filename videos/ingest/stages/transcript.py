"""Stage `transcript`: what is said in each scene."""

import numpy as np

from heimdex.backends import transcriber
from heimdex.media.audio import audio_blocks
from heimdex.speech.scenes import words_between
from videos.ingest.stage import StageContext
from videos.models import Scene, VideoMetadata

# Reading the audio takes little beside hearing it.
_READING = 0.05


def run(context: StageContext) -> None:
    """Give every scene its words, but for those that its owner has edited; a video without sound, or without speech, has none."""
    video = context.video
    audio = np.concatenate([np.zeros(0, dtype=np.float32), *context.decoded(audio_blocks)])
    context.progress(_READING)
    transcript = transcriber().transcribe(audio, on_progress=lambda share: context.progress(_READING + share * (1 - _READING)))
    scenes = list(Scene.objects.filter(video=video, transcript_edited_at__isnull=True).only("id", "start_s", "end_s").order_by("index"))
    for scene in scenes:
        words = words_between(transcript, scene.start_s, scene.end_s)
        scene.words = [[round(word.start_s, 3), round(word.end_s, 3), word.text] for word in words]
        scene.transcript = " ".join(" ".join(word.text for word in words).split())
    with context.writing():
        Scene.objects.bulk_update(scenes, ["words", "transcript"], batch_size=200)
        VideoMetadata.objects.filter(video=video).update(language=transcript.language or "")
