"""How much a classifier gains from sentences on the same film in training, as far as the sentences show the film.

The data of 2.08 name no film. But some sentences name one, or an actor or a director. Two that share such a name are
one group here. A bag of words classifies each of them twice, in tenfold cross-validation: with the rest of its group
in training, and with as many other sentences instead. Takes minutes on a CPU.

python figures/module02_film_leak.py
"""

import itertools
import json
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

from drawing import ROOT
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import KFold

from tunelings.course import data_folder
from tunelings.handson import reviews

NAME = Path(__file__).stem
# Two capitalized words or more, such as "Sean Penn", "Blue Crush", "Lord of the Rings".
PROPER_NAME = re.compile(r"[A-Z][\w'’]+(?: (?:of the |of |the )?[A-Z][\w'’]+)+")
MOST = 12  # A name in more sentences than that is a place or a war, and no film.
FOLDS = 10
EXAMPLE = "Stealing Harvard"


def sentences_by_name(texts):
    """The names that 2 to MOST sentences share, each with the places of these sentences."""
    places = defaultdict(list)
    for i, text in enumerate(texts):
        for name in sorted(set(PROPER_NAME.findall(text))):
            places[name].append(i)
    return {name: found for name, found in places.items() if 2 <= len(found) <= MOST}


def film_groups(texts):
    """A number for each text; texts that share a name, directly or over others, have the same one."""
    links = [(found[0], i) for found in sentences_by_name(texts).values() for i in found[1:]]
    rows, columns = zip(*links, strict=True)
    graph = coo_array(([1] * len(links), (rows, columns)), shape=(len(texts), len(texts)))
    return connected_components(graph, directed=False)[1].tolist()


def with_and_without(texts, labels, groups):
    """Of the texts with others of their group in training: true labels, what is said with those, and without them."""
    rng, rows = random.Random(0), []
    members = defaultdict(set)
    for i, group in enumerate(groups):
        members[group].add(i)
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(texts):
        train = set(train.tolist())
        known = [i for i in test.tolist() if members[groups[i]] & train]
        siblings = {j for i in known for j in members[groups[i]] & train}
        others = set(rng.sample(sorted(train - siblings), len(siblings)))
        asked, said = [texts[i] for i in known], []
        for left_out in (others, siblings):
            kept = sorted(train - left_out)
            said.append(reviews.bag_of_words([texts[i] for i in kept], [labels[i] for i in kept], asked))
        rows += zip([labels[i] for i in known], *said, strict=True)
        print(len(rows), flush=True)
    return zip(*rows, strict=True)


def main():
    texts, labels = reviews.load_reviews(data_folder("sentiment"))
    by_name, groups = sentences_by_name(texts), film_groups(texts)
    sizes = Counter(groups)
    pairs = {pair for found in by_name.values() for pair in itertools.combinations(found, 2)}
    true, with_group, without = with_and_without(texts, labels, groups)
    results = {
        "sentences": len(texts),
        "names": len(by_name),
        "in_a_group": sum(size for size in sizes.values() if size > 1),
        "groups": sum(size > 1 for size in sizes.values()),
        "largest_group": max(sizes.values()),
        "example": {"name": EXAMPLE, "sentences": [[texts[i], labels[i]] for i in by_name[EXAMPLE]]},
        "pairs": len(pairs),
        "pairs_of_one_label": round(sum(labels[i] == labels[j] for i, j in pairs) / len(pairs), 4),
        "tested": len(true),
        "with": [round(value, 4) for value in reviews.score(with_group, true)],
        "without": [round(value, 4) for value in reviews.score(without, true)],
        "difference": [round(value, 4) for value in reviews.compare(with_group, without, true)],
    }
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    (ROOT / "figures" / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
