# names: every-pair-compared
# breaks: "comparing every text with every other is not allowed"
import unicodedata


def normalize(text):
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def shingles(text):
    words = normalize(text).split(" ")
    if len(words) < 3:
        return {" ".join(words)}
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)}


def jaccard(a, b):
    return len(a & b) / len(a | b)


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    kept, kept_shingles = [], []
    for i, text in enumerate(texts):
        s = shingles(text)
        if any(jaccard(s, other) >= threshold for other in kept_shingles):
            continue
        kept.append(i)
        kept_shingles.append(s)
    return kept
