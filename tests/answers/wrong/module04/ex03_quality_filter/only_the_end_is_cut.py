# names: unlisted
# breaks: "without white space (of any kind) at either end"
# is_truncated gets the completion without the white space at its end alone: blanks before it make it long.

import re
import unicodedata
from collections.abc import Callable

# The script of each language: the first word of its letters' Unicode names.
LETTERS = {"en": "LATIN", "de": "LATIN", "fr": "LATIN", "el": "GREEK", "ru": "CYRILLIC", "zh": "CJK"}
# Words that longer texts in a language always contain, and texts in the others rarely do.
STOP_WORDS = {
    "en": frozenset("the of and to is that it with for this are you".split()),
    "de": frozenset("der die das und ist nicht ein eine mit von zu auf".split()),
    "fr": frozenset("le la les des et est une dans pour que pas avec".split()),
}
# How a model's refusal begins; both apostrophes occur.
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
    return re.sub(r"`[^`\n]+`", " ", re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL))


def is_other_language(text: str, language: str) -> bool:
    letters = [char for char in prose(text) if char.isalpha()]
    in_script = sum(unicodedata.name(char, "").startswith(LETTERS[language]) for char in letters)
    words = re.findall(r"\w+", prose(text).casefold())
    counts = {name: sum(word in stop_words for word in words) for name, stop_words in STOP_WORDS.items()}
    more_of_another = language in counts and max(counts.values()) > 2 * counts[language] + 2
    return 2 * in_script < len(letters) or more_of_another


def is_truncated(text: str) -> bool:
    end = prose(text.rstrip())[-1:]  # A space where it ends in code.
    return len(text) > 200 and end not in set(" .!?…:;。！？\"'”’»)*")


def quality_issues(
    record: dict,
    *,
    language: str = "en",
    min_chars: int = 1,
    max_chars: int = 8000,
    max_repeat: float = 0.3,
) -> list[str]:
    text = record["completion"].strip()
    if not text:
        return ["empty"]
    words = text.split()
    fourgrams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    repeats = len(fourgrams) - len(set(fourgrams))
    found = {
        "too_short": len(text) < min_chars,
        "too_long": len(text) > max_chars,
        "language": is_other_language(text, language),
        "repetition": repeats > max_repeat * len(fourgrams),
        "refusal": text.startswith(REFUSALS),
        "truncated": is_truncated(record["completion"].rstrip()),
        "markup": bool(re.search(r"</?[a-z][^<>]*>|&#?\w+;", prose(text), re.IGNORECASE)),
    }
    return sorted(name for name, is_found in found.items() if is_found)


def best(records: list[dict], k: int, score: Callable[[dict], float]) -> list[dict]:
    return sorted(records, key=score, reverse=True)[:k]
