"""Numbers for words and a rolling hash over them; a hit of the hash is confirmed on the words."""

import re

PRIME, MOD = 1_000_003, (1 << 61) - 1


def contaminated(train, test, n=13):
    numbers = {}

    def ids(text):
        return [numbers.setdefault(word, len(numbers) + 1) for word in re.findall(r"\w+", text.lower())]

    def hashes(tokens, length):
        top = pow(PRIME, length - 1, MOD)
        value = 0
        for position, token in enumerate(tokens):
            if position >= length:
                value = (value - tokens[position - length] * top) % MOD
            value = (value * PRIME + token) % MOD
            if position >= length - 1:
                yield value, position - length + 1

    train = [ids(text) for text in train]
    test = [ids(text) for text in test]
    tables = {length: {} for length in {min(n, len(tokens)) for tokens in test} - {0}}
    for number, tokens in enumerate(train):
        for length, table in tables.items():
            for value, start in hashes(tokens, length):
                table.setdefault(value, []).append((number, start))

    def is_hit(tokens):
        length = min(n, len(tokens))
        if not length:
            return False
        for value, start in hashes(tokens, length):
            for number, other in tables[length].get(value, []):
                if train[number][other : other + length] == tokens[start : start + length]:
                    return True
        return False

    return [index for index in range(len(test)) if is_hit(test[index])]
