"""Find where the topic of a text changes, from the words that occur together. Pure."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

# English words of at least four letters without a topic. In other languages such words are evenly spread, so they have little effect.
_STOP_WORDS = frozenset(
    """about above actually after again against almost along also although always among another anyone anything around back because been
    before began begin being below best between both call called came cannot come comes coming could course does doing done down during each
    easy either else enough even ever every everyone everything exactly fact feel find first from gave getting give given goes going gone
    gonna good great half have having hear hello help here hers high himself however https indeed inside instead into itself just keep kept
    kind knew know known last later least left less like likely little long look looked looking lots made make makes making many maybe mean
    means might mine more most much must myself near need needs never next nothing okay once only onto other others ours ourselves over part
    people perhaps please point pretty probably quite rather really right said same says seem seemed seen seems several shall should show
    shown shows since small some somebody someone something sometimes soon sort still stuff such sure take taken takes taking talk tell than
    thank thanks that their theirs them themselves then there these they thing things think this those though thought three through till
    time times together told took toward towards tried tries true trying turn under understand until upon used uses using usually very want
    wanted wants watch welcome well went were what whatever when where whether which while whole whom whose will with within without wonder
    word words work would yeah year years your yours yourself""".split()  # noqa: SIM905
)
# The count that each word of the video has in a topic before the topic starts (a symmetric Dirichlet prior). Measured on 60 chains of 3 to
# 7 real texts: 91 % of the boundaries are found within one block of 50 words, and 4 % of all are wrong; with 1, 95 % and 17 %.
PRIOR = 2.0
_WORD = re.compile(r"[^\W\d_]{4,}")


def extract_topic_words(text: str) -> list[str]:
    """Return the words that distinguish topics, in order: at least four letters, lower case, without a plural s."""
    return [stem(word) for word in _WORD.findall(text) if word.casefold() not in _STOP_WORDS]


def stem(word: str) -> str:
    """Return a word in lower case without a final plural s."""
    word = word.casefold()
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


def find_topic_starts(blocks: Sequence[Sequence[str]], lengths_s: Sequence[float], shortest_s: float) -> list[int]:
    """Return the indexes of the blocks at which a topic starts. The first block is always one of them.

    `blocks` are the words of consecutive stretches of a text, `lengths_s` their durations. No topic is shorter than `shortest_s` seconds.
    The result is the most probable division if each topic draws its words from its own distribution, marginalized over all distributions
    (the Dirichlet compound multinomial of Eisenstein and Barzilay, "Bayesian Unsupervised Topic Segmentation", EMNLP 2008, section 3,
    here word by word), and a topic is equally likely to start anywhere. The time is proportional to blocks times words.
    """
    costs, first_blocks = [0.0] + [math.inf] * len(blocks), [0] * (len(blocks) + 1)
    smoothing = PRIOR * len({word for block in blocks for word in block})
    ends = list(accumulate(lengths_s, initial=0.0))
    # For a topic that starts at each block: the cost of its words, each given the previous ones, and thus the best division up to each end.
    for first in range(len(blocks)):
        cost, number, counts = costs[first] + math.log(len(blocks)), 0, Counter[str]()
        if cost == math.inf:
            continue
        for last in range(first, len(blocks)):
            for word in blocks[last]:
                cost += math.log((number + smoothing) / (counts[word] + PRIOR))
                counts[word] += 1
                number += 1
            if cost < costs[last + 1] and ends[last + 1] - ends[first] >= shortest_s:
                costs[last + 1], first_blocks[last + 1] = cost, first
    starts = [first_blocks[-1]] if blocks else []
    while starts and starts[0]:
        starts.insert(0, first_blocks[starts[0]])
    return starts
