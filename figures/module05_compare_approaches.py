"""Measures nine ways to answer questions about the Python documentation, on the same 157 test questions.

Each answer is recorded in runs/comparison/ as soon as it is there, so the run can be stopped and taken up again; the
reference solution of 5.09 then makes the table of the recorded answers. It needs both models (`tunelings models get
minilm` and `smollm2`) and takes an hour or more on a CPU, part of it for three seeds of two that are trained.
Run: python figures/module05_compare_approaches.py
     python figures/module05_compare_approaches.py --recorded      (the table of what is recorded so far)
     python figures/module05_compare_approaches.py --development   (the choice of a prompt; 20 minutes)
"""

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from drawing import ROOT, plots, save

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers.utils import logging

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import approaches, models, pydocs
from tunelings.handson.search import BM25, Encoder, Snippet, stretch

NAME = Path(__file__).stem
DATA = data_folder("pydocs")
RECORDS = ROOT / "runs" / "comparison"
RESULTS = ROOT / "figures" / "results"
SEEDS = {"BM25 + LoRA": (0, 1, 2), "decoder from scratch": (0, 1, 2)}
ORDER = (
    "BM25 snippet", "MiniLM snippet", "BM25 + extractor from scratch", "BM25 + prompt", "prompt", "few-shot prompt",
    "BM25 + LoRA", "decoder from scratch", "LoRA on FAQ pairs",
)  # fmt: skip
WARMUP = "Which function prints a text?"
PAIRS = (
    ("BM25 snippet", "BM25 + prompt"),
    ("BM25 snippet", "BM25 + LoRA"),
    ("BM25 snippet", "MiniLM snippet"),
    ("BM25 + LoRA", "BM25 + prompt"),
    ("BM25 + LoRA", "BM25 + extractor from scratch"),
    ("BM25 + extractor from scratch", "BM25 + prompt"),
    ("BM25 + prompt", "prompt"),
    ("few-shot prompt", "prompt"),
    ("LoRA on FAQ pairs", "prompt"),
)


def load():
    test = pydocs.load_test(DATA)
    pairs = pydocs.without_answers(pydocs.load_pairs(DATA), test)
    return pydocs.load_passages(DATA), pydocs.load_development(DATA), test, pairs


def recorded(name: str, seed: int) -> tuple[Path, list[dict]]:
    path = RECORDS / f"{name.lower().replace(' ', '-')}-{seed}.jsonl"
    return path, [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def record(way, seed: int, questions) -> list[dict]:
    """The answers of one approach; those that its file holds are not asked for again."""
    path, rows = recorded(way.name, seed)
    if len(rows) == len(questions):
        return rows
    start = time.perf_counter()
    way.setup()
    setup = time.perf_counter() - start
    way.answer(WARMUP)
    RECORDS.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        for question in questions[len(rows) :]:
            start = time.perf_counter()
            said = way.answer(question.question)
            seconds = time.perf_counter() - start
            cost = way.cost(question.question, said)
            rows.append({"id": question.id, "said": said, "seconds": seconds, "cost": cost, "setup": setup})
            print(json.dumps(rows[-1]), file=file, flush=True)
    way.model = None
    return rows


def table_of(answer, records: dict[str, list[dict]], questions):
    """The reference's table; the recorded answers are given again, and the clock goes as it went then."""
    clock = SimpleNamespace(now=0.0)

    def approach(name, rows):
        by_question = {q.question: row for q, row in zip(questions, rows, strict=True)}

        def reply(question):
            row = by_question.get(question, {"said": "", "seconds": 0.0})
            clock.now += row["seconds"]
            return row["said"]

        return answer.Approach(name, lambda: None, reply, lambda question, _: by_question[question]["cost"])

    task = SimpleNamespace(warmup=WARMUP, metric=pydocs.grade)
    items = [{"question": q.question, "answers": q.answers} for q in questions]
    return answer.run(task, [approach(*item) for item in records.items()], items, 0, clock=lambda: clock.now)


def show(what: str, share: float) -> None:
    if share == 1.0 or round(100 * share) % 20 == 0 and "loss" in what:
        print(f"{what}", flush=True)


def measure(only_recorded: bool) -> None:
    passages, development, test, pairs = load()
    answer = answers.load(answers.read(Course(ROOT).find("5.09").solution_path))
    paths = {"language_model": models.find("smollm2"), "encoder": models.find("minilm")}
    records: dict[tuple[str, int], list[dict]] = {}
    for seed in range(3):
        ways = {w.name: w for w in approaches.line_up(passages, development, pairs, seed=seed, on_step=show, **paths)}
        for name in [name for name in ORDER if seed in SEEDS.get(name, (0,))]:
            if only_recorded and len(recorded(name, seed)[1]) < len(test):
                continue
            start = time.perf_counter()
            rows = records[name, seed] = record(ways[name], seed, test)
            right = sum(pydocs.grade(row["said"], q.answers) for row, q in zip(rows, test, strict=True))
            print(f"{name}, seed {seed}: {right:.0f} of {len(test)}, {time.perf_counter() - start:.0f} s", flush=True)
    table = table_of(answer, {name: records[name, 0] for name in ORDER if (name, 0) in records}, test)
    grades = {
        key: [pydocs.grade(row["said"], q.answers) for row, q in zip(rows, test, strict=True)]
        for key, rows in records.items()
    }
    results = {
        "questions": len(test),
        "development_questions": len(development),
        "pairs_for_training": len(pairs),
        "rows": [
            {
                "name": row.name,
                "right": round(row.score * len(test)),
                "score": round(row.score, 3),
                "low": round(row.low, 3),
                "high": round(row.high, 3),
                "tokens": round(row.cost_per_query, 1),
                "seconds": round(row.seconds_per_query, 4),
                "words": round(sum(len(r["said"].split()) for r in records[row.name, 0]) / len(test), 1),
                "setup_seconds": round(records[row.name, 0][0]["setup"], 1),
                "right_in_five_words": round(
                    sum(pydocs.grade(r["said"], q.answers, 5) for r, q in zip(records[row.name, 0], test, strict=True))
                ),
            }
            for row in table.rows
        ],
        "winner": table.winner,
        "seeds": {
            name: [round(sum(grades[name, seed])) for seed in seeds if (name, seed) in grades]
            for name, seeds in SEEDS.items()
        },
        "differences": {
            f"{a} - {b}": difference(answer, grades[a, 0], grades[b, 0])
            for a, b in PAIRS
            if (a, 0) in grades and (b, 0) in grades
        },
        "mean_of_seeds": {
            f"BM25 + LoRA - {name}": difference(answer, mean_of_seeds(grades, "BM25 + LoRA"), grades[name, 0])
            for name in ("BM25 + prompt", "BM25 + extractor from scratch")
            if ("BM25 + LoRA", 0) in grades
        },
        "examples_that_show_a_test_answer": sum(
            any(pydocs.holds(user, q.answers) for q in test)
            for user, _ in approaches.reading(development, passages, approaches.WORDS_SHOWN)
        ),
        "passage_found": found(passages, test),
        "shown": shown(passages, test, grades),
        "first_answers": {
            name: [row["said"][:90] for row in records[name, 0][:3]] for name, seed in records if not seed
        },
    }
    RESULTS.joinpath(f"{NAME}.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    print(json.dumps(results, indent=1))
    answer.write_report(table, RECORDS)
    draw(results)


def difference(answer, first, second) -> list[float]:
    differences = [a - b for a, b in zip(first, second, strict=True)]
    return [round(sum(differences) / len(differences), 3), *(round(x, 3) for x in answer.interval(differences, 0))]


def mean_of_seeds(grades, name: str) -> list[float]:
    """The grade of each question, as a mean over the seeds that are recorded."""
    runs = [grades[key] for key in grades if key[0] == name]
    return [sum(column) / len(runs) for column in zip(*runs, strict=True)]


def found(passages, questions) -> dict[str, int]:
    """For how many questions one of the best k passages holds an answer, by BM25."""
    index = BM25([f"{passage.title}\n{passage.text}" for passage in passages])
    best = {q.id: [passages[number].text for number in index.best(q.question, 5)] for q in questions}
    return {
        str(k): sum(any(pydocs.holds(text, q.answers) for text in best[q.id][:k]) for q in questions) for k in (1, 3, 5)
    }


def shown(passages, questions, grades) -> dict[str, int]:
    """For how many questions the words that the model is shown hold an answer, and how often it is right on those."""
    index = BM25([f"{passage.title}\n{passage.text}" for passage in passages])
    counts = {"holds an answer": 0, "BM25 + prompt": 0, "BM25 + LoRA": 0, "right without": 0}
    for number, q in enumerate(questions):
        text = stretch(q.question, passages[index.best(q.question, 1)[0]].text, approaches.WORDS_SHOWN)
        if pydocs.holds(text, q.answers):
            counts["holds an answer"] += 1
            for name in [name for name in ("BM25 + prompt", "BM25 + LoRA") if (name, 0) in grades]:
                counts[name] += int(grades[name, 0][number])
        else:
            counts["right without"] += int(grades["BM25 + prompt", 0][number])
    return counts


def draw(results) -> None:
    rows = results["rows"]
    figure, axes = plots(4.6)
    scores = [row["score"] for row in rows]
    reach = [[row["score"] - row["low"] for row in rows], [row["high"] - row["score"] for row in rows]]
    axes.errorbar(scores, range(len(rows)), xerr=reach, fmt="o", capsize=3, label="score and 95% interval")
    more = [
        (n / results["questions"], i) for i, row in enumerate(rows) for n in results["seeds"].get(row["name"], [])[1:]
    ]
    axes.plot([x for x, _ in more], [y + 0.22 for _, y in more], "d", color="tab:orange", label="other seeds")
    axes.set_yticks(range(len(rows)), labels=[f"{row['name']},\n{row['tokens']:.0f} tokens" for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1)
    figure.supxlabel(f"share of {results['questions']} questions answered in the first 30 words", fontsize="medium")
    axes.legend(loc="lower right")
    axes.grid(axis="x", alpha=0.3)
    save(figure, NAME)


def choose() -> None:
    """Everything that was chosen, on the development questions alone."""
    passages, development, _, _ = load()
    texts = [f"{passage.title}\n{passage.text}" for passage in passages]
    bm25, encoder = BM25(texts), Encoder(models.find("minilm"), texts)
    results = {"questions": len(development), "questions_without_examples": len(development) - approaches.SHOTS}

    def count(name, way, questions):
        results[name] = round(sum(pydocs.grade(way.answer(q.question), q.answers) for q in questions))
        print(name, results[name], flush=True)

    for name, index in (("BM25 snippet", bm25), ("MiniLM snippet", encoder)):
        way = Snippet(name, passages, lambda _, index=index: index)
        way.setup()
        count(name, way, development)
    right = 0
    for fold in range(5):
        kept = [q for i, q in enumerate(development) if i % 5 != fold]
        way = approaches.Extractor("extractor", passages, kept)
        way.setup()
        right += sum(pydocs.grade(way.answer(q.question), q.answers) for q in development[fold::5])
    results["extractor, five folds"] = round(right)
    library = {"passages": passages, "make_index": lambda _: bm25}
    shots, rest = development[: approaches.SHOTS], development[approaches.SHOTS :]
    plain = "You are a helpful assistant."
    candidates = {
        "passage, whole": {**library},
        "passage, whole, plain system": {**library, "system": plain},
        "passage, 60 words": {**library, "words": 60},
        "passage, 60 words, two examples": {
            **library, "words": 60, "shots": approaches.reading(shots[:2], passages, 60),
        },
    }  # fmt: skip
    for name, settings in candidates.items():
        way = approaches.Prompted(name, models.find("smollm2"), **settings)
        way.setup()
        count(name, way, rest)
    RESULTS.joinpath(f"{NAME}_development.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    choose() if "--development" in sys.argv else measure("--recorded" in sys.argv)
