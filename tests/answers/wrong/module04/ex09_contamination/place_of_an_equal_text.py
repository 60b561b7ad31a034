# names: index-of-an-equal-text
# breaks: "The indices (plain ints, from 0) of the contaminated test texts"
# The index is that of the first equal text.
import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    def words_of(text):
        return re.findall("\\w+", text.lower())

    questions = [words_of(text) for text in test]
    sizes = {min(n, len(words)) for words in questions if words}
    runs = set()
    for text in train:
        words = words_of(text)
        for size in sizes:
            for i in range(len(words) - size + 1):
                runs.add(tuple(words[i : i + size]))
    found = []
    for index, words in enumerate(questions):
        size = min(n, len(words))
        if size and any(tuple(words[i : i + size]) in runs for i in range(len(words) - size + 1)):
            found.append(test.index(test[index]))
    return found
