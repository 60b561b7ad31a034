"""datasketch with weights that ask for recall; exact repeats by a dict first; all signatures in one go."""

from unicodedata import normalize

from datasketch import MinHash, MinHashLSH


class Document:
    def __init__(self, text):
        self.words = tuple(normalize("NFKC", text).casefold().split())
        n = max(len(self.words) - 2, 1)
        self.shingles = {self.words[k : k + 3] for k in range(n)}

    def similarity(self, other):
        common = len(self.shingles.intersection(other.shingles))
        return common / (len(self.shingles) + len(other.shingles) - common)


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("nothing to deduplicate")
    first = {}
    for i, text in enumerate(texts):
        document = Document(text)
        first.setdefault(document.words, (i, document))
    data = [["\x00".join(shingle).encode("utf8") for shingle in document.shingles] for _, document in first.values()]
    signatures = MinHash.bulk(data, num_perm=96, seed=11)
    lsh = MinHashLSH(threshold=max(threshold - 0.1, 0.05), num_perm=96, weights=(0.2, 0.8))
    kept = []
    by_index = {}
    for (i, document), signature in zip(first.values(), signatures, strict=True):
        if all(document.similarity(by_index[j]) < threshold for j in lsh.query(signature)):
            lsh.insert(i, signature)
            by_index[i] = document
            kept.append(i)
    return kept
