# names: more-than-there-are-refused
# breaks: "If there are fewer than `k` records, all of them are returned."
# Asking for more than there is must be a mistake.

import heapq
import re
import unicodedata
from collections import Counter

SCRIPTS = {"en": "LATIN", "de": "LATIN", "fr": "LATIN", "el": "GREEK", "ru": "CYRILLIC", "zh": "CJK"}
COMMON = {
    "en": set("the of and to is that it with for this are you".split()),
    "de": set("der die das und ist nicht ein eine mit von zu auf".split()),
    "fr": set("le la les des et est une dans pour que pas avec".split()),
}
REFUSALS = (
    "i'm sorry, but i can",
    "i apologize, but",
    "i cannot assist with",
    "i can't help with",
    "as an ai language",
)
TAG = re.compile(r"<(?:/\s*)?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>")
ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")


def outside_fences(text):
    return "\n".join(text.split("```")[::2])


def has_repetition(text, limit):
    words = text.split()
    grams = Counter(zip(words, words[1:], words[2:], words[3:], strict=False))
    total = sum(grams.values())
    if total == 0:
        return False
    return sum(count - 1 for count in grams.values()) / total > limit


def is_foreign(text, language):
    letters = [c for c in outside_fences(text) if c.isalpha()]
    if not letters:
        return False
    own = [c for c in letters if unicodedata.name(c, "").split(" ")[0].startswith(SCRIPTS[language])]
    if len(own) < len(letters) / 2:
        return True
    if language not in COMMON:
        return False
    words = Counter(re.findall(r"[^\W\d_]+", outside_fences(text).lower()))
    share = {code: sum(words[w] for w in stop) for code, stop in COMMON.items()}
    return any(share[code] > 2 * share[language] + 2 for code in share if code != language)


def breaks_off(text):
    if len(text) <= 200 or text.endswith("```") or text.count("```") % 2:
        return False
    return unicodedata.category(text[-1])[0] in "LN" or text[-1] in ",-("


def quality_issues(record, *, language="en", min_chars=1, max_chars=8000, max_repeat=0.3):
    text = record["completion"].strip()
    if text == "":
        return ["empty"]
    issues = []
    if len(text) < min_chars:
        issues.append("too_short")
    elif len(text) > max_chars:
        issues.append("too_long")
    if is_foreign(text, language):
        issues.append("language")
    if has_repetition(text, max_repeat):
        issues.append("repetition")
    if text.replace("’", "'").lower().startswith(REFUSALS):
        issues.append("refusal")
    if breaks_off(text):
        issues.append("truncated")
    markup_place = outside_fences(text)
    if TAG.search(markup_place) or ENTITY.search(markup_place):
        issues.append("markup")
    issues.sort()
    return issues


def best(records, k, score):
    if k > len(records):
        raise ValueError(f"{k} of {len(records)} records")
    return heapq.nlargest(k, records, key=score)
