"""`scene_person`: whose faces are seen, in all of the scene's keyframes."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from heimdex.embedders.base import Embedder
from heimdex.faces import tracks
from heimdex.faces.base import FaceModel
from heimdex.storage import media_storage
from people.faces import replace_faces
from people.matching import match_faces
from people.models import SceneFace
from reprocess.steps.base import InputMissing, SceneStep
from reprocess.work import Found, Nothing, Outcome, Result, Work
from videos.models import EmbeddingSpace, Scene, Video

if TYPE_CHECKING:
    from PIL.Image import Image

_CHANNEL = EmbeddingSpace.Channel.PERSON.value
# The picture of a face shows so much more than the face on each side, as a share of its width and height.
_MARGIN = 0.35
_THUMBNAIL_PX = 160


class ScenePerson(SceneStep):
    name = "scene_person"
    order = 30
    code_version = 1
    channels = (_CHANNEL,)
    embedder_alias = "faces"
    params = {"pictures": "all keyframes"}
    composed_by = (tracks,)

    def work(self, video: Video, stale: Mapping[str, frozenset[UUID]]) -> Iterator[tuple[Scene, Work]]:
        fields = ("id", "video_id", "owner_id", "clip_hash", "person_hash", "start_s", "keyframe_time_s", "other_keyframes_s")
        for scene in Scene.objects.filter(pk__in=stale[_CHANNEL]).only(*fields).order_by("index"):
            keys = tuple(key for key, _ in scene.pictures) if scene.person_hash else ()
            yield scene, Work(scene.pk, scene.owner_id, _CHANNEL, scene.person_hash, keys)

    def load(self, work: Work, embedder: Embedder) -> "list[Image]":
        from PIL import Image

        pictures = []
        for key in work.source:
            try:
                with media_storage().open(str(key)) as file:
                    pictures.append(Image.open(io.BytesIO(file.read())).convert("RGB"))
            except (OSError, SyntaxError) as error:
                raise InputMissing(f"A keyframe cannot be read ({error}). Retry the video to make it anew.") from error
        return pictures

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        assert isinstance(embedder, FaceModel)
        return [_seen(embedder, pictures) for pictures in inputs]

    def store(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            for face, thumbnail in _faces(outcome):
                media_storage().save(face.thumbnail_key, thumbnail, "image/jpeg")

    def keep(self, outcomes: Sequence[Outcome], spaces: Mapping[str, EmbeddingSpace]) -> None:
        rows = [face for outcome in outcomes for face, _ in _faces(outcome)]
        for row in rows:
            row.space = spaces[_CHANNEL]
        scenes = [outcome.work.subject_id for outcome in outcomes]
        replace_faces(scenes, spaces[_CHANNEL], rows)
        # In order, so that two workers cannot wait for each other.
        for owner_id in sorted({row.owner_id for row in rows}):
            match_faces(owner_id, spaces, scenes)


def _seen(model: FaceModel, pictures: "Sequence[Image]") -> Result:
    """Return the tracks of one scene, each with a new key and the picture of its best face; the vector is that of the best of all."""
    found = tracks.joined(model.faces(pictures), model.calibration.threshold)
    if not found:
        return Nothing()
    return Found(found[0].best.vector, [(uuid4(), track, _thumbnail(pictures[track.picture], track)) for track in found])


def _faces(outcome: Outcome) -> Iterator[tuple[SceneFace, bytes]]:
    """Yield the rows of an outcome's faces, still without their space, and the picture of each."""
    scene = outcome.subject
    assert isinstance(scene, Scene)
    for key, track, thumbnail in outcome.detail or ():
        # Scenes of equal pictures share what was found.
        yield _row(uuid5(key, str(scene.pk)), scene, track), thumbnail


def _row(key: UUID, scene: Scene, track: tracks.Track) -> SceneFace:
    times = [scene.start_s if scene.keyframe_time_s is None else scene.keyframe_time_s, *scene.other_keyframes_s]
    seen = sorted(times[picture] for picture in track.pictures)
    face = track.best
    return SceneFace(
        pk=key,
        scene_id=scene.pk,
        video_id=scene.video_id,
        owner_id=scene.owner_id,
        time_s=times[track.picture],
        first_s=seen[0],
        last_s=seen[-1],
        left=face.box.left,
        top=face.box.top,
        right=face.box.right,
        bottom=face.box.bottom,
        quality=face.quality,
        side_px=face.side_px,
        vector=face.vector,
    )


def _thumbnail(picture: "Image", track: tracks.Track) -> bytes:
    cut = picture.crop(track.best.box.around(_MARGIN, picture.size))
    cut.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    jpeg = io.BytesIO()
    cut.save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()


STEP = ScenePerson()
