# names: short-texts-as-substrings
# breaks: "as a run of whole words"
# Everything is joined by spaces and searched for; at the ends of a run nothing guards the words.
import re


def contaminated(train, test, n=13):
    train_tokens = [re.findall(r"\w+", text.lower()) for text in train]
    joined = [" ".join(tokens) for tokens in train_tokens]
    seen = {tuple(t[i : i + n]) for t in train_tokens for i in range(len(t) - n + 1)}
    found = []
    for index, text in enumerate(test):
        tokens = re.findall(r"\w+", text.lower())
        if len(tokens) >= n:
            if any(tuple(tokens[i : i + n]) in seen for i in range(len(tokens) - n + 1)):
                found.append(index)
        elif tokens and any(" ".join(tokens) in text for text in joined):
            found.append(index)
    return found
