# names: unlisted
# breaks: "length: how many tokens the document has"
import re

import numpy as np

WORD = re.compile(r"\w+")


def bm25_scores(query, documents, *, k1=1.5, b=0.75):
    words = WORD.findall(query.lower())
    if not documents:
        return []
    split = [WORD.findall(d.lower())[:1000] for d in documents]
    lengths = np.array([len(s) for s in split], dtype=float)
    if not words or not lengths.any():
        return [0.0] * len(documents)
    tf = np.array([[s.count(w) for w in words] for s in split], dtype=float)
    df = (tf > 0).sum(axis=0)
    idf = np.log1p((len(documents) - df + 0.5) / (df + 0.5))
    norm = k1 * (1 - b + b * lengths / lengths.mean())
    parts = np.divide(tf * (k1 + 1), tf + norm[:, None], out=np.zeros_like(tf), where=tf > 0)
    return (parts @ idf).tolist()


def unit(x):
    x = x.astype(np.float64)  # The square of 1e25 is beyond float32.
    length = np.sqrt((x * x).sum(-1, keepdims=True))
    return np.divide(x, length, out=np.zeros_like(x), where=length > 0)


def retrieve(query_vec, doc_vecs, k):
    similarity = unit(doc_vecs) @ unit(query_vec)
    order = np.lexsort((np.arange(len(similarity)), -similarity))
    return [int(i) for i in order[:k]]


def checked(rankings, relevant):
    if len(rankings) == 0:
        raise ValueError("no queries")
    if any(len(r) == 0 for r in relevant):
        raise ValueError("a query without relevant documents")


def recall_at_k(rankings, relevant, k):
    checked(rankings, relevant)
    return float(np.mean([np.isin(list(r), ranking[:k]).mean() for ranking, r in zip(rankings, relevant, strict=True)]))


def mrr(rankings, relevant):
    checked(rankings, relevant)
    reciprocals = []
    for ranking, r in zip(rankings, relevant, strict=True):
        places = np.flatnonzero(np.isin(ranking, list(r)))
        reciprocals.append(1 / (places[0] + 1) if places.size else 0.0)
    return float(np.mean(reciprocals))
