# names: score-written-into-the-records
# breaks: "neither the list nor the records are changed"
# Keeps the score where it is needed later.

import html
import re
import unicodedata
from html.parser import HTMLParser

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


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = 0

    def handle_starttag(self, tag, attrs):
        self.found += 1

    def handle_endtag(self, tag):
        self.found += 1


def has_markup(text):
    parser = Tags()
    parser.feed(text)
    parser.close()
    without_signs = re.sub(r"&(?![#\w]+;)", "and", text)
    return parser.found > 0 or html.unescape(without_signs) != without_signs


def quality_issues(record, *, language="en", min_chars=1, max_chars=8000, max_repeat=0.3):
    completion = record["completion"].strip()
    if len(completion) == 0:
        return ["empty"]
    issues = set()
    if not min_chars <= len(completion) <= max_chars:
        issues.add("too_short" if len(completion) < min_chars else "too_long")
    if is_other_language(completion, language):
        issues.add("language")
    words, seen, repeats, total = completion.split(), set(), 0, 0
    for i in range(3, len(words)):
        gram = " ".join(words[i - 3 : i + 1])
        repeats += gram in seen
        total += 1
        seen.add(gram)
    if total > 0 and repeats / total > max_repeat:
        issues.add("repetition")
    if any(completion.startswith(beginning) for beginning in REFUSALS):
        issues.add("refusal")
    if is_truncated(completion):
        issues.add("truncated")
    if has_markup(prose(completion)):
        issues.add("markup")
    return sorted(issues)


def best(records, k, score):
    scores = [record.setdefault("score", score(record)) for record in records]
    order = sorted(range(len(records)), key=lambda i: (-scores[i], i))
    return [dict(records[i]) for i in order[:k]]
