"""The figure of the lesson "Completion-only loss": one small model, five ways to label the same conversations.

python figures/module03_completion_only_loss.py
With --draw it makes the drawing alone, from the numbers of the last run.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from drawing import FROZEN, TRAINS, arrow, box, save, sheet
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
NAME = Path(__file__).stem
START, END, NEWLINE, USER, ASSISTANT = range(5)
WORDS, FIRST_WORD = 20, 5
QUESTION, ANSWER = 8, 3  # words
LIMIT = 12  # new tokens
STEPS, BATCH, TESTED = 400, 32, 200


def conversations(count, generator):
    """Questions of eight random words; the answer is the partner of each of the first three."""
    words = torch.randint(WORDS, (count, QUESTION), generator=generator)
    partners = torch.randperm(WORDS, generator=torch.Generator().manual_seed(1))
    answers = partners[words[:, :ANSWER]] + FIRST_WORD

    def column(*tokens):
        return torch.tensor(tokens).expand(count, -1)

    prompt = torch.cat(
        [column(START, USER, NEWLINE), words + FIRST_WORD, column(END, NEWLINE), column(START, ASSISTANT, NEWLINE)],
        dim=1,
    )
    return prompt, torch.cat([answers, column(END)], dim=1)


def labels_of(prompt, answer, way):
    """As they come out of `build_example`; the newline after the end token is never learned."""
    hidden = torch.full_like(prompt, -100)
    if way == "prompt counts too":
        return torch.cat([prompt, answer, torch.full_like(answer[:, :1], NEWLINE)], dim=1)
    labels = torch.cat([hidden, answer, torch.full_like(answer[:, :1], -100)], dim=1)
    if way == "end token masked":
        labels[labels == END] = -100
    if way == "shifted twice":
        labels = F.pad(labels[:, 1:], (0, 1), value=-100)
    return labels


def loss_of(logits, labels, way):
    if way == "not shifted":
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def trained(way):
    """A model after 400 steps, and the loss of its last 20."""
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
    losses = []
    for _ in range(STEPS):
        prompt, answer = conversations(BATCH, generator)
        ids = torch.cat([prompt, answer, torch.full_like(answer[:, :1], NEWLINE)], dim=1)
        loss = loss_of(model(input_ids=ids).logits, labels_of(prompt, answer, way), way)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model.eval(), sum(losses[-20:]) / 20


def tested(model):
    """Of 200 new questions: how many answers begin with the right words, how many stop, their mean length."""
    prompt, answer = conversations(TESTED, torch.Generator().manual_seed(3))
    out = model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=LIMIT,
        do_sample=False,
        eos_token_id=END,
        pad_token_id=END,
    )[:, prompt.shape[1] :]
    right = (out[:, :ANSWER] == answer[:, :ANSWER]).all(dim=1)
    stopped = (out == END).any(dim=1)
    length = torch.where(stopped, (out == END).int().argmax(dim=1), torch.tensor(out.shape[1]))
    return {
        "right_words": int(right.sum()),
        "stopped": int(stopped.sum()),
        "mean_length": round(float(length.float().mean()), 2),
    }


def draw():
    """A conversation as tokens, the label under each, and which position predicts which token."""
    user = ["<|im_start|>", "user", "\\n", "What", "color", "?", "<|im_end|>", "\\n"]
    answer = ["<|im_start|>", "assistant", "\\n", "It", "is", "blue", ".", "<|im_end|>", "\\n"]
    figure, axes = sheet(3.1)
    for turn, counted, y in ((user, (), 22.5), (answer, range(3, 8), 7.5)):
        x = 1
        middles = []
        for i, token in enumerate(turn):
            width = max(3.8, 0.73 * len(token) + 0.8)
            box(axes, x, y, width, 3.6, token, fontsize=9.5)
            if i in counted:
                box(axes, x, y - 4, width, 3.6, token, TRAINS, fontsize=9.5)
                arrow(axes, (middles[-1], y + 3.7), (x + width / 2, y + 3.7), curve=-0.7)
            else:
                box(axes, x, y - 4, width, 3.6, "-100", FROZEN, color="0.35", fontsize=9.5)
            middles.append(x + width / 2)
            x += width + 0.2
    axes.text(1, 28, "above: input_ids, all are read; below: labels")
    axes.text(51, 14.4, "5 tokens count; each is predicted\nfrom the position before it", ha="right")
    axes.text(1, 0.8, "-100: left out of the loss")
    save(figure, NAME)


def main():
    torch.set_num_threads(1)
    prompt, answer = conversations(1, torch.Generator().manual_seed(3))
    results = {"tokens": prompt.shape[1] + answer.shape[1] + 1, "counted": answer.shape[1], "ways": {}}
    print(f"{results['counted']} of {results['tokens']} tokens of a conversation count")
    print(f"{'':<20}{'loss':>7}{'right words':>14}{'stopped':>10}{'length':>9}   of {TESTED}")
    for way in ("as it should be", "prompt counts too", "end token masked", "shifted twice", "not shifted"):
        model, loss = trained(way)
        row = {"loss": round(loss, 4), **tested(model)}
        results["ways"][way] = row
        print(f"{way:<20}{loss:>7.3f}{row['right_words']:>14}{row['stopped']:>10}{row['mean_length']:>9.2f}")
    (HERE / "results" / f"{NAME}.json").write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    draw()


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
