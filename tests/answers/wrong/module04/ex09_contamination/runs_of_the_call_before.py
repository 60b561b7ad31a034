# names: runs-kept-between-calls
# breaks: "consecutive, in the same order, in one training text"
# The set is outside of the function: what one call has seen, the next one finds.
import re

SEEN = set()


def contaminated(train: list[str], test: list[str], n: int = 13) -> list[int]:
    train_words, test_words = [words(text) for text in train], [words(text) for text in test]
    lengths = {len(text[:n]) for text in test_words if text}  # n, and the lengths of shorter texts.
    SEEN.update(run for text in train_words for length in lengths for run in runs(text, length))
    seen = SEEN
    return [i for i, text in enumerate(test_words) if text and not seen.isdisjoint(runs(text, len(text[:n])))]


def words(text):
    return re.findall(r"\w+", text.lower())


def runs(words, length):
    return [tuple(words[i : i + length]) for i in range(len(words) - length + 1)]
