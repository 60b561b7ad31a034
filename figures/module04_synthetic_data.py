"""What a small model's replies are worth as training data: accepted, too similar, malformed. JSON and SVG.

python figures/module04_synthetic_data.py

SmolLM2-135M-Instruct (`tunelings models get smollm2`) is asked with the reference of 4.07, at two temperatures.
"""

import json
import random
import sys
from pathlib import Path

import matplotlib
from drawing import ROOT, drawing_path

matplotlib.use("svg")
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
sys.path.insert(0, str(ROOT))
from solutions.module04.ex07_synthetic_data import SEEDS, generate_examples  # noqa: E402
from tunelings.handson import llm, models  # noqa: E402

NAME = Path(__file__).stem
CALLS = 24
TEMPERATURES = [0.3, 0.9]


def run(temperature):
    """The counts after CALLS calls, and what the accepted examples look like."""
    ask = llm.local(models.find("smollm2"), max_new_tokens=96, temperature=temperature, seed=0)
    generated = generate_examples(ask, SEEDS, CALLS, random.Random(0), max_calls=CALLS)
    print(temperature, generated._replace(records=len(generated.records)))
    return {
        "temperature": temperature,
        "calls": generated.calls,
        "accepted": len(generated.records),
        "malformed": generated.malformed,
        "too_similar": generated.too_similar,
        "examples": [[record["instruction"], record["output"]] for record in generated.records[:6]],
    }


def main():
    results = {"calls": CALLS, "runs": [run(temperature) for temperature in TEMPERATURES]}
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    plt.rcParams["svg.hashsalt"] = NAME
    figure, axes = plt.subplots(figsize=(7, 2.4), layout="constrained")
    left = [0] * len(TEMPERATURES)
    labels = [f"temperature {temperature}" for temperature in TEMPERATURES]
    for kind, hatch in [("accepted", ""), ("too_similar", "//"), ("malformed", "..")]:
        values = [one[kind] for one in results["runs"]]
        axes.barh(labels, values, left=left, hatch=hatch, edgecolor="white", label=kind.replace("_", " "))
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.set_xlabel("objects and replies")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.35), ncols=3, frameon=False)
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


if __name__ == "__main__":
    main()
