"""CountVectorizer for the counts and cosine_similarity for the vectors; one function checks both measures' input."""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity


def bm25_scores(query, documents, *, k1=1.5, b=0.75):
    if not documents:
        return []
    vectorizer = CountVectorizer(token_pattern=r"\w+", lowercase=True)
    counts = vectorizer.fit([*documents, query, "x"]).transform(documents).toarray().astype(np.float64)
    length = counts.sum(axis=1)
    if length.sum() == 0:
        return np.zeros(len(documents)).tolist()
    asked = vectorizer.transform([query]).toarray()[0]
    df = np.count_nonzero(counts, axis=0)
    idf = np.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
    saturation = k1 * (1 - b + b * length / np.average(length))
    scores = []
    for tf, s in zip(counts, saturation, strict=True):
        present = tf > 0
        scores.append(float(np.sum((asked * idf * tf * (k1 + 1))[present] / (tf[present] + s))))
    return scores


def scaled(rows):
    """The largest number of each row is 1: scikit-learn takes very short rows for zeros."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return rows.astype(float) / np.where(largest > 0, largest, 1)


def retrieve(query_vec, doc_vecs, k):
    similarity = cosine_similarity(scaled(query_vec.reshape(1, -1)), scaled(doc_vecs))[0]
    return sorted(range(similarity.size), key=lambda i: similarity[i], reverse=True)[:k]


def pairs(rankings, relevant):
    found = list(zip(rankings, relevant, strict=True))
    if not found or min(len(right) for _, right in found) == 0:
        raise ValueError("nothing to measure")
    return found


def recall_at_k(rankings, relevant, k):
    found = pairs(rankings, relevant)
    return sum(len(right.intersection(ranking[:k])) / len(right) for ranking, right in found) / len(found)


def mrr(rankings, relevant):
    total = 0.0
    found = pairs(rankings, relevant)
    for ranking, right in found:
        ranks = [ranking.index(document) + 1 for document in right if document in ranking]
        total += 1 / min(ranks) if ranks else 0.0
    return total / len(found)
