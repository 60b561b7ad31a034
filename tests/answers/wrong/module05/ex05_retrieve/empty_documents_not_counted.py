# names: n-without-empty-ones
# breaks: "N: the number of documents"

import math
import re
from collections import Counter
from statistics import fmean

import numpy as np


def _tokens(text):
    return re.findall(r"\w+", text.lower())


def _unit(vectors):
    vectors = vectors.astype(np.float64)
    largest = np.abs(vectors).max(-1, keepdims=True, initial=0.0)
    vectors = vectors / np.where(largest == 0, 1, largest)
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(norms == 0, 1, norms)


def bm25_scores(query: str, documents: list[str], *, k1: float = 1.5, b: float = 0.75) -> list[float]:
    texts = [_tokens(document) for document in documents]
    if not any(texts):
        return [0.0] * len(documents)
    count = sum(map(bool, texts))
    average = sum(map(len, texts)) / len(texts)
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
    cosines = _unit(doc_vecs) @ _unit(query_vec)
    return np.argsort(-cosines, kind="stable")[:k].tolist()


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
