"""Runs that write the documents of a search index in OpenSearch."""

from collections.abc import Sequence

from heimdex.accounts.models import User
from reprocess.models import ReprocessRun
from reprocess.planning.plan import ChannelPlan, Plan
from reprocess.planning.scope import Scope
from reprocess.planning.search_index import SEARCH_INDEX
from reprocess.runs.requests import plan_run, start_run
from reprocess.runs.worker import run_worker
from tests.library import make_video
from videos.models import SearchChange, Video
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.opensearch.backend import OpenSearchLexical

ALL = Scope("all")


def make_old_video(owner: User, sayings: Sequence[str]) -> Video:
    video = make_video(owner, sayings)
    SearchChange.objects.filter(scene_id__in=video.list_scene_ids()).delete()
    return video


def start(scope: Scope = ALL, *, force: bool = False) -> ReprocessRun:
    return start_run(scope, force=force, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)


def work(run: ReprocessRun) -> ReprocessRun:
    run_worker(run.pk)
    run.refresh_from_db()
    return run


def count(run: ReprocessRun) -> tuple[int, int, int, int, int]:
    """Return planned, done, skipped, failed and not begun documents."""
    counter = run.counters.get(channel=SEARCH_INDEX)
    return (counter.planned, counter.done, counter.skipped, counter.failed, counter.not_begun)


def plan_documents(scope: Scope = ALL, *, force: bool = False) -> ChannelPlan:
    return get_documents(plan_run(scope, force=force))


def get_documents(plan: Plan) -> ChannelPlan:
    assert plan.channels[-1].step == SEARCH_INDEX
    return plan.channels[-1]


def search(backend: OpenSearchLexical, video: Video, text: str) -> tuple[int, tuple[str, ...]]:
    answer = backend.search(LexicalQuery(video.owner_id, text, 100))
    return sum(match.is_match for match in answer.matches["lexical"]), answer.notices
