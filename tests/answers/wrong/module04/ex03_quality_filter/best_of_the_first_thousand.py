# names: unlisted
# breaks: "the `k` records with the highest scores"
# Only the first thousand records are looked at.

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

    inside, lines = False, []
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            lines.append(line)
    plain = "\n".join(lines)

    words = text.split()
    starts = {}
    for i in range(len(words) - 3):
        starts.setdefault(" ".join(words[i : i + 4]), []).append(i)
    repeated = sum(len(places) - 1 for places in starts.values())

    problems = []
    if re.search(r"<[/a-zA-Z][^>]*>", plain) or re.search(r"&#?[0-9a-zA-Z]+;", plain):
        problems.append("markup")
    if text.casefold().startswith(tuple(r.casefold() for r in REFUSALS)):
        problems.append("refusal")
    if repeated > 0 and repeated / max(1, len(words) - 3) > max_repeat:
        problems.append("repetition")
    if is_other_language(text, language):
        problems.append("language")
    if is_truncated(text):
        problems.append("truncated")
    if len(text) < min_chars:
        problems.append("too_short")
    if len(text) > max_chars:
        problems.append("too_long")
    return sorted(problems)


def best(records, k, score):
    chosen = []
    for record in records[:1000]:
        value = score(record)
        place = len(chosen)
        while place > 0 and chosen[place - 1][0] < value:
            place -= 1
        chosen.insert(place, (value, record))
    return [record for _, record in chosen[:k]]
