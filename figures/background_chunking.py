"""Chunk sizes at an equal number of words read, with BM25; and the first ten reranked by embeddings. JSON.

python figures/background_chunking.py
python figures/background_chunking.py --rerank    adds the reranking (needs `tunelings models get minilm`; minutes)

The passages of each page of the Python documentation are joined and cut anew. The best chunks are read up to the same
number of words, the last of them in part. A question counts as answered if these words hold an accepted answer.
"""

import json
import sys
from itertools import groupby
from pathlib import Path

from tunelings.course import data_folder
from tunelings.handson import pydocs, search

HERE = Path(__file__).parent
NAME = Path(__file__).stem
RESULTS = HERE / "results" / f"{NAME}.json"
WORDS_READ = 300
SIZES = (30, 60, 100, 300)
RERANKED, FIRST = 40, 10


def chunks(words, size, step):
    """Stretches of `size` words, `step` apart; the last one ends with the text."""
    return [" ".join(words[start : start + size]) for start in range(0, max(1, len(words) - size + step), step)]


def pages():
    passages = pydocs.load_passages(data_folder("pydocs"))
    for _, group in groupby(passages, key=lambda passage: passage.page):
        yield [word for passage in group for word in f"{passage.title} {passage.text}".split()]


def answered(texts, questions):
    """How many questions have an answer in the first WORDS_READ words of their best chunks; and chunks read, a mean."""
    index, right, read = search.BM25(texts), 0, 0
    for question in questions:
        words = []
        for i in index.best(question.question, WORDS_READ):
            if len(words) >= WORDS_READ:
                break
            words += texts[i].split()
            read += 1
        right += pydocs.holds(" ".join(words[:WORDS_READ]), question.answers)
    return right, round(read / len(questions), 1)


def main():
    questions = pydocs.load_test(data_folder("pydocs"))
    words = list(pages())
    rows = []
    for size in SIZES:
        for name, step in (("none", size), ("half", size // 2)):
            texts = [chunk for page in words for chunk in chunks(page, size, step)]
            right, k = answered(texts, questions)
            rows.append({"size": size, "overlap": name, "chunks": len(texts), "read": k, "answered": right})
            print(rows[-1], flush=True)
    passages = [f"{passage.title} {passage.text}" for passage in pydocs.load_passages(data_folder("pydocs"))]
    right, k = answered(passages, questions)
    results = {"rows": rows, "sections": {"chunks": len(passages), "read": k, "answered": right}}
    results |= {"questions": len(questions), "words_read": WORDS_READ, "rerank": "not measured"}
    if "--rerank" in sys.argv:
        results["rerank"] = rerank(passages, questions[:RERANKED])
    print(results["sections"], results["rerank"])
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def rerank(passages, questions):
    """How many of the questions have an answer in the first passage: BM25's order, and the same ten by embeddings."""
    from tunelings.handson import models

    index, first, again, within = search.BM25(passages), 0, 0, 0
    encoder = search.Encoder(models.find("minilm"), ["."])
    for question in questions:
        best = [passages[i] for i in index.best(question.question, FIRST)]
        vectors = encoder.encode([question.question, *(" ".join(text.split()[:60]) for text in best)])
        new = max(range(len(best)), key=lambda i: float(vectors[0] @ vectors[1 + i]))
        first += pydocs.holds(best[0], question.answers)
        again += pydocs.holds(best[new], question.answers)
        within += any(pydocs.holds(text, question.answers) for text in best)
    return {"questions": len(questions), "bm25": first, "reranked": again, "within": within, "candidates": FIRST}


if __name__ == "__main__":
    main()
