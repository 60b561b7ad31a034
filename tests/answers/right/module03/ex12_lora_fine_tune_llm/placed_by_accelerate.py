"""`Accelerator()` with its defaults places the model, and the answers are decoded in a loop of its own."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count.


class Config(NamedTuple):
    """How to train. `steps` is the number of updates; the adapter is saved in `out_dir`."""

    r: int
    lora_alpha: int
    lr: float
    steps: int
    batch_size: int
    out_dir: Path
    seed: int = 0


class History(NamedTuple):
    """One number for each update."""

    loss: list[float]


class Trained(NamedTuple):
    model: PeftModel
    history: History


def build_dataset(pairs: list[tuple[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    """Turn pairs of a prompt and its answer into token ids, and labels that count only in the answer.

    Args:
        pairs: what the user says and what the assistant answers, one turn each. Not changed.
        tokenizer: a fast tokenizer with a chat template, as in 3.08: it renders the user's turn, with
            `add_generation_prompt=True`, to the beginning of both turns; no token spans the header and the answer;
            the answer ends with `tokenizer.eos_token`, which appears in no text of a pair. Its settings do not
            change.
        max_length: the largest number of tokens of an example. Longer ones are cut on the right.

    Returns:
        A `datasets.Dataset` with one row for each pair, in their order, and at least these columns of lists of
        ints. Within a row, they have the same length, and nothing is padded.

        - `input_ids`: the conversation as the template renders it without a generation prompt. The tokenizer
          adds no special tokens.
        - `attention_mask`: 1 everywhere.
        - `labels`: the ids of the answer and of the end token directly after it, in their places (the loss
          shifts them), and -100 everywhere else.

    Raises:
        ValueError: no pairs, or a pair with no token of the answer left within `max_length`.

    Method: https://huggingface.co/docs/transformers/chat_templating; the labels as in 3.08
    """
    if not pairs:
        raise ValueError("no pairs")
    columns: dict[str, list[list[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
    for number, (prompt, answer) in enumerate(pairs):
        asked = [{"role": "user", "content": prompt}]
        both = [*asked, {"role": "assistant", "content": answer}]
        text = tokenizer.apply_chat_template(both, tokenize=False)
        start = len(tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True))
        stop = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids = encoded["input_ids"][:max_length]
        spans = encoded["offset_mapping"][:max_length]
        labels = [i if start <= a and b <= stop else IGNORE_INDEX for i, (a, b) in zip(ids, spans)]
        if all(label == IGNORE_INDEX for label in labels):
            raise ValueError(f"pair {number}: no token of the answer within {max_length} tokens")
        columns["input_ids"].append(ids)
        columns["attention_mask"].append([1] * len(ids))
        columns["labels"].append(labels)
    return Dataset.from_dict(columns)


def train_lora(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train one LoRA adapter on the dataset, and save it.

    Args:
        base: a transformers causal language model in any mode and any float dtype, or one that was loaded in 4 bits
            and prepared for k-bit training. It may be changed in place, as peft does; none of its weights changes
            or needs a gradient afterwards. It stays on its device.
        tokenizer: the model's tokenizer. It may have no padding token, or one that is also the end token. Its
            settings do not change.
        dataset: has the columns of `build_dataset`, and is not empty.
        config: every projection of attention and MLP gets an adapter (and nothing else does) of rank `r`,
            which adds `lora_alpha / r * B A x`, without dropout. A starts at random, B at 0, as in peft. The
            adapter's task type is CAUSAL_LM.
        on_step: called after each update as `on_step(step, loss)`, with the step from 0 and the loss of the
            batch before the update, a Python float.

    There are exactly `config.steps` updates, each by `torch.optim.AdamW` at the learning rate `config.lr`, which is
    constant, with torch's defaults (a weight decay of 0 is accepted too), on one batch of `config.batch_size`
    examples. A pass over the dataset takes each example once, in a new random order; its last batch may be smaller;
    then the next pass begins. The model is in train mode.

    A batch is padded to its longest example, and padding changes no result: it is masked and has no labels. An end
    token counts even if it is also the padding token. The loss is the mean cross-entropy over the labels of a batch
    that count.

    The same base, dataset and config give the same history, whatever the state of torch's global generator, and on
    return that state is what it was on entry. A different `config.seed` gives a different A and a different order.

    `config.out_dir` is created if needed and receives the trained adapter, as `PeftModel.save_pretrained` writes
    it, and no weights of the base: `PeftModel.from_pretrained(base, out_dir)` is the trained model again.

    Launched as several processes (`accelerate launch`, `torchrun`), they train one adapter together: each takes
    different batches of a pass, the gradients are averaged, and one process saves. `Accelerator` does this if it
    has prepared the model, the optimizer and the loader and runs the backward pass.

    Returns:
        `Trained(model, history)`: the `PeftModel` with its adapter active, in any mode, and in `history.loss`
        the losses that `on_step` was given (with several processes, their mean).

    Method: Hu and others, LoRA (2021), https://arxiv.org/abs/2106.09685; a constant learning rate and all
    layers as in Dettmers and others, QLoRA (2023), https://arxiv.org/abs/2305.14314;
    https://huggingface.co/docs/accelerate/basic_tutorials/migration
    """
    accelerator = Accelerator(cpu=base.device.type == "cpu")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (tokenizer.eos_token_id or 0)

    def collate(rows):
        width = max(len(row["input_ids"]) for row in rows)
        filler = {"input_ids": pad, "attention_mask": 0, "labels": IGNORE_INDEX}
        return {
            key: torch.tensor([list(row[key]) + [fill] * (width - len(row[key])) for row in rows], dtype=torch.long)
            for key, fill in filler.items()
        }

    history = History([])
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        lora = LoraConfig(
            r=config.r,
            lora_alpha=config.lora_alpha,
            lora_dropout=0.0,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        model = get_peft_model(base, lora)
        model.train()
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=config.lr)
        order = torch.Generator().manual_seed(config.seed)
        loader = DataLoader(dataset, batch_size=config.batch_size, shuffle=True, collate_fn=collate, generator=order)
        model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
        while len(history.loss) < config.steps:
            for batch in loader:
                loss = model(**batch).loss
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
                value = accelerator.gather(loss.detach().reshape(1)).mean().item()
                history.loss.append(value)
                if on_step is not None:
                    on_step(len(history.loss) - 1, value)
                if len(history.loss) == config.steps:
                    break
    accelerator.wait_for_everyone()
    trained = accelerator.unwrap_model(model)
    if accelerator.is_main_process:
        config.out_dir.mkdir(parents=True, exist_ok=True)
        trained.save_pretrained(config.out_dir, save_embedding_layers=False)
    accelerator.wait_for_everyone()
    return Trained(trained, history)


def generate(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    """Return the model's answers to the prompts, each of which is a separate user's turn.

    Args:
        model: a causal language model, with or without adapter, in any mode and on any device. Its
            `generation_config` may ask for sampling, or name different end and padding tokens from the tokenizer's:
            that has no effect.
        tokenizer: fast, with a chat template and an end token. It may have no padding token, and any
            `padding_side`.
        prompts: at least one, otherwise ValueError. Not changed.
        max_new_tokens: the largest number of tokens of an answer.

    Returns:
        One text for each prompt, in their order: only the new tokens, up to the end token, without special tokens,
        as `tokenizer.decode` gives them.

    A prompt is rendered by the template with the generation prompt, and the tokenizer adds no special token. The
    prompts run through the model in batches, not one by one, and each is answered as if it were alone. Decoding is
    greedy, in eval mode. On return, each submodule's mode, the model's `generation_config` and the tokenizer's
    settings are what they were on entry.

    Method: https://huggingface.co/docs/transformers/llm_tutorial (padding side); the same as 3.09
    """
    if not prompts:
        raise ValueError("no prompts")
    rendered = [
        tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
        for prompt in prompts
    ]
    rows = [list(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in rendered]
    starts = [len(row) for row in rows]
    modes = [(module, module.training) for module in model.modules()]
    device = next(model.parameters()).device
    model.eval()
    try:
        with torch.no_grad():
            for first in range(0, len(rows), 16):
                open_rows = rows[first : first + 16]
                for _ in range(max_new_tokens):
                    if not open_rows:
                        break
                    width = max(map(len, open_rows))
                    ids = torch.tensor([row + [0] * (width - len(row)) for row in open_rows], device=device)
                    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in open_rows], device=device)
                    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
                    still = []
                    for row, scores in zip(open_rows, logits):
                        row.append(int(scores[len(row) - 1].argmax()))
                        if row[-1] != tokenizer.eos_token_id:
                            still.append(row)
                    open_rows = still
    finally:
        for module, training in modes:
            module.training = training
    return [tokenizer.decode(row[start:], skip_special_tokens=True) for row, start in zip(rows, starts)]


def main() -> None:
    """Given: answers before and after training, with what was learned, what was forgotten and what it took."""
    from rich.progress import Progress

    from tunelings.handson import reviews_task as task

    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", default="smollm2", help="a name or a folder")
    options.add_argument("--qlora", action="store_true", help="keep the base in 4 bits")
    options.add_argument("--steps", type=int, default=60, help="updates of the adapter")
    options.add_argument("--batch-size", type=int, default=4, help="examples in a batch of one process")
    options.add_argument("--lr", type=float, default=5e-4)
    options.add_argument("--test", type=int, default=100, help="held-out reviews to answer")
    options.add_argument("--out", type=Path, default=Path("runs/reviews-adapter"), help="for the adapter")
    chosen = options.parse_args()

    try:
        base, tokenizer = task.load_model(chosen.model, in_4_bits=chosen.qlora)
    except (FileNotFoundError, OSError) as error:
        raise SystemExit(str(error)) from None
    train_pairs, test_pairs = task.load_pairs()
    dataset = build_dataset(train_pairs, tokenizer, max_length=128)
    config = Config(8, 16, chosen.lr, chosen.steps, chosen.batch_size, chosen.out)
    with Progress(disable=not task.is_main_process()) as progress:
        bar = progress.add_task("training", total=config.steps)

        def on_step(step: int, loss: float) -> None:
            progress.update(bar, completed=step + 1, description=f"step {step + 1}, loss {loss:.3f}")

        trained = train_lora(base, tokenizer, dataset, config, on_step=on_step)
    if task.is_main_process():
        print(f"answering {chosen.test} held-out reviews, three times")
        measured = task.measure(generate, trained.model, tokenizer, test_pairs[: chosen.test], config.out_dir)
        print(task.describe(measured))
        print(f"the adapter is in {config.out_dir}")


if __name__ == "__main__":
    main()
