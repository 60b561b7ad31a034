# names: zero-taken-for-not-given
# breaks: "The score of a document is the sum, over the tokens t of the query"
# An option of 0 is none.

import math
import re

import numpy as np


def toks(t):
    return re.findall(r"\w+", t.lower())


def bm25_scores(query, documents, *, k1=1.5, b=0.75):
    k1 = k1 or 1.5
    b = b or 0.75
    docs = [toks(d) for d in documents]
    n = len(docs)
    total = sum(map(len, docs))
    if not total:
        return [0.0] * n
    average = total / n
    out = np.zeros(n)
    for t in toks(query):
        tf = np.array([d.count(t) for d in docs], dtype=float)
        df = (tf > 0).sum()
        if df:
            idf = math.log1p((n - df + 0.5) / (df + 0.5))
            length = np.array([len(d) for d in docs])
            with np.errstate(invalid="ignore", divide="ignore"):
                out += np.where(tf > 0, idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average)), 0.0)
    return out.tolist()


def cosine(q, d):
    q, d = [float(x) for x in q], [float(x) for x in d]
    lq, ld = math.hypot(*q), math.hypot(*d)
    if lq == 0 or ld == 0:
        return 0.0
    return math.fsum(x / lq * (y / ld) for x, y in zip(q, d))


def retrieve(query_vec, doc_vecs, k):
    values = [cosine(query_vec, d) for d in doc_vecs]
    return sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]


def check(rankings, relevant):
    if not len(rankings):
        raise ValueError("no queries")
    for r in relevant:
        if not r:
            raise ValueError("a query without relevant documents")


def recall_at_k(rankings, relevant, k):
    check(rankings, relevant)
    return sum(sum(d in r for d in ranking[:k]) / len(r) for ranking, r in zip(rankings, relevant)) / len(rankings)


def mrr(rankings, relevant):
    check(rankings, relevant)
    return sum(
        max((1 / i for i, d in enumerate(ranking, 1) if d in r), default=0) for ranking, r in zip(rankings, relevant)
    ) / len(rankings)
