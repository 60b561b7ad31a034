# names: epsilon-for-short-vectors
# breaks: "Vectors may have any length"

import math
import re
from collections import Counter
from statistics import fmean

import numpy as np


def _tokens(text):
    return re.findall(r"\w+", text.lower())


def bm25_scores(query: str, documents: list[str], *, k1: float = 1.5, b: float = 0.75) -> list[float]:
    texts = [_tokens(document) for document in documents]
    if not any(texts):
        return [0.0] * len(documents)
    count = len(texts)
    average = sum(map(len, texts)) / count
    df = Counter(token for text in texts for token in set(text))
    scores = []
    for text in texts:
        tf, score = Counter(text), 0.0
        for token in _tokens(query):
            if tf[token]:
                idf = math.log(1 + (count - df[token] + 0.5) / (df[token] + 0.5))
                score += idf * tf[token] * (k1 + 1) / (tf[token] + k1 * (1 - b + b * len(text) / average))
        scores.append(score)
    return scores


def retrieve(query_vec: np.ndarray, doc_vecs: np.ndarray, k: int) -> list[int]:
    query, documents = query_vec.astype(np.float64), doc_vecs.astype(np.float64)
    query = query / (np.linalg.norm(query) + 1e-8)
    documents = documents / (np.linalg.norm(documents, axis=1, keepdims=True) + 1e-8)
    scores = documents @ query
    return [int(i) for i in np.argsort(-scores, kind="stable")[:k]]


def recall_at_k(rankings: list[list[int]], relevant: list[set[int]], k: int) -> float:
    if not rankings or not all(relevant):
        raise ValueError("queries and relevant documents are needed")

    return fmean(len(set(found[:k]) & right) / len(right) for found, right in zip(rankings, relevant))


def mrr(rankings: list[list[int]], relevant: list[set[int]]) -> float:
    if not rankings or not all(relevant):
        raise ValueError("queries and relevant documents are needed")

    return fmean(
        next((1 / rank for rank, document in enumerate(found, 1) if document in right), 0.0)
        for found, right in zip(rankings, relevant)
    )
