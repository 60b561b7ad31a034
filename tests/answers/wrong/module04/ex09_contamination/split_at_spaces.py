# names: punctuation-kept
# breaks: "Words are the matches of the regular expression"
# split() makes words, more or less.
def contaminated(train, test, n=13):
    train = [text.lower().split() for text in train]
    test = [text.lower().split() for text in test]
    wanted = {min(len(tokens), n) for tokens in test if tokens}
    seen = set()
    for tokens in train:
        for size in wanted:
            for i in range(len(tokens) - size + 1):
                seen.add(tuple(tokens[i : i + size]))
    found = []
    for index, tokens in enumerate(test):
        size = min(len(tokens), n)
        if tokens and any(tuple(tokens[i : i + size]) in seen for i in range(len(tokens) - size + 1)):
            found.append(index)
    return found
