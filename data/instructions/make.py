"""Makes raw.jsonl, records with every fault that real ones have, and manifest.json, which says what is wrong where.

The good records are the 175 questions and answers of the Python FAQ in ../pydocs; the faults are made of them with a
fixed seed, and the same files come out each time. Run: python data/instructions/make.py [FOLDER]
"""

import gzip
import json
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYDOCS = HERE.parent / "pydocs"
FORMATS = ("alpaca", "sharegpt", "prompt_completion", "messages")
SYSTEM = ["You are a helpful assistant.", "You answer questions on Python for programmers. Be exact."]
OTHER_LANGUAGES = [
    "Das hängt davon ab, was man vorhat. In den meisten Fällen ist die Standardbibliothek der richtige Ort.",
    "Nein, das ist nicht möglich. Man kann die Funktion aber mit einem Dekorator umgeben und das Ergebnis prüfen.",
    "Die Liste wird nicht kopiert, sondern es wird nur ein zweiter Name für dasselbe Objekt angelegt.",
    "C'est une question fréquente. Les objets ne sont pas copiés, ils sont partagés par les deux noms.",
    "Vous pouvez utiliser le module json pour lire les données, et une liste pour les garder dans la mémoire.",
    "Il faut installer une version de Python qui est plus récente, et ensuite lancer le programme dans un terminal.",
    "No se puede hacer de esa forma, pero se puede usar una función que devuelve los valores como una tupla.",
    "Los módulos se cargan una sola vez por proceso. Para cargar el módulo otra vez hay que llamar a reload.",
    "Οι συμβολοσειρές είναι αμετάβλητες. Για να αλλάξετε έναν χαρακτήρα, φτιάξτε μια νέα συμβολοσειρά.",
    "Это зависит от версии интерпретатора. Чаще всего достаточно установить пакет заново и перезапустить программу.",
    "文字列は変更できません。新しい文字列を作るか、リストに変換してから要素を置き換えてください。",
    "这取决于您使用的版本。通常只需要重新安装该软件包，然后重新启动程序即可。",
]
REFUSALS = [
    "I'm sorry, but I can't help with that request.",
    "As an AI language model, I do not have access to the Python documentation, so I am not able to answer this.",
    "I cannot answer this question. Please consult a professional programmer.",
    "I’m sorry, but as an AI I don't have enough information to answer.",
    "Unfortunately, I cannot run code, so I cannot say what happens here.",
    "I am unable to assist with questions about the internals of a programming language.",
    "Great question! Sadly, this goes beyond what I am able to do for you.",
    "Thank you for asking. My guidelines do not allow me to answer questions of this kind.",
]
OPENINGS = ["Hello! {}", "Quick question: {}", "I am new to Python. {}", "{} Thanks in advance!", "Please help: {}"]
CLOSINGS = ["Hope this helps!", "Let me know if anything is unclear.", "See the Python FAQ for more."]
REWORDINGS = {"often": "frequently", "however": "but", "use": "employ", "because": "since", "simply": "just"}


# ---------------------------------------------------------------- how a conversation is written down
def written(question: str, answer, form: str, rng: random.Random) -> dict:
    system = rng.choice(SYSTEM) if rng.random() < 0.2 else None
    if form == "alpaca":
        return {"instruction": question, "input": "", "output": answer}
    if form == "prompt_completion":
        return {"prompt": question, "completion": answer}
    if form == "sharegpt":
        turns = [("human", question), ("gpt", answer)]
        record = {"conversations": [{"from": role, "value": text} for role, text in turns]}
        return {"system": system, **record} if system else record
    turns = [("system", system)] if system else []
    turns += [("user", question), ("assistant", answer)]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


# ---------------------------------------------------------------- how texts are spoilt
def shingles(text: str) -> set[str]:
    words = text.casefold().split()
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def jaccard(a: str, b: str) -> float:
    a, b = shingles(a), shingles(b)
    return len(a & b) / len(a | b)


def is_prose(paragraph: str) -> bool:
    return not re.search(r"^(   |\t|>>>|\* |- )", paragraph, re.M) and "`" not in paragraph


def near_copy(question: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """Another opening, a closing, a reworded word or two: a Jaccard of 0.85 to 0.99."""
    words = answer.split(" ")
    known = [i for i, word in enumerate(words) if word in REWORDINGS]
    for i in known[:2]:
        words[i] = REWORDINGS[words[i]]
    new = (rng.choice(OPENINGS).format(question), f"{' '.join(words)}\n\n{rng.choice(CLOSINGS)}")
    return new if 0.85 <= jaccard("\n".join(new), f"{question}\n{answer}") < 0.99 else None


def paraphrase(question: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """The question asked in other words, the answer without one or two of its paragraphs: 0.65 to 0.77."""
    paragraphs = answer.split("\n\n")
    new_question = rng.choice(OPENINGS).format(question)
    choices = [[p for i, p in enumerate(paragraphs) if i not in gone] for gone in pairs_of(len(paragraphs))]
    rng.shuffle(choices)
    for kept in choices:
        shorter = "\n\n".join(kept)
        fits = kept and is_prose(kept[-1]) and kept[-1][-1] in ".!?"
        if fits and 0.65 <= jaccard(f"{new_question}\n{shorter}", f"{question}\n{answer}") <= 0.77:
            return new_question, shorter
    return None


def pairs_of(n: int) -> list[set[int]]:
    return [{i} for i in range(n)] + [{i, j} for i in range(n) for j in range(i)]


def truncated(question: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """Cut after a word that ends no sentence, in prose, after half of the answer or later."""
    places, at = [], 0
    for paragraph in answer.split("\n\n"):
        if is_prose(paragraph):
            words = [(at + m.end(), m[0]) for m in re.finditer(r"\S+", paragraph)][3:-1]
            places += [end for end, word in words if word[-1].isalnum() and end > max(220, len(answer) / 2)]
        at += len(paragraph) + 2
    return (question, answer[: rng.choice(places)]) if places else None


def truncated_in_code(question: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """Cut within code, where no rule on sentences sees it."""
    blocks = [m.end() for m in re.finditer(r"^   .*\w", answer, re.M) if m.end() > max(220, len(answer) * 0.7)]
    return (question, answer[: blocks[0]]) if blocks and blocks[0] < len(answer) - 40 else None


def as_html(question: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    paragraphs = answer.split("\n\n")
    if not all(is_prose(p) for p in paragraphs):
        return None
    paragraphs = [p.replace("\n", "<br/>\n").replace('"', "&quot;").replace("  ", "&nbsp; ") for p in paragraphs]
    return question, "\n".join(f"<p>{p}</p>" for p in paragraphs)


def mojibake(question: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """UTF-8 read as Windows-1252: an apostrophe becomes three characters."""
    spoilt = answer.replace("'", "’").encode("utf-8").decode("cp1252")
    return (question, spoilt) if "â€™" in spoilt else None


def repetition(question: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    sentence = answer.split(". ")[0].replace("\n", " ")
    return (question, ". ".join([sentence] * 12) + ".") if len(sentence.split()) >= 6 else None


def broken(line: str, rng: random.Random) -> str:
    """No JSON: cut off, with the quotation marks of Python, with a comma too many, or two objects in one line."""
    kind = rng.randrange(4)
    if kind == 0:
        return line[: rng.randrange(20, len(line) - 2)]
    if kind == 1:
        return repr(json.loads(line))
    return line[:-1] + ",}" if kind == 2 else line + line


def misshapen(question: str, answer: str, number: int) -> dict:
    """JSON, and no conversation."""
    user, assistant = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    return [
        {"question": question, "answer": answer},
        {"messages": [user]},
        {"messages": [user, user, assistant]},
        {"conversations": [{"from": "human", "value": question}, {"from": "bot", "value": answer}]},
        {"prompt": question, "completion": None},
        {"instruction": question, "output": answer, "messages": [user, assistant]},
    ][number % 6]


# ---------------------------------------------------------------- all of it
def make() -> tuple[str, dict]:
    rng = random.Random(410)
    with open(PYDOCS / "faq_qa.jsonl", encoding="utf-8") as file:
        faq = [json.loads(line) for line in file]
    with gzip.open(PYDOCS / "passages.jsonl.gz", "rt", encoding="utf-8") as file:
        passages = [json.loads(line) for line in file]
    records = []  # (line, fault, format, id of the FAQ)

    def add(pair, source: str, fault: str | None = None, form: str | None = None) -> None:
        form = form or rng.choice(FORMATS)
        line = json.dumps(written(*pair, form, rng), ensure_ascii=rng.random() < 0.3)
        records.append((line, fault, form, source))

    for entry in faq:
        add((entry["question"], entry["answer"]), entry["id"])
    spoilers = [
        ("near_duplicate", near_copy, 24),
        ("paraphrase", paraphrase, 24),
        ("truncated", truncated, 16),
        ("truncated", truncated_in_code, 4),
        ("markup", as_html, 12),
        ("encoding", mojibake, 8),
        ("repetition", repetition, 8),
    ]
    for fault, spoil, count in spoilers:
        # An entry is spoilt once in one way; paraphrases may be two of one question.
        candidates = faq * 2 if fault == "paraphrase" else list(faq)
        rng.shuffle(candidates)
        spoilt = ((spoil(entry["question"], entry["answer"], rng), entry) for entry in candidates)
        for pair, entry in [found for found in spoilt if found[0]][:count]:
            add(pair, entry["id"], fault)
    for number, entry in enumerate(rng.sample(faq, 24)):
        question, answer = entry["question"], entry["answer"]
        if number % 3 == 0:  # Equal but for case and white space.
            question, answer = question.upper() + " ", answer.replace("\n\n", "\n \n")
        add((question, answer), entry["id"], "exact_duplicate")
    for entry, answer in zip(rng.sample(faq, len(OTHER_LANGUAGES)), OTHER_LANGUAGES, strict=True):
        add((entry["question"], answer), entry["id"], "language")
    for number, entry in enumerate(rng.sample(faq, 12)):
        add((entry["question"], REFUSALS[number % len(REFUSALS)]), entry["id"], "refusal")
    for number, entry in enumerate(rng.sample(faq, 12)):
        add((entry["question"], ("", " \n", "\u00a0")[number % 3]), entry["id"], "empty")
    for entry in rng.sample(faq, 6):
        parts = rng.sample(passages, 24)
        add((f"Summarise this:\n\n{entry['question']}", "\n\n".join(p["text"] for p in parts)), entry["id"], "too_long")
    for entry in rng.sample(faq, 12):
        line = json.dumps(written(entry["question"], entry["answer"], rng.choice(FORMATS), rng))
        records.append((broken(line, rng), "broken_json", None, entry["id"]))
    for number, entry in enumerate(rng.sample(faq, 12)):
        line = json.dumps(misshapen(entry["question"], entry["answer"], number))
        records.append((line, "no_conversation", None, entry["id"]))

    rng.shuffle(records)
    names = ("line", "fault", "format", "source")
    lines = [dict(zip(names, (number, *rest), strict=True)) for number, (_, *rest) in enumerate(records, start=1)]
    faults = sorted({fault for _, fault, *_ in records if fault})
    counts = {fault: sum(record[1] == fault for record in records) for fault in faults}
    counts["clean"] = len(faq)
    return "".join(line + "\n" for line, *_ in records), {"counts": counts, "lines": lines}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    raw, manifest = make()
    (folder / "raw.jsonl").write_bytes(raw.encode("utf-8"))
    rows = ",\n".join(json.dumps(row) for row in manifest["lines"])
    text = f'{{"counts": {json.dumps(manifest["counts"], sort_keys=True)},\n"lines": [\n{rows}\n]}}\n'
    (folder / "manifest.json").write_bytes(text.encode("utf-8"))
    print(f"{len(manifest['lines'])} records, {len(raw.encode()):,} bytes: {manifest['counts']}")


if __name__ == "__main__":
    main()
