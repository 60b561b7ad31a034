# names: divides-by-zero
# breaks: "fewer than four have none"
# Divides by the number of 4-grams, and a short answer has none.
import re
import unicodedata

LETTERS = {"en": "LATIN", "de": "LATIN", "fr": "LATIN", "el": "GREEK", "ru": "CYRILLIC", "zh": "CJK"}
STOP_WORDS = {
    "en": frozenset("the of and to is that it with for this are you".split()),
    "de": frozenset("der die das und ist nicht ein eine mit von zu auf".split()),
    "fr": frozenset("le la les des et est une dans pour que pas avec".split()),
}
REFUSALS = (
    "I'm sorry, but I can",
    "I’m sorry, but I can",
    "I apologize, but I can",
    "I cannot assist with",
    "I can't help with",
    "I can’t help with",
    "As an AI language model",
)


def prose(text):
    return re.sub(r"`[^`\n]+`", " ", re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL))


def is_other_language(text, language):
    letters = [char for char in prose(text) if char.isalpha()]
    in_script = sum(unicodedata.name(char, "").startswith(LETTERS[language]) for char in letters)
    words = re.findall(r"\w+", prose(text).casefold())
    counts = {name: sum(word in stop_words for word in words) for name, stop_words in STOP_WORDS.items()}
    more_of_another = language in counts and max(counts.values()) > 2 * counts[language] + 2
    return 2 * in_script < len(letters) or more_of_another


def is_truncated(text):
    end = prose(text.rstrip())[-1:]
    return len(text) > 200 and end not in set(" .!?…:;。！？\"'”’»)*")


def quality_issues(record, *, language="en", min_chars=1, max_chars=8000, max_repeat=0.3):
    text = record["completion"].strip()
    if not text:
        return ["empty"]
    issues = []
    if len(text) < min_chars:
        issues.append("too_short")
    if len(text) > max_chars:
        issues.append("too_long")
    if is_other_language(text, language):
        issues.append("language")
    words = text.split()
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    share = 1 - len(set(grams)) / len(grams)
    if share > max_repeat:
        issues.append("repetition")
    if text.startswith(REFUSALS):
        issues.append("refusal")
    if is_truncated(text):
        issues.append("truncated")
    if re.search(r"</?[A-Za-z][^<>]*>|&#?\w+;", prose(text)):
        issues.append("markup")
    return sorted(issues)


def best(records, k, score):
    return sorted(records, key=score, reverse=True)[:k]
