"""The other way round: the runs of the few test texts are indexed, and the training texts stream past once."""

import re
from collections import defaultdict


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    owners = defaultdict(set)
    for index, text in enumerate(test):
        tokens = re.findall(r"\w+", text.lower())
        if not tokens:
            continue
        size = min(n, len(tokens))
        for run in zip(*(tokens[shift:] for shift in range(size))):
            owners[run].add(index)
    sizes = sorted({len(run) for run in owners})
    hit = set()
    for text in train:
        tokens = re.findall(r"\w+", text.lower())
        for size in sizes:
            for run in zip(*(tokens[shift:] for shift in range(size))):
                hit |= owners.get(run, set())
    return sorted(hit)
