# names: frequent-runs-ignored
# breaks: "a text of n words or more, if n consecutive words of it are also consecutive"
# Runs that come more than ten times are taken for boilerplate, as in the paper.
import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    def words_of(text):
        return re.findall("\\w+", text.lower())

    questions = [words_of(text) for text in test]
    sizes = {min(n, len(words)) for words in questions if words}
    counts = {}
    for text in train:
        words = words_of(text)
        for size in sizes:
            for i in range(len(words) - size + 1):
                run = tuple(words[i : i + size])
                counts[run] = counts.get(run, 0) + 1
    runs = {run for run, count in counts.items() if count <= 10}
    found = []
    for index, words in enumerate(questions):
        size = min(n, len(words))
        if size and any(tuple(words[i : i + size]) in runs for i in range(len(words) - size + 1)):
            found.append(index)
    return found
