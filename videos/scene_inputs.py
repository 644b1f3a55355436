"""Keep each scene's input hashes equal to what its channels would embed now."""

from collections.abc import Iterable, Iterator

from videos.composition import SceneSpeech, compose_summary, compose_transcripts, compose_visual, input_hash
from videos.models import Scene, Video

TEXT_CHANNELS = ("transcript", "visual", "summary")
_BATCH = 500
_TEXTS = ("start_s", "end_s", "transcript", "words", "visual_text", "on_screen_text")


def compose_scene_texts(video: Video) -> Iterator[tuple[Scene, dict[str, str]]]:
    """Yield every scene of a video, in order, with the text of each text channel."""
    scenes = list(
        Scene.objects.filter(video=video)
        .only("id", "video_id", "owner_id", "index", *_TEXTS, *hash_fields(TEXT_CHANNELS))
        .order_by("index")
    )
    transcripts = compose_transcripts([speech_of(scene) for scene in scenes])
    # Read after the scenes: a worker that meets an edit halfway then sees that the texts are newer than the hashes, and not the reverse.
    written = Video.objects.filter(pk=video.pk).values_list("summary", flat=True).first()
    summary = compose_summary(written or "")
    for scene, transcript in zip(scenes, transcripts, strict=True):
        seen = compose_visual(scene.visual_text, scene.on_screen_text)
        yield scene, {"transcript": transcript, "visual": seen, "summary": summary}


def speech_of(scene: Scene) -> SceneSpeech:
    """Return what is said in a scene, as composition and captions take it."""
    return SceneSpeech(scene.start_s, scene.end_s, scene.transcript, scene.words)


def refresh_input_hashes(video: Video) -> None:
    """Recompute the text channels' hashes of a video's scenes; write only those that changed."""
    changed = []
    for scene, texts in compose_scene_texts(video):
        hashes = {f"{channel}_hash": input_hash(text) for channel, text in texts.items()}
        if any(getattr(scene, field) != value for field, value in hashes.items()):
            for field, value in hashes.items():
                setattr(scene, field, value)
            changed.append(scene)
    Scene.objects.bulk_update(changed, hash_fields(TEXT_CHANNELS), batch_size=_BATCH)


def hash_fields(channels: Iterable[str]) -> list[str]:
    """Return the names of the scene's columns that hold the channels' input hashes."""
    return [f"{channel}_hash" for channel in channels]
