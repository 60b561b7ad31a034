"""Augmentation that helps, that hurts, and that only seems to help, on the film reviews of data/sentiment.

python figures/module04_augment.py

A bag of words learns from 300 or 1,000 reviews, alone or with four new versions of each. The versions come from a table
of synonyms written for this page, with negations protected or swapped, or from the nearest neighbors of the same words
among MiniLM's word vectors (`tunelings models get minilm`; without it that way is left out).
"""

import json
import random
import re
import sys
from pathlib import Path
from statistics import mean, stdev

import matplotlib
from drawing import ROOT, drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path[:0] = [str(ROOT), str(ROOT / "solutions" / "module04")]
import ex05_augment  # noqa: E402
from ex05_augment import NEGATIONS, WORD, augment_train_only  # noqa: E402

from tunelings.course import data_folder  # noqa: E402
from tunelings.handson import models  # noqa: E402
from tunelings.handson.reviews import load_reviews  # noqa: E402

SIZES = [300, 1000]
SEEDS = range(8)
VERSIONS = 4
TEST = 3000
KINDS = ("all", "unseen word", "negation")
WAYS = ("four copies", "synonyms by hand", "by hand, negations swapped", "nearest vectors")

# Words of one line mean nearly the same in a film review.
LINES = """
dull boring tedious bland lifeless tiresome monotonous
funny amusing hilarious comical humorous uproarious
bad poor awful lousy terrible dreadful horrible
great superb excellent terrific wonderful marvelous magnificent
beautiful lovely gorgeous exquisite ravishing stunning
charming delightful winning endearing engaging likable
clever smart witty shrewd ingenious sharp
interesting intriguing absorbing fascinating gripping compelling riveting
entertaining enjoyable diverting pleasing satisfying
moving touching affecting poignant heartfelt stirring
silly foolish ridiculous absurd inane ludicrous
stupid dumb idiotic moronic mindless brainless
predictable formulaic derivative unoriginal hackneyed routine
powerful forceful potent intense vigorous
original inventive fresh imaginative innovative
fails stumbles flops falters disappoints
lacks misses wants needs
fun pleasure joy delight treat
strong solid sturdy robust
weak feeble thin flimsy limp
slow sluggish plodding leaden ponderous
mess muddle jumble shambles
brilliant dazzling masterful virtuoso accomplished
sweet tender gentle warm
worst poorest lousiest
best finest greatest
empty hollow shallow superficial vacuous
stale tired worn trite
clumsy awkward inept amateurish
pretentious pompous smug
thoughtful intelligent perceptive insightful
honest sincere truthful
annoying irritating grating
ugly unpleasant nasty
waste squandering
boredom tedium
laughs jokes gags
film movie picture
story tale narrative
""".strip().splitlines()
SYNONYMS = {word: [other for other in line.split() if other != word] for line in LINES for word in line.split()}

# What a careless table makes of a negation: its opposite.
OPPOSITES = {
    "not": "really", "no": "some", "never": "always", "none": "all", "nothing": "something", "nobody": "everybody",
    "neither": "both", "nor": "or", "without": "with", "hardly": "fully", "barely": "fully", "cannot": "can",
    "isn't": "is", "aren't": "are", "wasn't": "was", "weren't": "were", "don't": "do", "doesn't": "does",
    "didn't": "did", "hasn't": "has", "haven't": "have", "can't": "can", "won't": "will", "wouldn't": "would",
    "couldn't": "could", "shouldn't": "should",
}  # fmt: skip


def neighbors():
    """For each word of the table the three words whose vectors are nearest to its own; None without MiniLM."""
    try:
        folder = models.find("minilm")
    except FileNotFoundError as error:
        print(f"without MiniLM: {error}")
        return None
    from transformers import AutoModel, AutoTokenizer

    vectors = AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach()
    vectors = vectors / vectors.norm(dim=1, keepdim=True)
    number_of = AutoTokenizer.from_pretrained(folder).get_vocab()
    word_of = {number: word for word, number in number_of.items()}
    table = {}
    for word in sorted({*SYNONYMS, "never", "without"}):
        if word in number_of:
            near = (vectors @ vectors[number_of[word]]).topk(20).indices.tolist()
            table[word] = [word_of[i] for i in near if word_of[i].isalpha() and word_of[i] != word][:3]
    return table


def protected(synonyms):
    def way(records, rng):
        return augment_train_only({"train": records}, rng, VERSIONS, synonyms=synonyms)["train"]

    return way


def negations_swapped(records, rng):
    """As if `augment` knew no negations, with a table that has their opposites."""
    ex05_augment.NEGATIONS = frozenset()
    try:
        return protected(SYNONYMS | {word: [other] for word, other in OPPOSITES.items()})(records, rng)
    finally:
        ex05_augment.NEGATIONS = NEGATIONS


def swapped(pool):
    """Of the new texts of reviews with a negation, how many lack one: with negations swapped, and protected."""
    negated = {one["id"]: words_of(one) & NEGATIONS for one in pool if words_of(one) & NEGATIONS}
    records = [one for one in pool if one["id"] in negated]
    shares = {}
    for name, way in (("swapped", negations_swapped), ("protected", protected(SYNONYMS))):
        new = way(records, random.Random(0))[len(records) :]
        shares[name] = round(mean(not negated[one["source"]] <= words_of(one) for one in new), 4)
    return shares


def ways_to_augment(near):
    ways = {
        "nothing added": lambda records, rng: records,
        "four copies": lambda records, rng: records * (1 + VERSIONS),
        "synonyms by hand": protected(SYNONYMS),
        "by hand, negations swapped": negations_swapped,
    }
    if near:
        ways["nearest vectors"] = protected({word: others for word, others in near.items() if word in SYNONYMS})
    return ways


def words_of(one):
    return {word.lower() for word in re.findall(WORD, one["text"])}


def bag_of_words():
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=1000))


def nearest():
    return make_pipeline(TfidfVectorizer(), KNeighborsClassifier(1))


def hits(classifier, test):
    """For each record whether it is classified rightly."""
    predicted = classifier.predict([one["text"] for one in test])
    return [p == one["label"] for p, one in zip(predicted, test, strict=True)]


def fitted(classifier, train):
    return classifier.fit([one["text"] for one in train], [one["label"] for one in train])


def learning(pool, test, ways):
    """The accuracy of each way for each size and seed: on all test reviews, and on two kinds of them."""
    words = [words_of(one) for one in test]
    found = {name: {size: {kind: [] for kind in KINDS} for size in SIZES} for name in ways}
    counts = {size: {kind: [] for kind in KINDS} for size in SIZES}
    for size in SIZES:
        for seed in SEEDS:
            records = random.Random(seed).sample(pool, size)
            known = set().union(*map(words_of, records))
            members = {
                "all": [True] * len(test),
                "unseen word": [any(word in SYNONYMS and word not in known for word in of) for of in words],
                "negation": [bool(of & NEGATIONS) for of in words],
            }
            for kind in KINDS:
                counts[size][kind].append(sum(members[kind]))
            for name, way in ways.items():
                right = hits(fitted(bag_of_words(), way(records, random.Random(seed))), test)
                for kind in KINDS:
                    of_kind = [r for r, member in zip(right, members[kind], strict=True) if member]
                    found[name][size][kind].append(mean(of_kind))
    return found, {str(size): {kind: round(mean(n), 1) for kind, n in of.items()} for size, of in counts.items()}


def before_the_split(pool, test):
    """Augment 1,000 reviews and then split them, or split first: what its own test says, and what new reviews do."""
    found = {}
    for kind, make in (("bag of words", bag_of_words), ("nearest neighbor", nearest)):
        rows = {
            name: {"own test": [], "new reviews": []} for name in ("augmented, then split", "split, then augmented")
        }
        for seed in SEEDS:
            rng = random.Random(seed)
            records = rng.sample(pool, 1000)
            mixed = protected(SYNONYMS)(records, rng)
            rng.shuffle(mixed)
            cut = len(mixed) // 5
            for name, train, own_test in (
                ("augmented, then split", mixed[cut:], mixed[:cut]),
                ("split, then augmented", protected(SYNONYMS)(records[200:], rng), records[:200]),
            ):
                classifier = fitted(make(), train)
                rows[name]["own test"].append(mean(hits(classifier, own_test)))
                rows[name]["new reviews"].append(mean(hits(classifier, test)))
        found[kind] = {name: {where: summary(v) for where, v in of.items()} for name, of in rows.items()}
    return found


def summary(values):
    return {"mean": round(mean(values), 4), "sd": round(stdev(values), 4)}


def main():
    reviews = load_reviews(data_folder("sentiment"))
    records = [
        {"id": f"r{i}", "text": text, "label": label}
        for i, (text, label) in enumerate(zip(reviews.texts, reviews.labels, strict=True))
    ]
    random.Random(0).shuffle(records)
    test, pool = records[:TEST], records[TEST:]
    near = neighbors()
    results = {
        "words in the table": len(SYNONYMS),
        "reviews with a word of the table": round(mean(bool(words_of(one) & set(SYNONYMS)) for one in pool), 4),
        "reviews with a negation": round(mean(bool(words_of(one) & NEGATIONS) for one in pool), 4),
        "before the split": before_the_split(pool, test),
        "new texts of reviews with a negation that swap it": swapped(pool),
    }
    if near:
        shown = ("good", "best", "dull", "strong", "weak", "predictable", "never", "without")
        results["nearest vectors"] = {word: near[word] for word in shown if word in near}
    print(json.dumps(results, indent=2))
    found, results["test reviews"] = learning(pool, test, ways_to_augment(near))
    plain = found["nothing added"]
    results["accuracy with nothing added"] = {
        kind: {str(size): summary(plain[size][kind]) for size in SIZES} for kind in KINDS
    }
    results["difference to nothing added"] = {
        kind: {
            name: {
                str(size): summary([a - b for a, b in zip(of[size][kind], plain[size][kind], strict=True)])
                for size in SIZES
            }
            for name, of in found.items()
            if name != "nothing added"
        }
        for kind in KINDS
    }
    print(json.dumps({name: results[name] for name in ("test reviews", "accuracy with nothing added")}, indent=2))
    for kind, table in results["difference to nothing added"].items():
        for name, of in table.items():
            cells = "  ".join(f"{size}: {100 * v['mean']:+.1f} ± {100 * v['sd']:.1f}" for size, v in of.items())
            print(f"{kind}, {name}, points over nothing added:  {cells}")
    text = json.dumps(results, indent=2, sort_keys=True)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results["difference to nothing added"])


def draw(tables):
    titles = {
        "all": "all test reviews",
        "unseen word": "those with a word of the table that training lacked",
        "negation": "those with a negation",
    }
    drawn = [name for name in WAYS if name in tables["all"]]
    figure, panels = plt.subplots(3, 1, figsize=(5.2, 6.6), sharex=True, layout="constrained")
    for axes, (kind, title) in zip(panels, titles.items(), strict=True):
        width = 0.8 / len(drawn)
        for number, name in enumerate(drawn):
            places = [i + (number - (len(drawn) - 1) / 2) * width for i in range(len(SIZES))]
            means = [100 * tables[kind][name][str(size)]["mean"] for size in SIZES]
            spreads = [100 * tables[kind][name][str(size)]["sd"] for size in SIZES]
            axes.bar(places, means, width * 0.92, yerr=spreads, capsize=2, label=name)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_xticks(range(len(SIZES)), labels=[f"{size:,} reviews" for size in SIZES])
        axes.set_title(title, fontsize=10)
        axes.grid(axis="y", alpha=0.3)
    figure.supylabel("accuracy, points over nothing added", fontsize=10)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


matplotlib.rcParams["svg.hashsalt"] = NAME
if __name__ == "__main__":
    main()
