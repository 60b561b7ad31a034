# names: words-joined-or-parted
# breaks: "Words are the matches of the regular expression"
# A hyphen at the end of a line is taken out: tele and vision become one.
import re


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    train_words, test_words = [words(text) for text in train], [words(text) for text in test]
    lengths = {len(text[:n]) for text in test_words if text}  # n, and the lengths of shorter texts.
    seen = {run for text in train_words for length in lengths for run in runs(text, length)}
    return [i for i, text in enumerate(test_words) if text and not seen.isdisjoint(runs(text, len(text[:n])))]


def words(text):
    return re.findall(r"\w+", text.lower().replace("-\n", ""))


def runs(words, length):
    return [tuple(words[i : i + length]) for i in range(len(words) - length + 1)]
