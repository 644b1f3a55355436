"""P5: a plan over a million fresh scenes, against counting the same rows."""

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any

from bench.benchmark import Goal, Group
from bench.installation import empty_database

ROUNDS = 5
OWNERS, VIDEOS, SCENES = 20, 20_000, 50
DIMENSIONS = 384
COUNT = """SELECT count(*) FROM videos_scene scene JOIN videos_sceneembedding embedding ON embedding.scene_id = scene.id
    JOIN videos_embeddingspace space ON space.id = embedding.space_id
    JOIN videos_sceneinput input ON input.scene_id = scene.id AND input.channel = space.channel"""

FILL = (
    """INSERT INTO videos_video (id, owner_id, title, description, filename, mime_type, size_bytes, checksum, state, error_code,
                                 error_text, summary, tags, language, chapters, upload_expires_at, created_at, updated_at)
       SELECT gen_random_uuid(), owner.id, 'Film ' || n, '', 'film.mp4', 'video/mp4', 1, '', 'indexed', '',
              '', '', '[]', '', '[]', now(), now(), now()
       FROM generate_series(1, %(videos)s / %(owners)s) n, accounts_user owner""",
    """INSERT INTO videos_scene (id, video_id, owner_id, index, start_s, end_s, transcript, words, description, tags, visual_text,
                                 described_by, on_screen_text, read_by, other_keyframes_s, keyframe_hash, pictures_hash)
       SELECT gen_random_uuid(), video.id, video.owner_id, n, n, n + 1, '', '[]', '', '[]', '', '', '', '', '[]', '', ''
       FROM generate_series(0, %(scenes)s - 1) n, videos_video video ORDER BY 1""",
    """INSERT INTO videos_sceneinput (scene_id, owner_id, channel, hash)
       SELECT id, owner_id, channel,
              encode(sha256(convert_to(CASE channel WHEN 'summary' THEN video_id ELSE id END || channel, 'UTF8')), 'hex')
       FROM videos_scene, unnest(%(channels)s::text[]) channel ORDER BY id, channel""",
)
FILL_CHANNEL = """INSERT INTO videos_sceneembedding (scene_id, space_id, owner_id, state, vector, input_hash, error, computed_at)
    SELECT scene_id, %(space)s, owner_id, 'embedded', %(vector)s::halfvec, hash, '', now()
    FROM videos_sceneinput WHERE channel = %(channel)s ORDER BY scene_id"""


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the time of a plan as a ratio. Raise RuntimeError when it finds a stale vector, calls a model, or its memory grows."""
    import psutil
    from django.db import connection

    from heimdex.backends import get_text_embedder
    from reprocess.planning.scope import Scope
    from reprocess.runs.requests import plan_run

    empty_database()
    _fill()
    process = psutil.Process()
    plan_run(Scope("video", video_id=_get_first_video()), force=False)
    before, calls = process.memory_info().rss, get_text_embedder().calls
    for _ in range(ROUNDS):
        began = perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(COUNT)
            cursor.fetchone()
        counted_s = perf_counter() - began
        began = perf_counter()
        plan = plan_run(Scope("all"), force=False)
        planned_s = perf_counter() - began
        grown = (process.memory_info().rss - before) / 1e6
        if plan.stale or plan.model_calls or get_text_embedder().calls > calls or grown > 20:
            raise RuntimeError(f"{plan.stale} stale, {plan.model_calls} calls planned, {grown:.0f} MB more than for 50 scenes")
        yield {"P5": planned_s / counted_s}


def _get_first_video() -> Any:
    from videos.models import Video

    return Video.objects.values_list("pk", flat=True)[0]


def _fill() -> None:
    from django.db import connection

    from heimdex.accounts.models import User
    from reprocess.planning.targets import SCENES as SCENE_TYPE
    from reprocess.spec import get_effective_spec

    for number in range(OWNERS):
        User.objects.create(email=f"owner{number}@example.org")
    channels = get_effective_spec().list_channels(SCENE_TYPE)
    sizes: dict[str, Any] = {"owners": OWNERS, "videos": VIDEOS, "scenes": SCENES, "channels": [channel for _, channel in channels]}
    vector = "[" + ",".join(f"0.{place:03d}" for place in range(DIMENSIONS)) + "]"
    with connection.cursor() as cursor:
        # The rows are correct, so skip the checks of their references.
        cursor.execute("SET session_replication_role = replica")
        for statement in FILL:
            cursor.execute(statement, sizes)
        for configured, channel in channels:
            cursor.execute(FILL_CHANNEL, {"space": configured.ensure_space(channel).pk, "vector": vector, "channel": channel})
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")


GROUP = Group(
    (
        Goal(
            "P5",
            "plan of scope all, nothing stale, 1,000,000 scenes (no model call, memory + <= 20 MB)",
            "count(*) of the scenes joined with their rows and hashes",
            4.0,
            at_least=False,
        ),
    ),
    run_rounds,
)
