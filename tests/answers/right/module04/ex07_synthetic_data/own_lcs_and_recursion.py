"""An own ROUGE-L, a hand-written scanner for the JSON's end, plain-text prompts."""

import json
import re
from types import SimpleNamespace


def lcs(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        last = 0
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], last + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def f_score(a, b):
    a, b = re.findall(r"\w+", a.lower()), re.findall(r"\w+", b.lower())
    common = lcs(a, b)
    if not common:
        return 0.0
    precision, recall = common / len(a), common / len(b)
    return 2 * precision * recall / (precision + recall)


def whole_values(text):
    """Each piece of text that starts with a bracket, up to where it is closed outside of strings."""
    for start, sign in enumerate(text):
        if sign not in "{[":
            continue
        depth, in_string, escaped = 0, False, False
        for end in range(start, len(text)):
            c = text[end]
            if in_string:
                in_string = escaped or c != '"'
                escaped = c == "\\" and not escaped
            elif c == '"':
                in_string = True
            elif c in "{[":
                depth += 1
            elif c in "}]":
                depth -= 1
                if depth == 0:
                    yield text[start : end + 1]
                    break


def parse(reply):
    if "```" in reply:
        inside = reply.split("```")[1]
        reply = inside.split("\n", 1)[1] if "\n" in inside else inside
    for piece in whole_values(reply):
        try:
            value = json.loads(piece)
        except ValueError:
            continue
        return value if isinstance(value, list) else [value]
    return None


def generate_examples(llm, seeds, n, rng, *, max_calls=None, retries=2):
    left = 10 * n if max_calls is None else max_calls
    result = SimpleNamespace(records=[], calls=0, malformed=0, too_similar=0, errors=0)

    def ask(prompt):
        attempts = 0
        while attempts <= retries and result.calls < left:
            attempts += 1
            result.calls += 1
            try:
                return llm(prompt)
            except Exception as error:
                failure = error
        return failure if attempts > retries else None

    while result.calls < left and len(result.records) < n:
        order = list(range(len(seeds)))
        rng.shuffle(order)
        shown = "\n\n".join(f"Q: {seeds[i]['instruction']}\nA: {seeds[i]['output']}" for i in order[:3])
        reply = ask(f"{shown}\n\nAnother one, as JSON with instruction and output:")
        if isinstance(reply, Exception):
            result.errors += 1
            continue
        if reply is None:
            break
        items = parse(reply)
        if items is None:
            result.malformed += 1
            continue
        for item in items:
            if len(result.records) >= n:
                return result
            match item:
                case {"instruction": str(question), "output": str(reply)} if question and reply:
                    others = [s["instruction"] for s in seeds] + [r["instruction"] for r in result.records]
                    if max((f_score(question, other) for other in others), default=0) >= 0.7:
                        result.too_similar += 1
                    else:
                        result.records.append(dict(source="synthetic", instruction=question, output=reply))
                case _:
                    result.malformed += 1
    return result
