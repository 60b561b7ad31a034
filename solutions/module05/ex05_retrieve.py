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
    # BEGIN SOLUTION: count tokens for each document and documents for each token, then add up the formula.
    return _Index(documents).scores(query, k1, b) if documents else []
    # END SOLUTION


# BEGIN SOLUTION
class _Index:
    """What BM25 has to know about the documents, counted once for any number of queries; there is at least one."""

    def __init__(self, documents: list[str]):
        counts = [Counter(_tokens(document)) for document in documents]
        self.documents = [(count, count.total()) for count in counts]
        self.average = sum(length for _, length in self.documents) / len(documents)
        document_frequency = Counter(token for count in counts for token in count)
        self.idf = {}
        for token, df in document_frequency.items():
            self.idf[token] = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))

    def scores(self, query: str, k1: float, b: float) -> list[float]:
        tokens = _tokens(query)
        scores = []
        for count, length in self.documents:
            score = 0.0
            for token in tokens:
                if tf := count[token]:
                    score += self.idf[token] * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / self.average))
            scores.append(score)
        return scores


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


# END SOLUTION
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
    # BEGIN SOLUTION: cosines, 0 for a vector of zeros; then a stable sort, the largest first.
    cosines = _unit(doc_vecs) @ _unit(query_vec)
    return np.argsort(-cosines, kind="stable")[:k].tolist()
    # END SOLUTION


# BEGIN SOLUTION
def _unit(vectors: np.ndarray) -> np.ndarray:
    """The vectors, which are the last dimension, at length 1; a vector of zeros stays one."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    largest[largest == 0] = 1
    scaled = vectors / largest  # In float32 the squares of 1e25 are inf, and those of 1e-25 are 0.
    lengths = np.linalg.norm(scaled, axis=-1, keepdims=True)
    lengths[lengths == 0] = 1
    return scaled / lengths


# END SOLUTION


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
    # BEGIN SOLUTION: for each query the share of its relevant documents that was found; their mean.
    if not rankings or not all(relevant):
        raise ValueError(f"there must be queries, and each needs a relevant document: {relevant}")

    def recall(ranking: list[int], right: set[int]) -> float:
        return len(set(ranking[:k]) & right) / len(right)

    return fmean(map(recall, rankings, relevant))
    # END SOLUTION


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
    # BEGIN SOLUTION: for each query one divided by the place of the first relevant document; their mean.
    if not rankings or not all(relevant):
        raise ValueError(f"there must be queries, and each needs a relevant document: {relevant}")

    def reciprocal_rank(ranking: list[int], right: set[int]) -> float:
        for rank, document in enumerate(ranking, start=1):
            if document in right:
                return 1 / rank
        return 0.0

    return fmean(map(reciprocal_rank, rankings, relevant))
    # END SOLUTION
