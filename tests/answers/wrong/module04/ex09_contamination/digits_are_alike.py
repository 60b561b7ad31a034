# names: digits-are-alike
# breaks: "if n consecutive words of it are also consecutive, in the same order, in one training text."
# Digits are replaced before words are compared, as some cleaners do.

import re


def contaminated(train, test, n=13):
    read = [[m.group() for m in re.finditer(r"\w+", re.sub(r"\d", "0", t.lower()))] for t in train]
    joined = [" " + " ".join(words) + " " for words in read]
    known = {}
    for words in read:
        for i in range(len(words) - n + 1):
            known.setdefault(hash(tuple(words[i : i + n])), []).append(words[i : i + n])

    def hit(text):
        words = re.findall(r"\w+", re.sub(r"\d", "0", text.lower()))
        if not words:
            return False
        if len(words) < n:
            return any(f" {' '.join(words)} " in j for j in joined)
        for i in range(len(words) - n + 1):
            run = words[i : i + n]
            if run in known.get(hash(tuple(run)), ()):
                return True
        return False

    return [i for i, t in enumerate(test) if hit(t)]
