"""Measures how far the rule for "equal" moves the score of the same 37 real answers.

SmolLM2 answers the retrieval questions of data/pydocs with a passage that holds the answer in its prompt, twice:
with nothing else, and after three examples of short answers. Greedy, 32 tokens at most. Then each answer is scored
by seven rules.
It needs the model (`tunelings models get smollm2`) and takes a few minutes on a CPU.
Run: python figures/module05_text_metrics.py
"""

import gzip
import json
import os
import re
from pathlib import Path

from drawing import ROOT, plots, save

os.environ["HF_HUB_OFFLINE"] = "1"


import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tunelings.course import Course, data_folder
from tunelings.grading import answers
from tunelings.handson import models

HERE = Path(__file__).parent
NAME = Path(__file__).stem
EXAMPLES = [
    ("The function len() returns the number of items of a container.", "Which function counts items?", "len"),
    ("PEP 8 is the style guide for Python code.", "Which PEP is the style guide?", "PEP 8"),
    ("A KeyError is raised when a key is not found.", "Which exception says that a key is missing?", "KeyError"),
]


def plain(passage, question):
    return [{"role": "user", "content": f"{passage}\n\n{question}"}]


def after_examples(passage, question):
    turns = []
    for text, asked, said in EXAMPLES:
        turns += [*plain(text, asked), {"role": "assistant", "content": said}]
    return turns + plain(passage, question)


PROMPTS = {"the question alone": plain, "after three examples": after_examples}


def read_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def ask(model, tokenizer, messages):
    options = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
    ids = tokenizer.apply_chat_template(messages, **options)
    output = model.generate(**ids, max_new_tokens=32, do_sample=False, pad_token_id=tokenizer.eos_token_id)
    return tokenizer.decode(output[0, ids["input_ids"].shape[1] :], skip_special_tokens=True).strip()


def whole_word(said, right):
    return re.search(rf"(?<!\w){re.escape(right)}(?!\w)", said) is not None


def rules(answer):
    """Each rule as a function of one prediction and its list of right answers."""
    return {
        "equal as it stands": lambda said, rights: float(said in rights),
        "exact match": answer.exact_match,
        "exact match of the first line": lambda said, rights: answer.exact_match(said.partition("\n")[0], rights),
        "token F1": answer.token_f1,
        "whole word, capitals count": lambda said, rights: float(any(whole_word(said, r) for r in rights)),
        "anywhere, capitals count": lambda said, rights: float(any(r in said for r in rights)),
        "anywhere, no capitals": lambda said, rights: float(any(r.lower() in said.lower() for r in rights)),
    }


def main():
    torch.set_num_threads(1)
    data = data_folder("pydocs")
    questions = read_lines((data / "rag_questions.jsonl").read_text(encoding="utf-8"))
    passages = read_lines(gzip.decompress((data / "passages.jsonl.gz").read_bytes()).decode("utf-8"))
    text_of = {passage["id"]: passage["text"] for passage in passages}
    path = models.find("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    answer = answers.load(answers.read(Course(ROOT).find("5.01").solution_path))
    said, scores, words = {}, {}, {}
    for name, prompt in PROMPTS.items():
        said[name] = [ask(model, tokenizer, prompt(text_of[q["gold_passages"][0]], q["question"])) for q in questions]
        scores[name] = {
            rule: round(
                sum(score(s, q["answers"]) for s, q in zip(said[name], questions, strict=True)) / len(questions), 3
            )
            for rule, score in rules(answer).items()
        }
        words[name] = round(sum(len(s.split()) for s in said[name]) / len(questions), 1)
        print(name, json.dumps(scores[name], indent=2), flush=True)
    results = {"answers": said, "mean_words": words, "questions": len(questions), "scores": scores}
    text = json.dumps(results, indent=2, sort_keys=True, ensure_ascii=False)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")
    draw(results)


def draw(results):
    scores = results["scores"]
    figure, axes = plots(4.6)
    alone = scores["the question alone"]
    names = sorted(alone, key=alone.get)[::-1]  # the strictest rule on top
    for shift, (prompt, color) in enumerate(zip(PROMPTS, ("tab:blue", "tab:orange"), strict=True)):
        places = [row + 0.2 - 0.4 * shift for row in range(len(names))]
        bars = axes.barh(places, [scores[prompt][name] for name in names], height=0.38, color=color, label=prompt)
        axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set_yticks(range(len(names)), labels=names)
    axes.set_xlim(0, 1)
    axes.set_xlabel("score of the same 37 answers")
    axes.legend(title="prompt", loc="upper right")
    save(figure, NAME)


if __name__ == "__main__":
    main()
