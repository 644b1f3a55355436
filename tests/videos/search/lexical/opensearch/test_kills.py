"""Commands that are killed while OpenSearch works for them lose nothing, and the next ones finish the work."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import ROOT, build_worker_environment
from tests.library import make_user, make_video
from tests.opensearch.proxy import HoldingProxy
from videos.actions.transcripts import edit_transcript
from videos.models import SearchChange
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.opensearch.backend import OpenSearchLexical

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def killed(transactional_db: None, opensearch: OpenSearchLexical, opensearch_url: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Return a list of processes that end before the tables are emptied."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("what", "held"),
    [("drain", "_bulk"), ("rebuild", "_bulk"), ("rebuild", "_refresh"), ("rebuild", "_aliases")],
    ids=["drain", "rebuild while it writes", "rebuild before it switches", "rebuild after it has switched"],
)
def test_a_killed_command_loses_nothing(
    opensearch: OpenSearchLexical, opensearch_url: str, killed: list[subprocess.Popen[bytes]], what: str, held: str
) -> None:
    owner = make_user()
    videos = [make_video(owner, ["A boat.", "A hat."]) for _ in range(3)]
    if what == "rebuild":
        opensearch.drain.run()
    proxy = HoldingProxy(opensearch_url, held)
    environment = {
        **build_worker_environment(),
        "HEIMDEX_LEXICAL": "opensearch",
        "HEIMDEX_OPENSEARCH_URL": proxy.url,
        "HEIMDEX_OPENSEARCH_INDEX": opensearch.names.alias.removesuffix("-scenes"),
    }
    process = subprocess.Popen([sys.executable, "manage.py", "search_index", what], cwd=ROOT, env=environment)
    killed.append(process)
    assert proxy.has_arrived.wait(120)
    process.kill()
    process.wait()
    proxy.release()
    edit_transcript(owner, videos[0].pk, videos[0].scenes.get(index=0).pk, "A goat.")
    answer = opensearch.search(LexicalQuery(owner.pk, "boat", 100))
    assert (sum(match.is_match for match in answer.matches["lexical"]), answer.notices) == (2, ())
    opensearch.drain.run()
    assert not SearchChange.objects.exists()
    assert opensearch.verifier.verify().is_clean
    if what == "rebuild":
        rebuilt = opensearch.rebuild.run()
        assert [index.name for index in opensearch.read_state().indexes] == [rebuilt.name]
        assert opensearch.verifier.verify().is_clean
