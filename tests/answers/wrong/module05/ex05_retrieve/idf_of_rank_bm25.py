# names: negative-idf-raised
# breaks: "idf(t) = ln(1 + (N - df + 0.5)"

import math
import re
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
    corpus_size = len(texts)
    avgdl = sum(len(text) for text in texts) / corpus_size
    nd = {}
    for text in texts:
        for word in set(text):
            nd[word] = nd.get(word, 0) + 1
    idf, idf_sum, negative = {}, 0.0, []
    for word, freq in nd.items():
        idf[word] = math.log(corpus_size - freq + 0.5) - math.log(freq + 0.5)
        idf_sum += idf[word]
        if idf[word] < 0:
            negative.append(word)
    for word in negative:
        idf[word] = 0.25 * idf_sum / len(idf)
    scores = [0.0] * corpus_size
    for q in _tokens(query):
        for i, text in enumerate(texts):
            freq = text.count(q)
            scores[i] += idf.get(q, 0.0) * (freq * (k1 + 1) / (freq + k1 * (1 - b + b * len(text) / avgdl)))
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
