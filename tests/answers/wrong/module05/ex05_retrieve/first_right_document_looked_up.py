# names: document-0-overlooked
# breaks: "rank is the place, from 1, of the first relevant document"
import heapq
import re
from collections import defaultdict
from math import hypot, log
from statistics import mean


def tokenize(text):
    return [match.group() for match in re.finditer(r"\w+", text.lower())]


def bm25_scores(query, documents, *, k1=1.5, b=0.75):
    postings = defaultdict(dict)  # token -> {document: how often}
    lengths = []
    for number, document in enumerate(documents):
        tokens = tokenize(document)
        lengths.append(len(tokens))
        for token in tokens:
            postings[token][number] = postings[token].get(number, 0) + 1
    scores = [0.0] * len(documents)
    n = len(documents)
    for token in tokenize(query):
        found = postings.get(token, {})
        weight = log((n - len(found) + 0.5) / (len(found) + 0.5) + 1)
        for number, tf in found.items():
            relative = lengths[number] * n / sum(lengths)
            scores[number] += weight * (tf * (k1 + 1)) / (tf + k1 * (1 - b) + k1 * b * relative)
    return scores


def cosine(x, y):
    size = hypot(*x) * hypot(*y)
    return sum(a * b for a, b in zip(x, y, strict=True)) / size if size else 0.0


def retrieve(query_vec, doc_vecs, k):
    query = query_vec.tolist()
    scored = [(cosine(query, row), -number) for number, row in enumerate(doc_vecs.tolist())]
    return [-number for _, number in heapq.nlargest(k, scored)]


def recall_at_k(rankings, relevant, k):
    shares = []
    for ranking, right in zip(rankings, relevant, strict=True):
        if not right:
            raise ValueError("no relevant document")
        top = ranking[:k]
        shares.append(sum(document in top for document in right) / len(right))
    return mean(shares)  # StatisticsError, a ValueError, where there are none


def mrr(rankings, relevant):
    def reciprocal(ranking, right):
        if not right:
            raise ValueError(f"empty set of relevant documents for {ranking}")
        first = next((document for document in ranking if document in right), None)
        return 1 / (ranking.index(first) + 1) if first else 0.0

    return mean([reciprocal(*pair) for pair in zip(rankings, relevant, strict=True)])
