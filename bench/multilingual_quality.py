"""Q6: queries in five languages (set D) with the multilingual profile: to speech in the same language, and to English speech."""

from collections.abc import Iterator

from bench.benchmark import BenchmarkUnavailable, Goal, Group, Round, compute_smallest_margin
from bench.installation import empty_database, override_models
from bench.judged_library import Libraries
from bench.judged_sets import LANGUAGES, load_sentences
from bench.ranking_quality import MARGIN, OTHER_LANGUAGES, evaluate, get_fusion, make_part

PROFILE = "packaged-multilingual"
LEAST_NATIVE, LEAST_TO_ENGLISH = 0.92, 0.88


def run_rounds() -> Iterator[Round]:
    """Yield one round, because nothing is random. Raise BenchmarkUnavailable without such a profile."""
    from heimdex.environment import Environment
    from heimdex.profiles import PROFILES

    if PROFILE not in PROFILES:
        raise BenchmarkUnavailable(f"There is no profile {PROFILE}: the packaged sentence model understands English only.")
    with override_models(**PROFILES[PROFILE](Environment.load())):
        empty_database()
        libraries = Libraries()
        folder = libraries.folder
        for language in LANGUAGES:
            libraries.add(f"D {language}", load_sentences(folder, language, language))
        libraries.embed()
        parts = []
        for language in OTHER_LANGUAGES:
            native = evaluate(libraries, f"D {language}", load_sentences(folder, language, language))
            to_english = evaluate(libraries, "D en", load_sentences(folder, "en", language))
            parts.append(make_part(f"{language}, R@1", get_fusion(native), "r_1", LEAST_NATIVE))
            parts.append(make_part(f"{language} to English, R@1", get_fusion(to_english), "r_1", LEAST_TO_ENGLISH))
        yield {"Q6": compute_smallest_margin(parts)}


GROUP = Group(
    (Goal("Q6", "five languages with the multilingual profile (D): R@1 in the language and to English", "judgments", 0.0, MARGIN),),
    run_rounds,
)
