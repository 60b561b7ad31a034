# names: compared-in-sorted-order
# breaks: "All texts with an equal normal form are found"
# Sorts the texts and compares each with the one before it in that order: what differs at the beginning is far apart.
import unicodedata


def deduplicate(texts, threshold=0.8):
    if not texts:
        raise ValueError("no texts")
    rows = []
    for i, text in enumerate(texts):
        words = unicodedata.normalize("NFKC", text).casefold().split()
        rows.append((words, i, {tuple(words[k : k + 3]) for k in range(max(1, len(words) - 2))}))
    rows.sort(key=lambda row: row[:2])
    kept, last = [], None
    for _, i, s in rows:
        if last is None or len(s & last) / len(s | last) < threshold:
            kept.append(i)
            last = s
    return sorted(kept)
