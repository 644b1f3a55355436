"""Stage `scenes`: divide the video into scenes, and store their keyframes and the timeline."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import uuid5

import structlog
from django.conf import settings

from heimdex.backends import get_cut_network
from heimdex.media.damage import DecodingStats, describe_damage
from heimdex.media.frames import iter_frame_batches
from heimdex.media.scenes import DetectedScene, iter_scenes
from heimdex.media.timeline import Tile, compose_sheet
from heimdex.storage import get_media_storage
from videos.embedding_texts import hash_input
from videos.ingest.stage import Stage, StageContext
from videos.models import Scene, Video, VideoMetadata
from videos.search.lexical.handler import get_lexical_backend

log = structlog.get_logger(__name__)

# Cuts of two runs that are closer together than this are the same cut (seconds).
_SAME_CUT_S = 0.1


def run(context: StageContext) -> None:
    """Detect the video's scenes and replace its earlier ones. Scenes keep their ids when the stage runs again."""
    scenes: list[Scene] = []
    tiles: list[Tile] = []
    decoded = DecodingStats()
    for detected in _detect(context):
        scenes.append(_store_scene(context.video, len(scenes), detected))
        tiles += detected.tiles
        decoded += detected.decoded
    info = context.source.info
    if tiles:
        get_media_storage().save(context.video.timeline_key, compose_sheet(tiles, info.duration_s), "image/jpeg")
    earlier = Scene.objects.filter(video=context.video)
    earlier_keys, faces = _list_keys(earlier), [scene.faces_prefix for scene in earlier]
    with context.transaction():
        _restore_edits(context.video, scenes)
        # Words are counted, so they must not just vanish with their scenes.
        get_lexical_backend().delete(context.video.list_scene_ids())
        earlier.delete()
        Scene.objects.bulk_create(scenes, batch_size=500)
        VideoMetadata.objects.filter(video=context.video).update(
            has_timeline=bool(tiles), damage_notice=describe_damage(decoded, info.duration_s, info.stated_s)
        )
    for key in earlier_keys - _list_keys(scenes):
        get_media_storage().delete(key)
    for prefix in faces:
        get_media_storage().delete_prefix(prefix)


def _detect(context: StageContext) -> Iterator[DetectedScene]:
    """Yield the scenes. A cut network, if one is configured, finds the cuts in a separate pass, which takes most of the time."""
    network = get_cut_network()
    if network is None:
        return context.decode(iter_scenes, context.report_progress, settings.LONGEST_SCENE_SECONDS, None)
    cuts = tuple(network.find_cuts(context.decode(iter_frame_batches, _report_share(context, 0.0, 0.9))))
    return context.decode(iter_scenes, _report_share(context, 0.9, 1.0), settings.LONGEST_SCENE_SECONDS, cuts)


def _report_share(context: StageContext, start: float, end: float) -> Callable[[float], None]:
    return lambda share: context.report_progress(start + share * (end - start))


def _list_keys(scenes: Iterable[Scene]) -> set[str]:
    return {key for scene in scenes for pair in scene.image_keys for key in pair}


def _store_scene(video: Video, index: int, detected: DetectedScene) -> Scene:
    """Store a scene's images and return its row. Images are released at once, so memory does not grow with the video."""
    scene = Scene(
        pk=uuid5(video.pk, str(index)),
        video=video,
        owner_id=video.owner_id,
        index=index,
        start_s=detected.span.start_s,
        end_s=detected.span.end_s,
    )
    if detected.keyframes:
        first, *others = detected.keyframes
        scene.keyframe_time_s = first.time_s
        scene.keyframe_hash = hash_input(first.jpeg)
        scene.other_keyframes_s = [keyframe.time_s for keyframe in others]
        scene.pictures_hash = hash_input(b"".join(keyframe.jpeg for keyframe in detected.keyframes))
    for (key, thumbnail_key), keyframe in zip(scene.image_keys, detected.keyframes, strict=True):
        get_media_storage().save(key, keyframe.jpeg, "image/jpeg")
        get_media_storage().save(thumbnail_key, keyframe.thumbnail, "image/jpeg")
    return scene


def _restore_edits(video: Video, scenes: Sequence[Scene]) -> None:
    """Copy edited transcripts to the new scenes with the same cuts."""
    for edited in Scene.objects.filter(video=video, transcript_edited_at__isnull=False):
        same = (scene for scene in scenes if max(abs(scene.start_s - edited.start_s), abs(scene.end_s - edited.end_s)) < _SAME_CUT_S)
        if scene := next(same, None):
            scene.transcript, scene.words = edited.transcript, edited.words
            scene.transcript_edited_at = edited.transcript_edited_at
        else:
            log.warning("Lost an edited transcript because the cuts have moved", scene=edited.index, text=edited.transcript)


STAGE = Stage("scenes", order=30, label="Finding scenes", run=run, weight=30)
