# names: array-returned
# breaks: "A list of row numbers."
# Returns the array of numpy as it is, which is no list and has no JSON.
import math
import re

import numpy as np


def words(text):
    return re.findall(r"\w+", text.lower())


def bm25_scores(query, documents, *, k1=1.5, b=0.75):
    docs = [words(d) for d in documents]
    n = len(docs)
    avg = sum(len(d) for d in docs) / n if n else 0
    scores = []
    for d in docs:
        s = 0.0
        for t in words(query):
            tf = d.count(t)
            if tf:
                df = sum(t in other for other in docs)
                s += math.log(1 + (n - df + 0.5) / (df + 0.5)) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(d) / avg))
        scores.append(s)
    return scores


def retrieve(query_vec, doc_vecs, k):
    docs, query = doc_vecs.astype(np.float64), query_vec.astype(np.float64)
    norms = np.linalg.norm(docs, axis=1) * np.linalg.norm(query)
    cos = np.divide(docs @ query, norms, out=np.zeros(len(docs)), where=norms > 0)
    return np.argsort(-cos, kind="stable")[:k]


def recall_at_k(rankings, relevant, k):
    if not rankings or any(not r for r in relevant):
        raise ValueError("empty")
    return float(np.mean([len(set(a[:k]) & r) / len(r) for a, r in zip(rankings, relevant, strict=True)]))


def mrr(rankings, relevant):
    if not rankings or any(not r for r in relevant):
        raise ValueError("empty")
    return float(
        np.mean(
            [
                next((1 / (i + 1) for i, d in enumerate(a) if d in r), 0.0)
                for a, r in zip(rankings, relevant, strict=True)
            ]
        )
    )
