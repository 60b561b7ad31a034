# names: long-refusal-not-seen
# breaks: "the completion starts with one of `REFUSALS`"
# A refusal is short; a long one goes on to help.

"""4.03 · Quality filter: say what is wrong with an example, and keep the best of the rest.

Rules of thumb that cost nothing to run. Each one has false alarms, and so each says its name.
"""

import re
import unicodedata

# The script that a language is written in, as the Unicode names of its letters begin.
LETTERS = {"en": "LATIN", "de": "LATIN", "fr": "LATIN", "el": "GREEK", "ru": "CYRILLIC", "zh": "CJK"}
# Words that every longer text of a language holds, and texts of the others seldom.
STOP_WORDS = {
    "en": frozenset("the of and to is that it with for this are you".split()),
    "de": frozenset("der die das und ist nicht ein eine mit von zu auf".split()),
    "fr": frozenset("le la les des et est une dans pour que pas avec".split()),
}
# How a model begins when it does not answer; both apostrophes occur.
REFUSALS = (
    "I'm sorry, but I can",
    "I’m sorry, but I can",
    "I apologize, but I can",
    "I cannot assist with",
    "I can't help with",
    "I can’t help with",
    "As an AI language model",
)


def prose(text: str) -> str:
    """Return `text` without code: blocks between ``` fences (the last may lack its end) and `inline` code."""
    return re.sub(r"`[^`\n]+`", " ", re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL))


def is_other_language(text: str, language: str) -> bool:
    """Return whether most letters are of another script, or another language has more of the stop words."""
    letters = [char for char in prose(text) if char.isalpha()]
    in_script = sum(unicodedata.name(char, "").startswith(LETTERS[language]) for char in letters)
    words = re.findall(r"\w+", prose(text).casefold())
    counts = {name: sum(word in stop_words for word in words) for name, stop_words in STOP_WORDS.items()}
    more_of_another = language in counts and max(counts.values()) > 2 * counts[language] + 2
    return 2 * in_script < len(letters) or more_of_another


def is_truncated(text: str) -> bool:
    """Return whether `text` has over 200 characters and ends in prose, but not where a sentence does."""
    end = prose(text.rstrip())[-1:]  # A space where it ends in code.
    return len(text) > 200 and end not in set(" .!?…:;。！？\"'”’»)*")


def repeats(words):
    seen, count, total = [], 0, 0
    for i in range(3, len(words)):
        gram = words[i - 3 : i + 1]
        count += gram in seen
        seen.append(gram)
        total += 1
    return count, total


def quality_issues(record, *, language="en", min_chars=1, max_chars=8000, max_repeat=0.3):
    text = record["completion"].strip()
    issues = []
    if text == "":
        return ["empty"]
    if is_other_language(text, language):
        issues.append("language")
    if re.search(
        r"</?[A-Za-z][A-Za-z0-9]*(\s[^<>]*)?/?>|&(#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);",
        re.sub(r"```.*?(```|\Z)", " ", text, flags=re.S),
    ):
        issues.append("markup")
    if len(text) < 200 and any(text[: len(start)] == start for start in REFUSALS):
        issues.append("refusal")
    count, total = repeats(text.split())
    if total and count / total > max_repeat:
        issues.append("repetition")
    if len(text) > max_chars:
        issues.append("too_long")
    if len(text) < min_chars:
        issues.append("too_short")
    if is_truncated(text):
        issues.append("truncated")
    return issues


def best(records, k, score):
    import heapq

    return heapq.nlargest(k, records, key=score)
