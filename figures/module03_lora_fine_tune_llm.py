"""Measures what 60 updates of LoRA make of a chat model of 135 M parameters, and what a prompt makes of it.

The reference solution of 3.12 trains SmolLM2-135M-Instruct on 240 film reviews, other ones for each seed, to answer
with one line of JSON. Exact match on 100 held-out reviews; forgetting as the loss on passages of the Python
documentation. The rival is a prompt with examples out of the 240 reviews of seed 0, made by the reference of 5.03: of
three such prompts the one that does best on 24 other reviews. It needs both models (`tunelings models get all`).

python figures/module03_lora_fine_tune_llm.py             three seeds and the prompts, over half an hour on a CPU
python figures/module03_lora_fine_tune_llm.py --prompts   the prompts, and seed 0 once more for what it answers
python figures/drawing.py module03_lora_fine_tune_llm     the picture again
"""

import argparse
import json
import os
import random
import tempfile
from pathlib import Path

from drawing import ROOT, drawing_path, results_of

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from matplotlib import rcParams
from matplotlib.figure import Figure
from transformers import AutoModel, AutoTokenizer

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models, reviews
from tunelings.handson import reviews_task as task

NAME = Path(__file__).stem
SEEDS = (0, 1, 2)
STEPS, BATCH_SIZE, LR, RANK, ALPHA = 60, 4, 5e-4, 8, 16
COUNT = STEPS * BATCH_SIZE
TEST, DEVELOPMENT = 100, 24
# The prompts that are tried: how many examples, and whether they are the ones nearest to the review.
PROMPTS = {"8 examples, balanced": (8, False), "2 nearest examples": (2, True), "4 nearest examples": (4, True)}
NEW_TOKENS, SHOWN_TOKENS = 16, 40  # of an answer that is graded, and of one that is shown


def reference(number):
    return answers.load(answers.read(Course(ROOT).find(number).solution_path))


def is_right(said, pairs):
    return ["right" if text.strip() == wanted else "wrong" for text, (_, wanted) in zip(said, pairs, strict=True)]


def graded(said, pairs):
    match = task.grade(said, pairs)
    low, high = reviews.score(is_right(said, pairs), ["right"] * len(pairs))[1:]
    return {"exact": match.exact, "in_format": match.in_format, "interval": [round(low, 3), round(high, 3)]}


# ---------------------------------------------------------------- the prompts
def make_nearness(texts):
    """The cosine of two texts' MiniLM vectors, as a function."""
    path = models.find("minilm")
    tokenizer, encoder = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path)
    vectors = torch.nn.functional.normalize(torch.as_tensor(reviews.features(encoder, tokenizer, texts)), dim=1)
    by_text = dict(zip(texts, vectors, strict=True))
    return lambda query, text: float(by_text[query] @ by_text[text])


class Prompted:
    """The base model after solved examples from a pool, with the instruction as the system's turn; greedy."""

    def __init__(self, model, tokenizer, pool, nearness):
        self.model, self.tokenizer, self.nearness = model, tokenizer, nearness
        self.pool = [{"text": text, "label": wanted} for text, wanted in pool]
        self.build_prompt = reference("5.03").build_prompt

    def chat(self, name, text):
        k, nearest = PROMPTS[name]
        choice = {"similarity": self.nearness} if nearest else {"rng": random.Random(0)}
        turns = self.build_prompt(text, self.pool, k, self.tokenizer, 4096, **choice)
        return [{"role": "system", "content": task.INSTRUCTION.strip()}, *turns]

    def __call__(self, name, pairs):
        said = []
        for text, _ in pairs:
            shown = self.tokenizer.apply_chat_template(
                self.chat(name, text), tokenize=False, add_generation_prompt=True
            )
            batch = self.tokenizer(shown, add_special_tokens=False, return_tensors="pt")
            options = {"max_new_tokens": NEW_TOKENS, "pad_token_id": self.tokenizer.eos_token_id}
            ids = self.model.generate(**batch, do_sample=False, **options)
            said.append(self.tokenizer.decode(ids[0, batch["input_ids"].shape[1] :], skip_special_tokens=True))
        return said


def try_prompts(train_pairs, test_pairs):
    """How each prompt does on the development reviews, and what the best of them says to the test reviews."""
    base, tokenizer = task.load_model("smollm2")
    development = train_pairs[len(SEEDS) * COUNT :][:DEVELOPMENT]  # No seed trains on these.
    pool = train_pairs[:COUNT]
    nearness = make_nearness([text for text, _ in pool + development + test_pairs])
    prompted = Prompted(base, tokenizer, pool, nearness)
    tried = {}
    for name in PROMPTS:
        tried[name] = graded(prompted(name, development), development)
        print(name, tried[name], flush=True)
    best = max(tried, key=lambda name: tried[name]["exact"])
    said = prompted(best, test_pairs)
    chat = prompted.chat(best, test_pairs[0][0])
    found = {"development": DEVELOPMENT, "tried": tried, "best": best, "first_chat": chat}
    return {**found, "test": graded(said, test_pairs)}, said


# ---------------------------------------------------------------- training
def measured(answer, model, tokenizer, prompts, pairs):
    return graded(task.answer_all(answer.generate, model, tokenizer, prompts), pairs)


def before_training(answer, test_pairs, general):
    base, tokenizer = task.load_model("smollm2")
    prompts = [prompt for prompt, _ in test_pairs]
    told = [task.INSTRUCTION + prompt for prompt in prompts]
    return {
        "with an instruction": measured(answer, base, tokenizer, told, test_pairs),
        "the review alone": measured(answer, base, tokenizer, prompts, test_pairs),
        "loss on other text": round(task.language_loss(base, tokenizer, general), 3),
    }


def trained_with(answer, seed, train_pairs, test_pairs):
    """The trained model, its tokenizer and history, what it says to each test review, and what it took."""
    base, tokenizer = task.load_model("smollm2")
    dataset = answer.build_dataset(train_pairs[seed * COUNT : (seed + 1) * COUNT], tokenizer, 128)

    def on_step(step, loss):
        if step % 10 == 9:
            print(f"seed {seed}, step {step + 1}, loss {loss:.4f}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        config = answer.Config(RANK, ALPHA, LR, STEPS, BATCH_SIZE, Path(folder), seed)
        trained = answer.train_lora(base, tokenizer, dataset, config, on_step=on_step)
        cost = task.cost_of(trained.model, folder)
    said = task.answer_all(answer.generate, trained.model, tokenizer, [prompt for prompt, _ in test_pairs])
    return trained, tokenizer, said, cost


def outcome(trained, tokenizer, said, test_pairs, general):
    """What came out of one seed."""
    after = {
        "after": graded(said, test_pairs),
        "loss": [round(value, 4) for value in trained.history.loss],
        "loss on other text": round(task.language_loss(trained.model, tokenizer, general), 3),
    }
    with trained.model.disable_adapter():
        after["loss on other text, adapter off"] = round(task.language_loss(trained.model, tokenizer, general), 3)
    return after


def compared(answer, trained, tokenizer, said, train_pairs, test_pairs):
    """The prompts, how much better seed 0 is than the best of them, and three reviews with all answers."""
    prompts, prompted = try_prompts(train_pairs, test_pairs)
    gain = reviews.compare(is_right(said, test_pairs), is_right(prompted, test_pairs), ["right"] * TEST)
    prompts["fine_tuned_minus"] = [round(value, 4) for value in gain]

    def of_the_base(texts):
        with trained.model.disable_adapter():
            return answer.generate(trained.model, tokenizer, texts, max_new_tokens=SHOWN_TOKENS)

    return {"prompts": prompts, "shown": side_by_side(said, prompted, test_pairs, of_the_base)}


def side_by_side(said, prompted, pairs, of_the_base):
    """Three reviews: the first positive and the first negative one that training gets right, and the first miss."""
    right = is_right(said, pairs)
    picked = [
        next(i for i, pair in enumerate(pairs) if right[i] == "right" and pair[1] == wanted)
        for wanted in (task.ANSWERS["positive"], task.ANSWERS["negative"])
    ]
    picked.append(right.index("wrong"))
    before = of_the_base([pairs[i][0] for i in picked])
    return [
        {
            "place": i,
            "review": pairs[i][0],
            "wanted": pairs[i][1],
            "before": text,
            "prompt": prompted[i],
            "after": said[i],
        }
        for i, text in zip(picked, before, strict=True)
    ]


# ---------------------------------------------------------------- the picture
def draw(results):
    rcParams["svg.hashsalt"] = NAME
    figure = Figure(figsize=(5.2, 6.4), layout="constrained")
    curves, bars = figure.subplots(2, 1, height_ratios=[1, 1.1])
    for seed, run in results["seeds"].items():
        means = [sum(run["loss"][i : i + 5]) / 5 for i in range(0, STEPS, 5)]
        curves.plot(range(5, STEPS + 1, 5), means, marker=".", label=f"seed {seed}")
    curves.set_yscale("log")
    curves.set_xlabel("update")
    curves.set_title("loss of the answers, means of 5 updates")
    curves.legend()
    rows = {name: results["before"][name] for name in ("the review alone", "with an instruction")}
    rows["with examples"] = results["prompts"]["test"]
    colors = ["tab:gray"] * len(rows) + ["tab:blue"] * len(results["seeds"])
    rows |= {f"after, seed {seed}": run["after"] for seed, run in results["seeds"].items()}
    shares = [row["exact"] / TEST for row in rows.values()]
    errors = [
        [s - r["interval"][0] for s, r in zip(shares, rows.values(), strict=True)],
        [r["interval"][1] - s for s, r in zip(shares, rows.values(), strict=True)],
    ]
    bars.barh(list(rows), shares, xerr=errors, color=colors)
    bars.axvline(0.5, color="0.4", linestyle=":", linewidth=1)
    bars.invert_yaxis()
    bars.set_xlim(0, 1)
    bars.set_title("exact match, 95% intervals")
    figure.savefig(drawing_path(NAME), metadata={"Date": None})


def measure_all(answer, train_pairs, test_pairs):
    general = task.load_general_texts(folder=data_folder("pydocs"))
    results = {"before": before_training(answer, test_pairs, general), "seeds": {}}
    for seed in SEEDS:
        trained, tokenizer, said, cost = trained_with(answer, seed, train_pairs, test_pairs)
        results["seeds"][str(seed)] = outcome(trained, tokenizer, said, test_pairs, general)
        if seed == SEEDS[0]:
            results |= compared(answer, trained, tokenizer, said, train_pairs, test_pairs)
    results["cost"] = {
        "adapter file, MB": round(cost.file / task.MB, 2),
        "base parameters": cost.base,
        "peak memory of the process, GB": round(cost.peak / task.GB, 1),
        "trainable": cost.trainable,
        "trainable, percent": round(100 * cost.trainable / cost.base, 2),
    }
    return results


def measure_prompts(answer, train_pairs, test_pairs):
    """The results that are there, with the prompts measured; seed 0 is replaced where it comes out differently."""
    results = results_of(NAME)
    trained, tokenizer, said, _ = trained_with(answer, SEEDS[0], train_pairs, test_pairs)
    if graded(said, test_pairs) != results["seeds"]["0"]["after"]:
        general = task.load_general_texts(folder=data_folder("pydocs"))
        results["seeds"]["0"] = outcome(trained, tokenizer, said, test_pairs, general)
        print("seed 0 came out differently", results["seeds"]["0"]["after"], flush=True)
    return results | compared(answer, trained, tokenizer, said, train_pairs, test_pairs)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--prompts", action="store_true", help="keep what was measured of the seeds")
    only_prompts = options.parse_args().prompts
    torch.set_num_threads(1)
    train_pairs, test_pairs = task.load_pairs(data_folder("sentiment"))
    measure = measure_prompts if only_prompts else measure_all
    results = measure(reference("3.12"), train_pairs, test_pairs[:TEST])
    out = Path(__file__).parent / "results" / f"{NAME}.json"
    out.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    draw(results)
    print(json.dumps({k: v for k, v in results.items() if k != "seeds"}, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
