"""The figures of the lesson "Deduplicate": what repeats do to a score, what the index finds, time and memory.

python figures/module04_deduplicate.py
"""

import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
from drawing import ROOT, drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt
from datasketch import MinHash, MinHashLSH

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path[:0] = [str(ROOT), str(ROOT / "solutions" / "module04")]
from ex04_deduplicate import deduplicate  # noqa: E402

from tunelings.course import data_folder  # noqa: E402
from tunelings.handson.reviews import load_reviews  # noqa: E402

SHARES = [0.0, 0.1, 0.3, 0.5]
SIMILARITIES = [0.30, 0.40, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95]
PAIRS = 1_000
SIZES = [1_000, 10_000, 100_000]
BRUTE_SIZES = [500, 1_000, 2_000]


def shingles(text):
    words = text.split(" ")
    return {" ".join(words[k : k + 3]) for k in range(len(words) - 2)}


# ---------------------------------------------------------------- repeats on both sides of a split
def with_repeats(texts, labels, share, rng):
    """The reviews, and a share of them once more: half in capitals with two spaces, half with another last word."""
    rows = list(zip(texts, labels, strict=True))
    for number, i in enumerate(rng.sample(range(len(texts)), round(share * len(texts)))):
        words = texts[i].split()
        copy = "  ".join(words).upper() if number % 2 else " ".join([*words[:-1], "…"])
        rows.append((copy, labels[i]))
    rng.shuffle(rows)
    return rows


def scores(rows):
    """Accuracy on the last fifth of the rows, of a linear model and of the label of the nearest training text."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    cut = len(rows) * 4 // 5
    texts, labels = zip(*rows, strict=True)
    words = TfidfVectorizer(ngram_range=(1, 2))
    train, test = words.fit_transform(texts[:cut]), words.transform(texts[cut:])
    models = {"linear": LogisticRegression(max_iter=1000), "nearest": KNeighborsClassifier(1, metric="cosine")}
    return {name: model.fit(train, labels[:cut]).score(test, labels[cut:]) for name, model in models.items()}


def leak():
    reviews = load_reviews(data_folder("sentiment"))
    table = {}
    for share in SHARES:
        runs = []
        for seed in range(3):
            rng = random.Random(seed)
            chosen = rng.sample(range(len(reviews.texts)), 3000)
            rows = with_repeats([reviews.texts[i] for i in chosen], [reviews.labels[i] for i in chosen], share, rng)
            kept = deduplicate([text for text, _ in rows])
            clean = [rows[i] for i in kept]
            runs.append({"rows": len(rows), "kept": len(kept), "as it is": scores(rows), "deduplicated": scores(clean)})
        mean = {
            f"{model}, {data}": statistics.mean(run[data][model] for run in runs)
            for data in ("as it is", "deduplicated")
            for model in ("linear", "nearest")
        }
        table[f"{share:.0%}"] = {**mean, "rows": runs[0]["rows"], "kept": [run["kept"] for run in runs]}
    return table


# ---------------------------------------------------------------- what the index proposes
def pair_of(similarity, rng, size=198):
    """Two sets of `size` shingles with this Jaccard index: both share n, and n / (2 * size - n) is the similarity."""
    shared = round(2 * size * similarity / (1 + similarity))
    names = [f"{rng.getrandbits(60)}" for _ in range(2 * size - shared)]
    return names[:size], names[size - shared :]


def signature(names):
    minhash = MinHash()
    minhash.update_batch([name.encode() for name in names])
    return minhash


def curve():
    """For two indices, the share of pairs of each similarity that they propose, and what theory says."""
    rng = random.Random(0)
    pairs = {s: [tuple(signature(names) for names in pair_of(s, rng)) for _ in range(PAIRS)] for s in SIMILARITIES}
    found = {}
    for threshold in (0.64, 0.8):
        index = MinHashLSH(threshold=threshold)
        points = []
        for similarity in SIMILARITIES:
            index = MinHashLSH(threshold=threshold)
            for number, (first, _) in enumerate(pairs[similarity]):
                index.insert(number, first)
            hits = sum(number in index.query(second) for number, (_, second) in enumerate(pairs[similarity]))
            theory = 1 - (1 - similarity**index.r) ** index.b
            points.append({"similarity": similarity, "measured": hits / PAIRS, "theory": theory})
        found[f"{threshold}"] = {"bands": index.b, "rows": index.r, "points": points}
    return found


# ---------------------------------------------------------------- time and memory
def short_texts(count):
    rng = random.Random(count)
    words = [f"word{n}" for n in range(3000)]
    return [" ".join(rng.choices(words, k=20)) for _ in range(count)]


def peak_megabytes():
    """The most memory that this process has held so far, as Linux counts it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(count):
    """Process time and growth of the peak memory, for one size; run in a process of its own."""
    texts = short_texts(count)
    deduplicate(texts[:10])
    before = peak_megabytes()
    start = time.process_time()
    deduplicate(texts)
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes() - before}))


def cost():
    rows = {}
    for count in SIZES:
        done = subprocess.run([sys.executable, __file__, str(count)], capture_output=True, text=True, check=True)
        rows[f"{count}"] = json.loads(done.stdout)
    return rows


def brute_force():
    """Process time of comparing every pair."""
    seconds = {}
    for count in BRUTE_SIZES:
        sets = [shingles(text) for text in short_texts(count)]
        start = time.process_time()
        for i, one in enumerate(sets):
            any(len(one & other) / len(one | other) >= 0.8 for other in sets[:i])
        seconds[f"{count}"] = time.process_time() - start
    return seconds


def main():
    results = {"leak": leak(), "curve": curve(), "cost": cost(), "brute_force_seconds": brute_force()}
    for share, row in results["leak"].items():
        numbers = "   ".join(f"{name} {value:.3f}" for name, value in row.items() if isinstance(value, float))
        print(f"repeats {share:>4}: {row['rows']} rows, kept {row['kept']}   {numbers}")
    for threshold, index in results["curve"].items():
        print(f"index for {threshold}: {index['bands']} bands of {index['rows']}")
        for point in index["points"]:
            print("   similarity {similarity:.2f}: proposed {measured:.3f}, theory {theory:.3f}".format(**point))
    for count, row in results["cost"].items():
        print(f"{count:>7} texts: {row['seconds']:.2f} s of process time, {row['megabytes']:.0f} MB")
    for count, seconds in results["brute_force_seconds"].items():
        print(f"{count:>7} texts, every pair: {seconds:.2f} s of process time")
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    plot(results["curve"])


def plot(found):
    plt.rcParams.update({"svg.hashsalt": NAME, "font.size": 10})
    figure, axes = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
    grid = [n / 200 for n in range(201)]
    for number, (threshold, index) in enumerate(found.items()):
        bands, rows = index["bands"], index["rows"]
        label = f"index for {threshold}: {bands} bands of {rows}"
        axes.plot(grid, [1 - (1 - s**rows) ** bands for s in grid], color=f"C{number}", label=label)
        points = index["points"]
        axes.plot([p["similarity"] for p in points], [p["measured"] for p in points], "o", color=f"C{number}")
    axes.axvline(0.8, color="0.8", linewidth=1, zorder=0)
    axes.set(xlabel="Jaccard index of the pair", ylabel="share of pairs proposed", xlim=(0, 1))
    axes.legend(fontsize=9, frameon=False, loc="upper left")
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        main()
