# names: punctuation-deleted
# breaks: "Words are the matches of the regular expression"
# Punctuation is deleted before the text is split at white space.

"""4.09 · Contamination: find the test questions that the model has seen in training.

A text that the model has already read tests nothing. Look for runs of words that both sides share.
"""

import string


def _words(text):
    return text.lower().translate(str.maketrans("", "", string.punctuation)).split()


def _runs(words, size):
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    asked = [_words(text) for text in test]
    sizes = {min(n, len(words)) for words in asked} - {0}
    known = set()
    for text in train:
        words = _words(text)
        for size in sizes:
            known |= _runs(words, size)
    found = []
    for index, words in enumerate(asked):
        size = min(n, len(words))
        if size and _runs(words, size) & known:
            found.append(index)
    return found
