"""What a small model's replies are worth as training data: accepted, too similar, malformed. JSON and SVG.

python figures/module04_synthetic_data.py              asks the model, minutes on a CPU
python figures/module04_synthetic_data.py --recorded   goes through the recorded replies again
python figures/drawing.py module04_synthetic_data

SmolLM2-135M-Instruct (`tunelings models get smollm2`) is asked by the reference of 4.07 in two ways: with the
exercise's prompt, and with the same examples as the turns of a chat, a topic, and the reply begun. Every reply is
recorded word for word, with what became of it.
"""

import itertools
import json
import os
import random
import sys
import textwrap
from pathlib import Path

from drawing import ROOT, plots, results_of, save

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(ROOT))
from solutions.module04.ex07_synthetic_data import SEEDS, generate_examples, is_record, parse_reply, rouge_l  # noqa: E402
from tunelings.handson import models  # noqa: E402

NAME = Path(__file__).stem
CALLS, NEW_TOKENS = 16, 64
KINDS = {"accepted": "", "too_similar": "//", "malformed": ".."}
# With which words the instruction of a reply begins, in turn: what kind of task it becomes.
BEGINNINGS = ("Name a", "What", "Which", "Give an example of", "Write a sentence about", "Is")
REQUEST = "Write a task about {topic}, with its answer, as JSON."
# A topic for each seed of the exercise, and one for each new task.
SEED_TOPICS = ("capitals", "a shop", "opposites", "time", "spelling", "trains", "bread", "weights")
TOPICS = (
    "colors", "animals", "music", "fruit", "winter", "months", "plurals", "rivers", "numbers", "clothes", "the past",
    "sport", "birds", "countries", "shapes", "a thank-you note", "rhymes", "the moon", "school", "a garden", "money",
    "a doctor", "the sea", "jobs",
)  # fmt: skip
# What reading each accepted record has found: its instruction, and what is wrong with it or its answer; "" is right.
READ: dict[str, str] = {
    "Name a color that is not a color of the sun.": "the question has no clear answer, and sunlight has red in it",
    "What kind of animal is it?": "nothing says which animal is meant",
    "Which is heard by the most people?": "the choices are missing",
    "Give an example of a fruit that is not a fruit.": "it contradicts itself",
    "Is the month January a leap year?": "a month is no year",
    "Name a number of the plurals of the following set of numbers.": "no numbers follow, and the answer is made up",
    "Which is the most popular number in the world?": "the answer is made up",
    "Write a sentence about a past date.": "the answer is no sentence",
    "Is it better to play a sport or a game?": "a matter of taste, answered as a fact",
    "Name a species of bird.": "there is no such bird",
    "What is the capital of France?": "",
    "Which is heavier, a stone or a circle?": "a circle has no weight",
    "Give an example of a thank-you note.": "it thanks nobody for anything in particular, and tells of a train",
}


# ---------------------------------------------------------------- two ways of asking
def as_one_turn(prompt):
    """The exercise's prompt as it is; the reply is not begun."""
    return [{"role": "user", "content": prompt}], ""


def as_turns():
    """A function that shows a prompt's examples as turns of a chat, asks for the next topic, and begins the reply."""
    topic_of = dict(zip([seed["instruction"] for seed in SEEDS], SEED_TOPICS, strict=True))
    topics, beginnings = iter(TOPICS), itertools.cycle(BEGINNINGS)

    def turns(prompt):
        shown = [json.loads(line) for line in prompt.splitlines() if line.startswith("{")]
        chat = []
        for example in shown:
            chat.append({"role": "user", "content": REQUEST.format(topic=topic_of[example["instruction"]])})
            chat.append({"role": "assistant", "content": json.dumps(example)})
        chat.append({"role": "user", "content": REQUEST.format(topic=next(topics))})
        return chat, '{"instruction": "' + next(beginnings)

    return turns


WAYS = {
    "one turn, temperature 0.3": (as_one_turn, 0.3),
    "turns, topic, reply begun, 0.5": (as_turns(), 0.5),
}


# ---------------------------------------------------------------- asking
class Recorder:
    """The model as a function of a prompt; what it was shown and what it said is kept."""

    def __init__(self, model, tokenizer, form, temperature):
        self.model, self.tokenizer, self.form, self.temperature = model, tokenizer, form, temperature
        self.braces = [number for token, number in tokenizer.get_vocab().items() if "}" in token]
        self.shown, self.said = [], []  # The rendered prompts, up to where the model goes on; the replies.

    def __call__(self, prompt):
        turns, begun = self.form(prompt)
        text = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False) + begun
        batch = self.tokenizer(text, add_special_tokens=False, return_tensors="pt")
        options = {"do_sample": True, "temperature": self.temperature, "max_new_tokens": NEW_TOKENS}
        ends = [self.tokenizer.eos_token_id, *(self.braces if begun else [])]  # A begun object is done at its brace.
        ids = self.model.generate(**batch, **options, eos_token_id=ends, pad_token_id=ends[0])
        reply = begun + self.tokenizer.decode(ids[0, batch["input_ids"].shape[1] :], skip_special_tokens=True)
        self.shown.append(text)
        self.said.append(reply)
        print(self.temperature, len(self.said), repr(reply), flush=True)
        return reply


def ask():
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, source = models.find("smollm2"), models.MODELS["smollm2"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    runs = []
    for name, (form, temperature) in WAYS.items():
        torch.manual_seed(0)
        llm = Recorder(model, tokenizer, form, temperature)
        generate_examples(llm, SEEDS, CALLS * 10, random.Random(0), max_calls=CALLS)
        replies = [{"reply": reply} for reply in llm.said]
        runs.append({"name": name, "temperature": temperature, "prompt": llm.shown[0], "replies": replies})
    about = {"hub": source.hub, "license": source.license, "package": f"{source.package} {source.version}"}
    return {"calls": CALLS, "model": about, "runs": runs}


# ---------------------------------------------------------------- what became of it
def nearest(reply, known):
    """The instruction that a reply's is most like, and their ROUGE-L F; empty where the reply holds no record."""
    record = parse_reply(reply)
    record = record[0] if isinstance(record, list) and record else record
    if not is_record(record):
        return {}
    score, text = max((rouge_l(record["instruction"], other["instruction"]), other["instruction"]) for other in known)
    return {"instruction": text, "rouge_l": round(score, 3)}


def judged(run):
    """The run with what the reference makes of each reply after those before it, and the counts of all."""
    known, replies = list(SEEDS), []
    for reply in (one["reply"] for one in run["replies"]):
        one = generate_examples(lambda _, reply=reply: reply, known, 100, random.Random(0), max_calls=1)
        like = nearest(reply, known) if one.too_similar else {}
        known += one.records
        records = [
            {"instruction": r["instruction"], "output": r["output"], "wrong": READ.get(r["instruction"], "not read")}
            for r in one.records
        ]
        counts = {"too_similar": one.too_similar, "malformed": one.malformed}
        replies.append({"reply": reply, "records": records, "like": like, **counts})
    records = [record for one in replies for record in one["records"]]
    counts = {kind: sum(one[kind] for one in replies) for kind in ("too_similar", "malformed")}
    counts |= {"accepted": len(records), "right": sum(not record["wrong"] for record in records)}
    return {**run, **counts, "replies": replies}


def draw(results):
    figure, axes = plots(2.4)
    runs = results["runs"]
    left = [0] * len(runs)
    for kind, hatch in KINDS.items():
        values = [one[kind] for one in runs]
        label = kind.replace("_", " ")
        names = [textwrap.fill(one["name"], 16) for one in runs]
        axes.barh(names, values, left=left, hatch=hatch, edgecolor="white", label=label)
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_xticks(range(0, results["calls"] + 1, 4))
    axes.set_xlabel(f"objects and replies, of {results['calls']} calls")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    save(figure, NAME)


def main():
    results = results_of(NAME) if "--recorded" in sys.argv[1:] else ask()
    results["runs"] = [judged(run) for run in results["runs"]]
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    (ROOT / "figures" / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results)
    for run in results["runs"]:
        print(run["name"], {kind: run[kind] for kind in ("accepted", "right", "too_similar", "malformed")})


if __name__ == "__main__":
    main()
