"""What the wrong template costs: one chat model, the same questions, in seven forms.

Needs the model of `tunelings models get smollm2`. Prints, writes JSON and SVG.

python figures/module04_chat_template.py
"""

import json
import sys
from collections import Counter
from pathlib import Path

import torch
from drawing import ROOT, plots, save
from transformers import AutoModelForCausalLM, AutoTokenizer

from tunelings.course import data_folder
from tunelings.handson import models

HERE = Path(__file__).parent
NAME = Path(__file__).stem
sys.path.insert(0, str(ROOT / "solutions" / "module04"))
from ex02_chat_template import render, tokenize  # noqa: E402

PAIRS = 12
QUESTIONS = 16
NEW_TOKENS = 32  # The limit of a generated answer.
ANSWER_TOKENS = 48  # The beginning of each answer; longer ones are cut there.
RESAMPLED = 2000
KINDS = ["ends by itself", "begins with the header", "empty", "cut at 32 tokens"]


def faq():
    """Every seventh question of the FAQ with an answer long enough, until there are 12."""
    with (data_folder("pydocs") / "faq_qa.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [(row["question"], row["answer"]) for row in rows[::7] if len(row["answer"]) > 300][:PAIRS]


def forms(tokenizer):
    """For each form the text before an answer."""

    def own(question):
        return render([{"role": "user", "content": question}], tokenizer, add_generation_prompt=True)

    return {
        "its own template": own,
        "own, first token twice": lambda q: tokenizer.bos_token + own(q),
        "own, system turn left out": lambda q: f"<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n",
        "own, no generation prompt": lambda q: own(q).removesuffix("<|im_start|>assistant\n"),
        "Llama 2": lambda q: f"<s>[INST] {q} [/INST] ",
        "Alpaca": lambda q: f"### Instruction:\n{q}\n\n### Response:\n",
        "none": lambda q: f"{q}\n",
    }


@torch.no_grad()
def loss_of(model, prompt, answer):
    """The mean loss of the answer's tokens after the prompt."""
    logits = model(torch.tensor([prompt + answer])).logits[0]
    return float(torch.nn.functional.cross_entropy(logits[len(prompt) - 1 : -1], torch.tensor(answer)))


@torch.no_grad()
def generated(model, tokenizer, prompts):
    """The new tokens of each greedy answer, up to the end token."""
    batch = tokenizer.pad({"input_ids": prompts}, padding_side="left", return_tensors="pt")
    out = model.generate(**batch, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    rows = out[:, batch["input_ids"].shape[1] :].tolist()
    return [row[: row.index(tokenizer.eos_token_id) + 1] if tokenizer.eos_token_id in row else row for row in rows]


def kind_of(ids, tokenizer):
    if ids[0] == tokenizer.eos_token_id:
        return KINDS[2]
    if ids[0] == tokenizer.bos_token_id:
        return KINDS[1]
    return KINDS[0] if ids[-1] == tokenizer.eos_token_id else KINDS[3]


def interval(differences):
    """95% of the means of resampled differences (paired bootstrap)."""
    values = torch.tensor(differences, dtype=torch.float64)
    picks = torch.randint(len(values), (RESAMPLED, len(values)), generator=torch.Generator().manual_seed(0))
    means = values[picks].mean(dim=1).sort().values
    return [round(float(means[int(RESAMPLED * share)]), 3) for share in (0.025, 0.975)]


def main():
    torch.set_num_threads(1)
    folder = models.find("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    pairs = faq()
    results = {"pairs": len(pairs), "answer_tokens": ANSWER_TOKENS, "questions": QUESTIONS, "forms": {}}

    library_marks = our_marks = tokens = 0
    for question, answer in pairs:
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        marks = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
        ours = tokenize(messages, tokenizer)
        library_marks += sum(marks["assistant_masks"])
        our_marks += sum(ours.assistant_mask)
        tokens += len(ours.input_ids)
    results["marks"] = {"tokens": tokens, "return_assistant_tokens_mask": library_marks, "tokenize": our_marks}
    print(f"{tokens} tokens, marked by return_assistant_tokens_mask: {library_marks}, by tokenize: {our_marks}")

    answers = [tokenizer(answer, add_special_tokens=False)["input_ids"][:ANSWER_TOKENS] for _, answer in pairs]
    with (data_folder("pydocs") / "rag_questions.jsonl").open(encoding="utf-8") as file:
        questions = [json.loads(line)["question"] + " Answer in one short sentence." for line in file][:QUESTIONS]
    own_losses = own_answers = None
    for name, before in forms(tokenizer).items():
        prompts = [tokenizer(before(question), add_special_tokens=False)["input_ids"] for question, _ in pairs]
        losses = [loss_of(model, prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]
        own_losses = own_losses or losses
        differences = [loss - own for loss, own in zip(losses, own_losses, strict=True)]
        row = {
            "prompt_tokens": sum(map(len, prompts)),
            "loss": round(sum(losses) / len(losses), 3),
            "more_than_own": round(sum(differences) / len(differences), 3),
            "more_than_own_95": interval(differences),
        }
        written = generated(
            model, tokenizer, [tokenizer(before(q), add_special_tokens=False)["input_ids"] for q in questions]
        )
        own_answers = own_answers or written
        row["same_answer_as_own"] = sum(a == b for a, b in zip(written, own_answers, strict=True))
        row["answers"] = dict(Counter(kind_of(ids, tokenizer) for ids in written))
        row["stops"] = sum(ids[-1] == tokenizer.eos_token_id for ids in written)
        row["with_a_closing_tag"] = sum("[/" in tokenizer.decode(ids) for ids in written)
        row["mean_new_tokens"] = round(sum(map(len, written)) / len(written), 1)
        row["example"] = tokenizer.decode(written[0])
        results["forms"][name] = row
        print(f"{name:<28}", row)
    (HERE / "results" / f"{NAME}.json").write_text(
        json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    draw(results)


def draw(results):
    rows = results["forms"]
    names = list(forms(None))[::-1]
    left = [0] * len(names)
    figure, axes = plots(3.6)
    for kind, color in zip(KINDS, ["#2e7d4f", "#9fb8d8", "#b3261e", "#e0a030"], strict=True):
        widths = [rows[name]["answers"].get(kind, 0) for name in names]
        axes.barh(names, widths, left=left, label=kind, color=color)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_xlabel(f"answers, of {QUESTIONS}")
    figure.legend(fontsize=9, ncols=2, loc="outside upper center", frameon=False)
    save(figure, NAME)


if __name__ == "__main__":
    main()
