# names: lowercased-after-finding
# breaks: "in the text in lower case"
# Finds the tokens first: in lower case İ is two characters, and the second is no part of a token.

import math
import re
from collections import Counter
from statistics import fmean

import numpy as np


def bm25_scores(query, documents, *, k1=1.5, b=0.75):
    docs = [Counter([w.lower() for w in re.findall(r"\w+", d)]) for d in documents]
    lengths = [sum(d.values()) for d in docs]
    if not sum(lengths):
        return [0.0] * len(documents)
    average = sum(lengths) / len(lengths)
    df = Counter(t for d in docs for t in d)
    tokens = [w.lower() for w in re.findall(r"\w+", query)]
    scores = []
    for d, length in zip(docs, lengths):
        s = 0.0
        for t in tokens:
            if d[t]:
                idf = math.log(1 + (len(docs) - df[t] + 0.5) / (df[t] + 0.5))
                s += idf * d[t] * (k1 + 1) / (d[t] + k1 * (1 - b + b * length / average))
        scores.append(s)
    return scores


def unit(v):
    v = np.asarray(v, dtype=np.float64)
    top = np.abs(v).max(axis=-1, keepdims=True) if v.shape[-1] else np.ones((*v.shape[:-1], 1))
    v = v / np.where(top == 0, 1, top)
    norm = np.sqrt((v * v).sum(axis=-1, keepdims=True))
    return v / np.where(norm == 0, 1, norm)


def retrieve(query_vec, doc_vecs, k):
    cosines = (unit(doc_vecs) * unit(query_vec)).sum(axis=1)
    return np.argsort(-cosines, kind="stable")[:k].tolist()


def checked(rankings, relevant):
    if not rankings or not all(relevant):
        raise ValueError("no queries, or nothing relevant")


def recall_at_k(rankings, relevant, k):
    checked(rankings, relevant)
    return fmean(len(set(r[:k]) & w) / len(w) for r, w in zip(rankings, relevant))


def mrr(rankings, relevant):
    checked(rankings, relevant)
    return fmean(next((1 / i for i, d in enumerate(r, 1) if d in w), 0.0) for r, w in zip(rankings, relevant))
