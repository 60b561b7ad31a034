"""What a small model's replies are worth as training data: accepted, too similar, malformed. JSON and SVG.

python figures/module04_synthetic_data.py

SmolLM2-135M-Instruct (`tunelings models get smollm2`) is asked with the reference of 4.07: at two temperatures, and
once more with the reply begun for it. All replies are recorded, with what became of each. Takes minutes on a CPU.
"""

import json
import os
import random
import sys
from pathlib import Path

from drawing import ROOT, plots, save

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(ROOT))
from solutions.module04.ex07_synthetic_data import PROMPT, SEEDS, generate_examples  # noqa: E402
from tunelings.handson import llm, models  # noqa: E402

NAME = Path(__file__).stem
CALLS = 24
BEGUN = '{"instruction": "'
# The name of a run, its temperature, and the words with which the reply begins.
RUNS = (("temperature 0.3", 0.3, ""), ("temperature 0.9", 0.9, ""), ("temperature 0.9, reply begun", 0.9, BEGUN))
KINDS = {"accepted": "", "too_similar": "//", "malformed": ".."}


def run(name, temperature, begun):
    """The counts after CALLS calls, the first prompt, and each reply with what became of it."""
    ask = llm.local(models.find("smollm2"), max_new_tokens=96, temperature=temperature, seed=0, begun=begun)
    asked = []

    def recorded(prompt):
        asked.append((prompt, ask(prompt)))
        print(name, len(asked), repr(asked[-1][1]), flush=True)
        return asked[-1][1]

    generated = generate_examples(recorded, SEEDS, CALLS * 10, random.Random(0), max_calls=CALLS)
    return {
        "name": name,
        "temperature": temperature,
        "begun": begun,
        "calls": generated.calls,
        "accepted": len(generated.records),
        "malformed": generated.malformed,
        "too_similar": generated.too_similar,
        "prompt": asked[0][0],
        "replies": fates([reply for _, reply in asked]),
    }


def fates(replies):
    """Each reply, and what the reference makes of it after those before it."""
    known, told = list(SEEDS), []
    for reply in replies:
        one = generate_examples(lambda _, reply=reply: reply, known, 100, random.Random(0), max_calls=1)
        known += one.records
        counts = {"accepted": len(one.records), "too_similar": one.too_similar, "malformed": one.malformed}
        told.append({"reply": reply, **counts, "records": one.records})
    return told


def draw(results):
    figure, axes = plots(2.6)
    runs = results["runs"]
    left = [0] * len(runs)
    for kind, hatch in KINDS.items():
        values = [one[kind] for one in runs]
        label = kind.replace("_", " ")
        axes.barh([one["name"] for one in runs], values, left=left, hatch=hatch, edgecolor="white", label=label)
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel(f"objects and replies, of {results['calls']} calls")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    save(figure, NAME)


def main():
    results = {"calls": CALLS, "template": PROMPT, "runs": [run(*one) for one in RUNS]}
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    (ROOT / "figures" / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results)


if __name__ == "__main__":
    main()
