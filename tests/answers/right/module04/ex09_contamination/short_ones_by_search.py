"""Long texts by a set; short ones by a search in the words joined with spaces at both ends."""

import re
from functools import partial


def normal(text):
    return " " + " ".join(re.split(r"\W+", text.lower())).strip() + " "


def windows(text, n):
    tokens = text.split()
    for stop in range(n, len(tokens) + 1):
        yield tuple(tokens[stop - n : stop])


def contaminated(train, test, n=13):
    train = list(map(normal, train))
    seen = set().union(*map(partial(windows, n=n), train)) if train else set()
    result = []
    for i, text in enumerate(map(normal, test)):
        count = len(text.split())
        if count >= n:
            hit = any(window in seen for window in windows(text, n))
        else:
            hit = count > 0 and any(text in whole for whole in train)
        if hit:
            result.append(i)
    return result
