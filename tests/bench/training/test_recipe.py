"""The recipe of the ranking's weights follows judgments, and writes what search reads."""

import json
from collections import defaultdict
from uuid import UUID

import pytest

from bench.training.candidates import JudgedCandidates
from bench.training.recipe import DEPTH, dump_model, fit_likely, fit_probability, improve_weights, measure_group, rank_candidates
from videos.search.fusion import RankedScene
from videos.search.ranking_model import RankingModel, get_ranking_model

FILM = UUID(int=99)


def make_query(*candidates: tuple[dict[str, float], int], group: str = "A", is_in_film: bool = False) -> JudgedCandidates:
    pools: defaultdict[str, list[RankedScene]] = defaultdict(list)
    for number, (certainties, _) in enumerate(candidates):
        for channel, certainty in certainties.items():
            pools[channel].append(RankedScene(UUID(int=number), FILM, channel, 1, certainty, certainty))
    grades = {UUID(int=number): grade for number, (_, grade) in enumerate(candidates) if grade}
    return JudgedCandidates(group, "boat", {}, list(pools.values()), grades, is_in_film)


def test_a_channel_that_judges_prefer_gains_weight() -> None:
    model = get_ranking_model()
    queries = [make_query(({"lexical": 0.40}, 0), ({"transcript": 1.6}, 1))] * 3
    assert measure_group(model, queries, "A") < 1
    trained = improve_weights(model, queries)
    assert trained.scales["transcript"] > model.scales["transcript"]
    assert measure_group(trained, queries, "A") == 1
    assert {name: trained.scales[name] for name in ("clip", "visual", "lexical")} == {
        name: model.scales[name] for name in ("clip", "visual", "lexical")
    }


def test_weights_that_judgments_say_nothing_about_stay() -> None:
    model = get_ranking_model()
    assert improve_weights(model, [make_query(({"clip": 2.0}, 1), ({"clip": 1.0}, 0))]) == model


def test_the_probability_is_the_share_of_relevant_results() -> None:
    queries = [make_query(({"lexical": 0.9}, int(number < 8)), ({"lexical": 0.1}, int(number < 1))) for number in range(10)]
    model = fit_probability(get_ranking_model(), queries)
    ranked = [rank_candidates(model, query) for query in queries]
    shown = {scene.score: scene.probability for scenes in ranked for scene in scenes}
    assert list(shown.values()) == pytest.approx([0.8, 0.1], abs=0.01)


def test_a_result_is_likely_where_most_answerable_queries_have_one() -> None:
    queries = [make_query(({"lexical": 0.02 * number}, 1)) for number in range(1, 51)]
    model = fit_likely(get_ranking_model(), queries)
    best = [rank_candidates(model, query)[0].probability for query in queries]
    assert sum(probability >= model.likely for probability in best) / len(best) >= 0.98
    assert sum(probability >= model.likely + 0.02 for probability in best) / len(best) <= 0.98


def test_a_candidate_without_a_match_and_more_than_ten_of_a_film_are_not_ranked() -> None:
    noise = RankedScene(UUID(int=7), FILM, "clip", 1, 0.1, -0.5, is_match=False)
    query = JudgedCandidates("A", "boat", {}, [[noise]], {noise.scene_id: 1})
    assert rank_candidates(get_ranking_model(), query) == []
    many = make_query(*[({"lexical": 0.5}, 0)] * 15)
    assert len(rank_candidates(get_ranking_model(), many)) == DEPTH


def test_what_is_written_is_what_search_reads() -> None:
    model = get_ranking_model()
    text = dump_model(model)
    parsed = RankingModel.parse(text)
    assert {**json.loads(text), "version": ""} == {**json.loads(dump_model(parsed)), "version": ""}
    assert (parsed.scales, parsed.evidence, parsed.likely) == (model.scales, model.evidence, model.likely)
