"""V3 and V4: precision and recall of cuts in videos with known cuts."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.benchmark import Goal, Group
from bench.cut_videos import CutVideo, TrueCut, build_scripts, generate_video

# Each round generates other videos.
ROUNDS = 5
# The constants of the detector were chosen on the videos of seeds 1 to 3, 7 and 11.
FIRST_SEED = 20
GRADUAL_S = 0.5
HARD_FRAMES = 2
# Rounding of times in the file.
_SLACK_S = 0.001
# All cuts in these are hard, and nothing else looks like a cut.
HARD = ("hard", "hard lively", "hard at 60 fps", "hard at 10 fps", "variable rate", "turned phone", "slides")
GRADUAL = ("dissolves", "fades", "slides")
IMPOSTORS = ("flashes", "moves", "one take")


@dataclass(frozen=True)
class Score:
    """The result for one video: true cuts and found cuts of each kind, and false cuts."""

    name: str
    hard: int
    hard_found: int
    gradual: int
    gradual_found: int
    false: int
    minutes: float


def score_cuts(video: CutVideo, found: Sequence[float]) -> Score:
    """Compare the found cuts (seconds) with the true cuts, each with at most one."""
    left = list(found)
    hits = {cut: _take_nearest(left, cut, video) for cut in video.cuts}
    hard = [cut for cut in video.cuts if cut.kind == "hard"]
    gradual = [cut for cut in video.cuts if cut.kind != "hard"]
    return Score(
        video.name,
        len(hard),
        sum(hits[cut] for cut in hard),
        len(gradual),
        sum(hits[cut] for cut in gradual),
        len(left),
        video.duration_s / 60,
    )


def _take_nearest(left: list[float], cut: TrueCut, video: CutVideo) -> bool:
    tolerance = GRADUAL_S if cut.kind != "hard" else HARD_FRAMES * video.longest_frame_s + _SLACK_S
    nearest = min(left, key=lambda time_s: abs(time_s - cut.time_s), default=None)
    if nearest is None or abs(nearest - cut.time_s) > tolerance:
        return False
    left.remove(nearest)
    return True


def format_scores(scores: Sequence[Score]) -> Iterator[str]:
    """Yield a line per kind of video: recall, precision, and false cuts per minute."""
    for name in dict.fromkeys(score.name for score in scores):
        same = [score for score in scores if score.name == name]
        true = sum(score.hard + score.gradual for score in same)
        found = sum(score.hard_found + score.gradual_found for score in same)
        false = sum(score.false for score in same)
        minutes = sum(score.minutes for score in same)
        recall, precision = found / true if true else 1.0, found / (found + false) if found + false else 1.0
        yield f"{name:16}  {true:4} cuts  recall {recall:.3f}  precision {precision:.3f}  false a minute {false / minutes:.2f}"


def compute_goals(scores: Sequence[Score]) -> Mapping[str, float]:
    """Return V3, the lesser of precision and recall of hard cuts, and V4, the recall of gradual cuts or 0 with too many false cuts."""
    hard = [score for score in scores if score.name in HARD]
    recall = sum(score.hard_found for score in hard) / sum(score.hard for score in hard)
    found = sum(score.hard_found + score.gradual_found for score in hard)
    precision = found / max(1, found + sum(score.false for score in hard))
    gradual = [score for score in scores if score.name in GRADUAL]
    impostors = [score for score in scores if score.name.startswith(IMPOSTORS)]
    false_a_minute = sum(score.false for score in impostors) / sum(score.minutes for score in impostors)
    gradual_recall = sum(score.gradual_found for score in gradual) / sum(score.gradual for score in gradual)
    return {"V3": min(recall, precision), "V4": gradual_recall if false_a_minute <= 1 else 0.0}


def detect_cuts(video: CutVideo) -> Score:
    """Detect the cuts of a video as the ingest does."""
    from heimdex.media.probe import probe
    from heimdex.media.scenes import iter_scenes

    return score_cuts(video, [scene.span.start_s for scene in iter_scenes(video.path, probe(video.path))][1:])


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield V3 and V4 of one set of videos per round, and print a line per kind of video."""
    scores: list[Score] = []
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        with tempfile.TemporaryDirectory(prefix="heimdex-cuts-") as folder:
            found = [
                detect_cuts(generate_video(script, Path(folder) / f"{place}.mp4"))
                for place, script in enumerate(build_scripts(seed).values())
            ]
        scores += found
        yield compute_goals(found)
    for line in format_scores(scores):
        print("   ", line)


GROUP = Group(
    (
        Goal("V3", "hard cuts within two frames: the lesser of precision and recall", "films whose cuts are known", 0.98, unit=""),
        Goal(
            "V4",
            "recall of dissolves and fades within half a second; 0 if flashes and moves make more than one false cut a minute",
            "films whose cuts are known",
            0.95,
            unit="",
        ),
    ),
    run_rounds,
)
