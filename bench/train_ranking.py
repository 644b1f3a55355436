"""`python -m bench.train_ranking`: learn the weights of the ranking from the judged sets, and write videos/search/ranking_model.json.

`bench/training/recipe.py` has the recipe, whose imports need a configured Django.
"""

import sys

from bench.benchmark import BenchmarkUnavailable
from bench.installation import set_up_installation
from bench.judged_sets import find_folder


def main() -> None:
    """Train, print what changes, and write the model."""
    try:
        find_folder()
    except BenchmarkUnavailable as error:
        sys.exit(str(error))
    with set_up_installation():
        from bench.training.candidates import collect_candidates
        from bench.training.recipe import dump_model, measure_group, train
        from videos.search.ranking_model import MODEL_FILE, get_ranking_model

        queries = list(collect_candidates())
    before = get_ranking_model()
    trained = train(before, queries)
    for group in sorted({query.group for query in queries if query.grades}):
        means = [measure_group(model, queries, group) for model in (before, trained)]
        print(f"{group:30} nDCG@10 {means[0]:.3f} → {means[1]:.3f}")
    MODEL_FILE.write_text(dump_model(trained) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
