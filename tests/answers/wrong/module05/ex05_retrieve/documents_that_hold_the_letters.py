# names: parts-of-words-found
# breaks: "df: how many of them contain t"
# Substring search: "cat" is also counted in "category".
"""5.05 · Retrieve: find passages by words or by vectors, and measure how often you find the right one.

A model that answers from documents can't be better than what it is given to read.
"""

import math
import re
from collections import Counter
from statistics import fmean

import numpy as np


def bm25_scores(query: str, documents: list[str], *, k1: float = 1.5, b: float = 0.75) -> list[float]:
    """Return how well each document matches the words of the query, by BM25.

    The tokens of a text are the matches of the regular expression `\\w+` in the text in lower case. The score
    of a document is the sum, over the tokens t of the query, of

        idf(t) · tf · (k1 + 1) / (tf + k1 · (1 - b + b · length / average))
        idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5))

    with tf: how often t occurs in the document; length: how many tokens the document has; average: the mean
    length of all documents, including empty ones; N: the number of documents; df: how many of them contain t.
    A token that occurs twice in the query counts twice; one that occurs in no document adds nothing.

    Returns:
        One float for each document, in their order. No documents give []; documents without tokens, and a
        query without tokens, give zeros.

    Method: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), section 3,
    https://doi.org/10.1561/1500000019; the 1 in the logarithm is that of Lucene's BM25Similarity,
    https://lucene.apache.org/core/8_11_2/core/org/apache/lucene/search/similarities/BM25Similarity.html
    """

    def words(text):
        return re.findall(r"\w+", text.lower())

    counts = [Counter(words(document)) for document in documents]
    lengths = [sum(count.values()) for count in counts]
    average = fmean(lengths) if lengths else 0.0
    df = {token: sum(token in document.lower() for document in documents) for token in words(query)}
    scores = []
    for count, length in zip(counts, lengths):
        score = 0.0
        for token in words(query):
            tf = count[token]
            if tf == 0:
                continue
            idf = math.log(1 + (len(documents) - df[token] + 0.5) / (df[token] + 0.5))
            score += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / average))
        scores.append(score)
    return scores


def retrieve(query_vec: np.ndarray, doc_vecs: np.ndarray, k: int) -> list[int]:
    """Return the indices of the k documents whose vectors are most similar to the query's, the best first.

    Args:
        query_vec: a numpy array `[D]`, float32 or float64.
        doc_vecs: a numpy array `[N, D]` of the same dtype, with N at least 1. Vectors may have any length, such
            as 1e25 or 1e-25.
        k: how many to return, 1 or more; if it is more than N, all N.

    Returns:
        A list of row numbers. Similarity is the cosine: the dot product divided by both lengths. A vector of
        zeros, on either side, has a cosine of 0 with everything. Of documents whose cosines are equal as
        computed, the one with the lower index comes first.

    Neither array is changed.

    Method: Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008), section 6.3.1,
    https://nlp.stanford.edu/IR-book/
    """

    def unit(vectors):
        vectors = vectors.astype(np.float64)
        lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
        return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)

    cosines = unit(doc_vecs) @ unit(query_vec)
    return np.argsort(-cosines, kind="stable")[:k].tolist()


def recall_at_k(rankings: list[list[int]], relevant: list[set[int]], k: int) -> float:
    """Return the share of the relevant documents found among the first k, as a mean over the queries.

    Args:
        rankings: for each query the documents that were found, the best first, none twice; perhaps fewer
            than k, or none.
        relevant: for each query, in the same order, the documents that are right. Neither list is changed.
        k: how many documents of each ranking count, 1 or more.

    Returns:
        The mean over the queries of |first k ∩ relevant| / |relevant|; each query has the same weight.

    Raises:
        ValueError: if there are no queries, or if a set of relevant documents is empty.

    Method: Manning, Raghavan and Schütze, Introduction to Information Retrieval (2008), chapter 8,
    https://nlp.stanford.edu/IR-book/
    """
    if not rankings or not all(relevant):
        raise ValueError("no queries, or one without relevant documents")
    return fmean(len(set(ranking[:k]) & right) / len(right) for ranking, right in zip(rankings, relevant))


def mrr(rankings: list[list[int]], relevant: list[set[int]]) -> float:
    """Return the mean reciprocal rank: how high up the first relevant document is.

    Args:
        rankings, relevant: as for `recall_at_k`.

    Returns:
        The mean over the queries of 1 / rank, where rank is the place, from 1, of the first relevant document
        in the whole ranking; 0 for a query with none found.

    Raises:
        ValueError: if there are no queries, or if a set of relevant documents is empty.

    Method: Voorhees, The TREC-8 Question Answering Track Report (1999),
    https://trec.nist.gov/pubs/trec8/papers/qa_report.pdf
    """
    if not rankings or not all(relevant):
        raise ValueError("no queries, or one without relevant documents")
    total = 0.0
    for ranking, right in zip(rankings, relevant):
        for place, document in enumerate(ranking, start=1):
            if document in right:
                total += 1 / place
                break
    return total / len(rankings)
