"""The figure of the lesson "Generate in a batch": one trained model, the same conversations, four ways to pad them.

python figures/module03_generate_batch.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import FROZEN, TRAINS, arrow, box, results_of, save, sheet
from matplotlib.patches import Rectangle
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
NAME = Path(__file__).stem
START, END, NEWLINE, USER, ASSISTANT = range(5)
WORDS, FIRST_WORD = 20, 5
SHORTEST, LONGEST, ANSWER = 3, 14, 3  # words
LIMIT = 8  # new tokens
STEPS, BATCH, TESTED = 600, 32, 200


def conversation(generator):
    """Ids of a question of 3 to 14 random words, as a prompt; the answer is the partner of each of the first three."""
    count = int(torch.randint(SHORTEST, LONGEST + 1, (1,), generator=generator))
    words = torch.randint(WORDS, (count,), generator=generator)
    partners = torch.randperm(WORDS, generator=torch.Generator().manual_seed(1))
    question = [START, USER, NEWLINE, *(words + FIRST_WORD).tolist(), END, NEWLINE]
    return [*question, START, ASSISTANT, NEWLINE], [*(partners[words[:ANSWER]] + FIRST_WORD).tolist(), END]


def padded(rows, value, side):
    width = max(len(row) for row in rows)
    if side == "left":
        return torch.tensor([[value] * (width - len(row)) + row for row in rows])
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def trained():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=FIRST_WORD + WORDS,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(2)
    for _ in range(STEPS):
        pairs = [conversation(generator) for _ in range(BATCH)]
        ids = padded([prompt + answer for prompt, answer in pairs], END, "right")
        mask = padded([[1] * len(prompt + answer) for prompt, answer in pairs], 0, "right")
        labels = padded([[-100] * len(prompt) + answer for prompt, answer in pairs], -100, "right")
        logits = model(input_ids=ids, attention_mask=mask).logits
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def mask_of(ids, prompts, way):
    if way == "left, no mask":
        return torch.ones_like(ids)
    if way == "left, mask from the padding id":
        return (ids != END).long()
    return padded([[1] * len(prompt) for prompt in prompts], 0, way.split(",")[0])


def answers(model, prompts, way, size):
    """The new tokens of each prompt, up to its end token, in batches of `size`; and the number of forward passes."""
    found, passes = [], []
    handle = model.register_forward_pre_hook(lambda *_: passes.append(1))
    for start in range(0, len(prompts), size):
        some = prompts[start : start + size]
        ids = padded(some, END, way.split(",")[0])
        output = model.generate(
            input_ids=ids,
            attention_mask=mask_of(ids, some, way),
            max_new_tokens=LIMIT,
            do_sample=False,
            eos_token_id=END,
            pad_token_id=END,
        )
        for row in output[:, ids.shape[1] :].tolist():
            found.append(row[: row.index(END) + 1] if END in row else row)
    handle.remove()
    return found, len(passes)


def draw():
    """Two prompts padded on the left and on the right, their masks, and where the next token is read off."""
    results = results_of(NAME)
    figure, axes = sheet(4.2)
    columns = [8, 13, 18, 23, 28, 33.6]
    for way, top in (("left", 38), ("right", 18)):
        right = results[f"{way}, mask"]["right"]
        axes.text(1, top + 1, f"padded on the {way}: {right} of {TESTED} answers right")
        for row, prompt in enumerate(("ABC", "UVWXYZ")):
            cells = prompt.rjust(6) if way == "left" else prompt.ljust(6)
            y = top - 4.6 - 4.4 * row
            for x, token in zip(columns, cells, strict=True):
                look = ("pad", FROZEN, "//") if token == " " else (token, TRAINS)
                box(axes, x, y, 4.7, 3.8, *look)
                mask = "0" if token == " " else "1"
                axes.text(x + 2.3, top - 10.9 - 2.5 * row, mask, ha="center", va="center")
            arrow(axes, (38.9, y + 1.9), (42.6, y + 1.9))
            box(axes, 43, y, 4.7, 3.8, "?" if cells.endswith(" ") else "D…"[row], line=":")
        axes.text(6.5, top - 12.2, "mask", ha="right", va="center")
        axes.add_patch(Rectangle((33.1, top - 9.5), 5.7, 9.2, fill=False, lw=2))
    axes.text(1, 1.2, "framed: the column in which the next token is read off")
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    model = trained()
    generator = torch.Generator().manual_seed(3)
    pairs = [conversation(generator) for _ in range(TESTED)]
    prompts, expected = [prompt for prompt, _ in pairs], [answer for _, answer in pairs]
    alone, passes = answers(model, prompts, "left, mask", 1)
    right = sum(a == b for a, b in zip(alone, expected, strict=True))
    results = {"one by one": {"right": right, "same_as_alone": TESTED, "forward_passes": passes}}
    print(f"{'':<34}{'right':>7}{'as alone':>10}{'forward passes':>16}   of {TESTED}")
    print(f"{'one by one':<34}{right:>7}{TESTED:>10}{passes:>16}")
    for way in ("left, mask", "right, mask", "left, no mask", "left, mask from the padding id"):
        found, passes = answers(model, prompts, way, 20)
        right = sum(a == b for a, b in zip(found, expected, strict=True))
        same = sum(a == b for a, b in zip(found, alone, strict=True))
        results[way] = {"right": right, "same_as_alone": same, "forward_passes": passes}
        print(f"{way:<34}{right:>7}{same:>10}{passes:>16}")
    padding = sum(max(map(len, prompts[i : i + 20])) * 20 for i in range(0, TESTED, 20)) - sum(map(len, prompts))
    share = padding / (padding + sum(map(len, prompts)))
    results["share_of_padding"] = round(share, 3)
    print(f"share of padding in the batches of 20: {share:.3f}")
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
