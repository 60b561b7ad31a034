"""4.03 · Quality filter: name what is wrong with an example, and keep the best of the rest.

These rules of thumb cost almost nothing to run. Each has false alarms, so each reports its name.
"""

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
    """Return `text` without code: blocks between ``` fences (the last may be unclosed) and `inline` code."""
    return re.sub(r"`[^`\n]+`", " ", re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL))


def is_other_language(text: str, language: str) -> bool:
    """Return whether most letters are in another script, or another language has far more of the stop words."""
    letters = [char for char in prose(text) if char.isalpha()]
    in_script = sum(unicodedata.name(char, "").startswith(LETTERS[language]) for char in letters)
    words = re.findall(r"\w+", prose(text).casefold())
    counts = {name: sum(word in stop_words for word in words) for name, stop_words in STOP_WORDS.items()}
    more_of_another = language in counts and max(counts.values()) > 2 * counts[language] + 2
    return 2 * in_script < len(letters) or more_of_another


def is_truncated(text: str) -> bool:
    """Return whether `text` has over 200 characters and ends in prose, but not at the end of a sentence."""
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
    """Return what is wrong with the completion of a record: the names of its issues, sorted by name.

    The completion is judged without white space (of any kind) at either end; the prompt is not judged.

    Args:
        record: `{"prompt": str, "completion": str}`; not changed.
        language: one of `LETTERS`: the language that the completion should be in.
        min_chars, max_chars: its shortest and longest allowed length, in characters as `len` counts them.
        max_repeat: the largest allowed share of repeats among its word 4-grams. Words are separated by white
            space. A 4-gram is four words in a row: n words have n - 3 of them, fewer than four have none. It
            is a repeat if the same four words in the same order also begin at an earlier word.

    Returns:
        A list of these names, each at most once; an empty list for a good record:

        - "empty": nothing is left. It is then the only issue.
        - "too_short", "too_long": fewer than `min_chars` characters, more than `max_chars`. A short answer
          such as "Paris." is good unless `min_chars` says otherwise.
        - "language": `is_other_language` says so. Accents, signs and emoji don't make it another language.
        - "repetition": more than `max_repeat` of the 4-grams are repeats.
        - "refusal": the completion starts with one of `REFUSALS` (other capitals may count or not). A refusal quoted
          later in the text doesn't count.
        - "truncated": `is_truncated` says so.
        - "markup": HTML tags (`<p>`, `</div>`, `<br/>`, `<a href="…">`) or HTML entities (`&nbsp;`, `&#39;`,
          `&#x27;`) are left, outside code blocks between ``` fences; those in `inline` code may count or not. A
          lone sign doesn't count: `2 < 3`, `R&D`. A word between `&` and `;` that names no entity may count or not.

    You may use `prose`, `is_other_language` and `is_truncated` as they are.

    Method: Rae et al., Scaling Language Models (2021), appendix A.1.1, https://arxiv.org/abs/2112.11446, for
    length, stop words and repeated n-grams.
    """
    # BEGIN SOLUTION: strip the completion, return early where nothing is left, then put each question to it.
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
        "truncated": is_truncated(text),
        "markup": bool(re.search(r"</?[a-z][^<>]*>|&#?\w+;", prose(text), re.IGNORECASE)),
    }
    return sorted(name for name, is_found in found.items() if is_found)
    # END SOLUTION


def best(records: list[dict], k: int, score: Callable[[dict], float]) -> list[dict]:
    """Return the `k` records with the highest scores.

    Args:
        records: one or more; neither the list nor the records are changed. The same record may appear twice.
        k: 0 or more. If there are fewer than `k` records, all of them are returned.
        score: gives the score of a record, any finite number.

    Returns:
        A new list, highest score first. Records with equal scores keep their order.

    Method: https://docs.python.org/3/howto/sorting.html#sort-stability-and-complex-sorts
    """
    # BEGIN SOLUTION: sort by score, highest first, and cut after k.
    return sorted(records, key=score, reverse=True)[:k]
    # END SOLUTION
