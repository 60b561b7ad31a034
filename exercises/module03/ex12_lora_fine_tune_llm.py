"""3.12 · LoRA fine-tune an LLM: teach a small chat model a task that it can't do yet, with a 10 MB adapter file.

`python exercises/module03/ex12_lora_fine_tune_llm.py` answers film reviews before and after training; see `--help`.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate import Accelerator
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count.


class Config(NamedTuple):
    """How to train."""

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
    """Turn pairs of prompt and answer into token ids, and labels that count only in the answer.

    Args:
        pairs: what the user says and the assistant answers, one turn each. Not changed.
        tokenizer: a fast tokenizer with a chat template as in 3.08; `tokenizer.eos_token` ends an answer and appears in
            no text. Its settings do not change.
        max_length: the most tokens of an example. Longer ones are cut on the right.

    Returns:
        A `datasets.Dataset` with one row for each pair, in their order, unpadded, and at least these lists of ints:

        - `input_ids`: the conversation as the template renders it, without a generation prompt or added tokens.
        - `attention_mask`: 1 everywhere.
        - `labels`: the ids of the answer and of the end token directly after it, in their places (the loss
          shifts them), and -100 everywhere else.

    Raises:
        ValueError: no pairs, or no token of an answer left within `max_length`.

    Method: https://huggingface.co/docs/transformers/chat_templating
    """
    # TODO: render prompt and conversation of each pair, label the answer and its end token.
    raise NotImplementedError("TODO")


def train_lora(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train one LoRA adapter, and save it.

    Args:
        base: a transformers causal language model in any mode and float dtype, or in 4 bits, prepared for k-bit
            training. peft may change it in place, but none of its weights changes or needs a gradient afterwards.
        tokenizer: the model's. It may have no padding token, or the end token as one. Its settings do not change.
        dataset: has the columns of `build_dataset`, and is not empty.
        config: every projection of attention and MLP gets an adapter (and nothing else does) of rank `r`,
            which adds `lora_alpha / r * B A x`, without dropout; B starts at 0. Its task type is CAUSAL_LM.
        on_step: called after each update as `on_step(step, loss)`: the step from 0, and the loss of its batch before
            the update, a Python float.

    There are `config.steps` updates by `torch.optim.AdamW` with torch's defaults (or a weight decay of 0) at the
    constant learning rate `config.lr`, in train mode, each on `config.batch_size` examples. A pass takes each example
    once, in a new random order; its last batch may be smaller.

    A batch is padded to its longest example, and padding changes no result. An end token counts even if it also pads.
    The loss is the mean cross-entropy over the labels of a batch that count.

    The same base, dataset and config give the same history, whatever the state of torch's global generator, which
    does not move. Another `config.seed` gives another A and order.

    `config.out_dir` is created if needed and receives the adapter, as `PeftModel.save_pretrained` writes it, and no
    weights of the base.

    Several processes (`accelerate launch`) train one adapter together, on different batches, with averaged gradients,
    and one saves. `Accelerator` does this if it prepares model, optimizer and loader and runs the backward pass.

    Returns:
        `Trained(model, history)`: the `PeftModel` with its adapter active, in any mode; `history.loss` has what
        `on_step` was given (of several processes, the mean).

    Method: Hu and others, LoRA (2021), https://arxiv.org/abs/2106.09685; Dettmers and others, QLoRA (2023),
    https://arxiv.org/abs/2305.14314
    """
    # TODO: attach LoRA; let Accelerate prepare model, optimizer and loader; make the updates; save.
    raise NotImplementedError("TODO")


def generate(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    """Return the model's answers to the prompts, each a separate user's turn.

    Args:
        model: a causal language model, with or without adapter, in any mode, on any device. Sampling, an end or a
            padding token in its `generation_config` has no effect.
        tokenizer: fast, with a chat template and an end token, perhaps no padding token, and any `padding_side`.
        prompts: at least one, otherwise ValueError. Not changed.
        max_new_tokens: the most tokens of an answer.

    Returns:
        One text for each prompt, in their order: only the new tokens up to the end token, as `tokenizer.decode` gives
        them without special tokens.

    A prompt is rendered with the generation prompt, and no other token is added. Prompts run in batches, and each is
    answered as if it were alone: greedily, in eval mode. On return, each submodule's mode, the model's
    `generation_config` and the tokenizer's settings are what they were.

    Method: https://huggingface.co/docs/transformers/llm_tutorial
    """
    # TODO: render, pad on the left with a mask, generate greedily in eval mode, decode what is new.
    raise NotImplementedError("TODO")


def main() -> None:
    """Given: answers before and after training."""
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
