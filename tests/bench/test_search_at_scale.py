"""The benchmarks of search at scale draw realistic queries, compare with the exact answer, and report what was short."""

import threading
import time
from uuid import UUID

import numpy as np
import pytest

from bench import busy_search, packing_build, recall, search_speed
from bench.benchmark import Group, Part, compute_smallest_margin, select_groups, summarize_rounds
from bench.busy_search import compare_loads
from bench.exact_search import NOTHING, NearestScenes, merge_chunk, pack_ids
from bench.probes import run_probe
from bench.recall import make_queries, summarize_recall
from bench.scale_words import STOP_WORDS, VOCABULARY, draw_queries, make_texts, make_word
from bench.search_load import Load, TimedSearch, run_alone, run_clients, summarize_searches
from bench.search_speed import LIMITS_MS, summarize_times

IDS = [UUID(int=number) for number in range(1, 31)]


def test_queries_have_three_words_of_the_scenes_without_the_most_frequent_ones() -> None:
    queries = draw_queries(500, seed=1)
    assert queries == draw_queries(500, seed=1) != draw_queries(500, seed=2)
    words = [word for query in queries for word in query.split(" ")]
    assert len(words) == 1500
    assert not set(words) & {make_word(rank) for rank in range(STOP_WORDS)}
    # As in speech: a few words are asked for often, and most of them once.
    assert 500 < len(set(words)) < 1400
    spoken = {word for _, vector, _ in make_texts() for word in vector.replace("'{}", "").replace("':", " ").split(" ")}
    assert len([word for word in words if word in spoken]) > 1350


def test_every_rank_has_a_word_of_its_own() -> None:
    words = {make_word(rank) for rank in range(VOCABULARY)}
    assert len(words) == VOCABULARY
    assert all(word.isascii() and word.isalpha() and len(word) > 2 for word in words)


def find_nearest_ten(similarities: list[float], chunk: int) -> NearestScenes:
    """Return the nearest scenes to one query of scenes that come in chunks."""
    nearest = [NOTHING]
    for start in range(0, len(similarities), chunk):
        part = np.array(similarities[start : start + chunk], np.float32)
        nearest = merge_chunk(nearest, pack_ids(IDS[start : start + len(part)]), part[:, np.newaxis])
    return nearest[0]


@pytest.mark.parametrize("chunk", [1, 7, 30])
def test_recall_is_the_share_of_the_ten_nearest_scenes_that_was_found(chunk: int) -> None:
    nearest = find_nearest_ten([number / 30 for number in range(30)], chunk)
    best = IDS[:-11:-1]
    assert nearest.compute_recall(best) == 1.0
    assert nearest.compute_recall(best[::-1]) == 1.0
    assert nearest.compute_recall([*best[:9], IDS[0]]) == 0.9
    assert nearest.compute_recall([IDS[0], *best]) == 0.9
    assert nearest.compute_recall(best[:4]) == 0.4
    assert nearest.compute_recall([]) == 0.0


def test_equally_near_scenes_are_as_good_as_each_other() -> None:
    nearest = find_nearest_ten([1.0] * 9 + [0.5] * 3 + [0.1] * 18, chunk=30)
    assert nearest.compute_recall([*IDS[:9], IDS[11]]) == 1.0
    assert nearest.compute_recall([*IDS[:9], IDS[12]]) == 0.9


def test_recall_counts_only_the_scenes_that_there_are() -> None:
    nearest = find_nearest_ten([0.9, 0.8, 0.7], chunk=30)
    assert nearest.compute_recall(IDS[:3]) == 1.0
    assert nearest.compute_recall(IDS[:2]) == pytest.approx(2 / 3)
    assert NOTHING.compute_recall([]) == 1.0


def test_like_queries_are_near_a_vector_and_unlike_ones_near_none() -> None:
    noise = np.random.default_rng(0)
    vectors = noise.standard_normal((10, 384)).astype(np.float32)
    queries = make_queries(vectors, noise)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.diag(queries["like"] @ unit.T).min() > 0.8
    assert (queries["unlike"] @ unit.T).max() < 0.4
    for drawn in queries.values():
        assert drawn.shape == (10, 384)
        assert np.linalg.norm(drawn, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_recall_is_that_of_the_worst_case() -> None:
    parts = [Part("near", 1.0, 0.98), Part("far", 0.95, 0.98)]
    (result,) = summarize_rounds(recall.GROUP.goals, [{"L3": summarize_recall(parts)}])
    assert (result.value, result.is_ok) == (0.95, False)
    assert [part["ok"] for part in result.as_data()["parts"]] == [True, False]


def test_the_time_of_a_search_is_held_against_the_limit_of_its_size() -> None:
    slow_s = {size: limit / 1000 - 0.01 for size, limit in LIMITS_MS.items()}
    slow_s[10_000] = 0.095
    goal = search_speed.GROUP.goals[0]
    quick = summarize_times({size: limit / 2000 for size, limit in LIMITS_MS.items()})
    (result,) = summarize_rounds([goal], [{"L1": summarize_times(slow_s)}, {"L1": quick}, {"L1": summarize_times(slow_s)}])
    assert result.value == pytest.approx(-5.0)
    assert not result.is_ok
    assert quick.value == pytest.approx(35.0)
    # Of each part the median of the rounds, as of the goal.
    assert [round(part.value, 6) for part in result.parts] == [60.0, 95.0, 190.0, 390.0]


def test_a_wait_begins_when_the_search_is_due() -> None:
    searches = [TimedSearch(number, number + 0.5, number + 0.5 + 0.01 * number, 200) for number in range(20)]
    load = summarize_searches([*searches[1:], searches[0]])
    assert load.median_s == pytest.approx(0.595)
    assert load.p95_s == pytest.approx(0.68)
    assert load.failed == 0
    assert summarize_searches([*searches[:19], TimedSearch(19, 19, 19.1, 503)]).failed == 1


def test_the_rate_falls_when_clients_come_late() -> None:
    on_time = [TimedSearch(number / 12, number / 12, number / 12 + 2.0, 200) for number in range(120)]
    assert summarize_searches(on_time).rate == pytest.approx(12.0)
    late = [TimedSearch(search.due_s, search.due_s * 1.2, search.due_s * 1.2 + 0.1, 200) for search in on_time]
    assert summarize_searches(late).rate == pytest.approx(10.0, abs=0.1)


def test_clients_take_turns_at_the_rate_and_keep_their_order() -> None:
    sent: list[int] = []

    def make_client(number: int):
        def send() -> int:
            sent.append(number)
            return 200

        return send

    searches = run_clients([make_client(number) for number in range(4)], rate=100, seconds=0.2)
    assert sorted(sent) == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    due = sorted(search.due_s for search in searches)
    assert np.diff(due) == pytest.approx(0.01)
    assert all(search.began_s >= search.due_s for search in searches)
    assert [search.status for search in run_alone([lambda: 200, lambda: 503], 3)] == [200, 503, 200]


def test_a_rate_that_is_not_held_and_failed_searches_are_no_result() -> None:
    alone = Load(0.1, 0.2, 9.0, 0)
    assert compare_loads(alone, Load(0.2, 0.5, 11.9, 0)) == pytest.approx(5.0)
    with pytest.raises(RuntimeError, match=r"10\.0 instead of 12 searches a second were started; 95 % took less than 4\.00 s"):
        compare_loads(alone, Load(2.0, 4.0, 10.0, 0))
    with pytest.raises(RuntimeError, match="3 searches were not answered"):
        compare_loads(alone, Load(0.2, 0.5, 12.0, 3))


def test_a_probe_notes_the_longest_time_and_every_error() -> None:
    turns = iter([0.0, 0.03, 0.0])

    def act() -> None:
        seconds = next(turns, None)
        if seconds is None:
            raise ValueError("no more turns")
        threading.Event().wait(seconds)

    with run_probe(act, pause_s=0.001) as probe:
        deadline = time.monotonic() + 10
        while probe.runs < 5 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert probe.longest_s >= 0.03
    assert len(probe.errors) == probe.runs - 3
    assert set(probe.errors) == {"ValueError: no more turns"}


def test_one_failed_search_during_the_packing_is_short() -> None:
    parts = [Part("packing, s", 100.0, 600.0, at_least=False), Part("failed", 1.0, 0.0, at_least=False)]
    (result,) = summarize_rounds(packing_build.GROUP.goals, [{"L5": compute_smallest_margin(parts)}])
    assert (result.value, result.is_ok) == (-1.0, False)


def test_they_run_among_the_long_benchmarks_or_when_they_are_named() -> None:
    groups: list[Group] = [search_speed.GROUP, recall.GROUP, busy_search.GROUP, packing_build.GROUP]
    assert [goal.id for group in groups for goal in group.goals] == ["L1", "L2", "L3", "L4", "L5"]
    assert select_groups(groups, []) == []
    assert select_groups(groups, [], is_long=True) == groups
    assert select_groups(groups, ["L2"]) == select_groups(groups, ["L2"], is_long=True) == [search_speed.GROUP]
