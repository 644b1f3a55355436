"""`scene_person`: the faces in all keyframes of a scene."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from heimdex.accounts.models import User
from heimdex.embedders.base import Embedder
from heimdex.faces import tracks
from heimdex.faces.base import FaceModel
from heimdex.storage import get_media_storage
from people.channels import PERSON
from people.face_store import replace_faces
from people.matching import match_faces
from people.models import SceneFace
from reprocess.steps.base import InputMissing, SceneStep
from reprocess.steps.embedding_task import Detection, EmbeddingTask, NoContent, Outcome, Result
from videos.channels import FIND_FACES, KEYFRAMES, Channel
from videos.input_hashes import SceneContent
from videos.models import EmbeddingSpace, Scene

if TYPE_CHECKING:
    from PIL.Image import Image

# The margin on each side of a face in its thumbnail, as a share of the face's width and height.
_MARGIN = 0.35
_THUMBNAIL_PX = 160


class ScenePersonStep(SceneStep):
    name = "scene_person"
    order = 30
    code_version = 1
    fills = (Channel(PERSON, (KEYFRAMES, FIND_FACES), searched_by_text=False, evidence="people", label="people"),)
    embedder_alias = "faces"
    params = {"pictures": "all keyframes"}

    def compose_inputs(self, video_id: UUID) -> Iterator[tuple[Scene, Mapping[str, SceneContent]]]:
        # Owners who have turned faces off have nothing to embed.
        find_faces = User.objects.filter(videos=video_id).values_list("find_faces", flat=True).first()
        for scene in Scene.objects.filter(video=video_id).defer("words").order_by("index"):
            keys = tuple(key for key, _ in scene.image_keys)
            yield scene, {PERSON: SceneContent(scene.pictures_hash if find_faces and keys else "", keys)}

    def prepare(self, task: EmbeddingTask, embedder: Embedder) -> "list[Image]":
        from PIL import Image

        images = []
        for key in task.source:
            try:
                with get_media_storage().open(str(key)) as file:
                    images.append(Image.open(io.BytesIO(file.read())).convert("RGB"))
            except (OSError, SyntaxError) as error:
                raise InputMissing(f"A keyframe cannot be read ({error}). Retry the video to rebuild it.") from error
        return images

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        assert isinstance(embedder, FaceModel)
        return [_detect(embedder, images) for images in inputs]

    def upload_artifacts(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            for face, thumbnail in _build_faces(outcome):
                get_media_storage().save(face.thumbnail_key, thumbnail, "image/jpeg")

    def persist(self, outcomes: Sequence[Outcome], spaces: Mapping[str, EmbeddingSpace]) -> None:
        rows = [face for outcome in outcomes for face, _ in _build_faces(outcome)]
        for row in rows:
            row.space = spaces[PERSON]
        scenes = [outcome.task.target_id for outcome in outcomes]
        replace_faces(scenes, spaces[PERSON], rows)
        # Sorted, so that two workers cannot deadlock.
        for owner_id in sorted({row.owner_id for row in rows}):
            match_faces(owner_id, spaces, scenes)


def _detect(model: FaceModel, images: "Sequence[Image]") -> Result:
    """Return the tracks of one scene, each with a key and the thumbnail of its best face; the vector is the best face's of all."""
    joined = tracks.join_tracks(model.find_faces(images), model.calibration.threshold)
    if not joined:
        return NoContent()
    return Detection(joined[0].best.vector, [(uuid4(), track, _make_thumbnail(images[track.image], track)) for track in joined])


def _build_faces(outcome: Outcome) -> Iterator[tuple[SceneFace, bytes]]:
    """Yield the rows of an outcome's faces, without their space, each with its thumbnail (JPEG)."""
    scene = outcome.target
    assert isinstance(scene, Scene)
    for key, track, thumbnail in outcome.detail or ():
        # Scenes with equal images share one detection.
        yield _build_row(uuid5(key, str(scene.pk)), scene, track), thumbnail


def _build_row(key: UUID, scene: Scene, track: tracks.Track) -> SceneFace:
    times = [scene.start_s if scene.keyframe_time_s is None else scene.keyframe_time_s, *scene.other_keyframes_s]
    seen = sorted(times[position] for position in track.images)
    face = track.best
    return SceneFace(
        pk=key,
        scene_id=scene.pk,
        video_id=scene.video_id,
        owner_id=scene.owner_id,
        time_s=times[track.image],
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


def _make_thumbnail(image: "Image", track: tracks.Track) -> bytes:
    thumbnail = image.crop(track.best.box.expand(_MARGIN, image.size))
    thumbnail.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    jpeg = io.BytesIO()
    thumbnail.save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()


STEP = ScenePersonStep()
