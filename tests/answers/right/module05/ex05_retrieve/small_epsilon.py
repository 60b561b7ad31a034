"""Unit vectors with an epsilon under the line, float64 throughout, argsort of negated scores; sums by dictionaries."""

import math
import re

import numpy as np


def bm25_scores(query, documents, *, k1=1.5, b=0.75):
    tokenized = [re.findall(r"\w+", d.lower()) for d in documents]
    total = sum(len(t) for t in tokenized)
    result = []
    for tokens in tokenized:
        score = 0
        for term in re.findall(r"\w+", query.lower()):
            f = tokens.count(term)
            if f == 0:
                continue
            n = sum(1 for other in tokenized if term in other)
            K = k1 * ((1 - b) + b * len(tokens) * len(documents) / total)
            score += math.log(1 + (len(documents) - n + 0.5) / (n + 0.5)) * f * (k1 + 1) / (f + K)
        result.append(float(score))
    return result


def retrieve(query_vec, doc_vecs, k):
    d = np.asarray(doc_vecs, dtype=np.float64)
    q = np.asarray(query_vec, dtype=np.float64)
    d = d / (np.linalg.norm(d, axis=1, keepdims=True) + 1e-300)
    q = q / (np.linalg.norm(q) + 1e-300)
    scores = np.einsum("nd,d->n", d, q)
    return list(np.argsort(-scores, kind="mergesort")[: min(k, len(d))])


def recall_at_k(rankings, relevant, k):
    if not relevant:
        raise ValueError("no queries")
    total = 0
    for i, ranking in enumerate(rankings):
        if len(relevant[i]) == 0:
            raise ValueError(f"query {i} has no relevant document")
        hits = 0
        for document in ranking[:k]:
            if document in relevant[i]:
                hits += 1
        total += hits / len(relevant[i])
    return total / len(rankings)


def mrr(rankings, relevant):
    if not rankings or set() in relevant:
        raise ValueError("empty input")
    reciprocal = [0.0] * len(rankings)
    for i, ranking in enumerate(rankings):
        for j in range(len(ranking) - 1, -1, -1):
            if ranking[j] in relevant[i]:
                reciprocal[i] = 1 / (j + 1)
    return sum(reciprocal) / len(reciprocal)
