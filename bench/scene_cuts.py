"""V3 and V4: precision and recall of cuts in videos with known cuts."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.benchmark import Goal, Group
from bench.cut_videos import CutVideo, TrueCut, build_scripts, generate_video

# Each round generates other videos.
ROUNDS = 5
# The detector's constants were tuned on the videos of seeds 1 to 3, 7 and 11.
FIRST_SEED = 20
GRADUAL_S = 0.5
HARD_FRAMES = 2
# Rounding of times in the file.
_SLACK_S = 0.001
# Videos with hard cuts only, and without effects that look like cuts.
HARD = ("hard", "hard lively", "hard at 60 fps", "hard at 10 fps", "variable rate", "turned phone", "slides")
GRADUAL = ("dissolves", "fades", "slides")
IMPOSTORS = ("flashes", "moves", "one take")


@dataclass(frozen=True)
class Score:
    """The result for one video: true and detected cuts of each kind, and false cuts."""

    name: str
    hard: int
    hard_detected: int
    gradual: int
    gradual_detected: int
    false: int
    minutes: float


def score_cuts(video: CutVideo, detected: Sequence[float]) -> Score:
    """Match each true cut with at most one detected cut (seconds)."""
    left = list(detected)
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
        detected = sum(score.hard_detected + score.gradual_detected for score in same)
        false = sum(score.false for score in same)
        minutes = sum(score.minutes for score in same)
        recall, precision = detected / true if true else 1.0, detected / (detected + false) if detected + false else 1.0
        yield f"{name:16}  {true:4} cuts  recall {recall:.3f}  precision {precision:.3f}  false per minute {false / minutes:.2f}"


def compute_goals(scores: Sequence[Score]) -> Mapping[str, float]:
    """Return V3, the lower of precision and recall of hard cuts, and V4, the recall of gradual cuts, or 0 with too many false cuts."""
    hard = [score for score in scores if score.name in HARD]
    recall = sum(score.hard_detected for score in hard) / sum(score.hard for score in hard)
    detected = sum(score.hard_detected + score.gradual_detected for score in hard)
    precision = detected / max(1, detected + sum(score.false for score in hard))
    gradual = [score for score in scores if score.name in GRADUAL]
    impostors = [score for score in scores if score.name.startswith(IMPOSTORS)]
    false_per_minute = sum(score.false for score in impostors) / sum(score.minutes for score in impostors)
    gradual_recall = sum(score.gradual_detected for score in gradual) / sum(score.gradual for score in gradual)
    return {"V3": min(recall, precision), "V4": gradual_recall if false_per_minute <= 1 else 0.0}


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
            round_scores = [
                detect_cuts(generate_video(script, Path(folder) / f"{place}.mp4"))
                for place, script in enumerate(build_scripts(seed).values())
            ]
        scores += round_scores
        yield compute_goals(round_scores)
    for line in format_scores(scores):
        print("   ", line)


GROUP = Group(
    (
        Goal("V3", "hard cuts within two frames: the lower of precision and recall", "films whose cuts are known", 0.98, unit=""),
        Goal(
            "V4",
            "recall of dissolves and fades within half a second; 0 if flashes and camera moves cause more than one false cut per minute",
            "films whose cuts are known",
            0.95,
            unit="",
        ),
    ),
    run_rounds,
)
