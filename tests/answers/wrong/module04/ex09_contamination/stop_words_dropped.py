# names: words-left-out
# breaks: "Words are the matches of the regular expression"
# Words are stemmed a little and stop words are dropped "so that more is found".
import re

STOP = {"the", "a", "an", "to", "in", "it", "s", "is", "of", "and"}


def tokens_of(text):
    return [word for word in re.findall(r"\w+", text.lower()) if word not in STOP]


def contaminated(train, test, n=13):
    train = [tokens_of(text) for text in train]
    test = [tokens_of(text) for text in test]
    sizes = {min(len(tokens), n) for tokens in test if tokens}
    seen = {tuple(t[i : i + size]) for t in train for size in sizes for i in range(len(t) - size + 1)}
    found = []
    for index, tokens in enumerate(test):
        size = min(len(tokens), n)
        if tokens and any(tuple(tokens[i : i + size]) in seen for i in range(len(tokens) - size + 1)):
            found.append(index)
    return found
