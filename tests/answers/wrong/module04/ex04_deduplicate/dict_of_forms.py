# names: near-repeats-not-looked-for
# breaks: "at least nine in ten are found"
import unicodedata


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    first = {}
    for i, text in enumerate(texts):
        key = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        first.setdefault(key, i)
    return list(first.values())
