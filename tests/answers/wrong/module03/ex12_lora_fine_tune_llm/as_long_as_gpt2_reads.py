# names: examples-cut-at-a-limit-of-their-own
# breaks: "Longer ones are cut on the right."
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
    r: int
    lora_alpha: int
    lr: float
    steps: int
    batch_size: int
    out_dir: Path
    seed: int = 0


class History(NamedTuple):
    loss: list[float]


class Trained(NamedTuple):
    model: PeftModel
    history: History


def build_dataset(pairs: list[tuple[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    if not pairs:
        raise ValueError("there are no pairs")
    rows = []
    for prompt, answer in pairs:
        user = {"role": "user", "content": prompt}
        start = len(encode(tokenizer, [user], add_generation_prompt=True))
        ids = encode(tokenizer, [user, {"role": "assistant", "content": answer}])
        end = ids.index(tokenizer.eos_token_id, start) + 1
        labels = [IGNORE_INDEX] * start + ids[start:end] + [IGNORE_INDEX] * (len(ids) - end)
        if start >= max_length:
            raise ValueError(f"max_length={max_length} leaves nothing of the answer to {prompt!r}")
        row = {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}
        rows.append({name: values[:max_length] for name, values in row.items()})
    return Dataset.from_list(rows)


def encode(tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], **options) -> list[int]:
    text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
    return tokenizer(text, add_special_tokens=False, truncation=True, max_length=1024)["input_ids"]


def collate(examples: list[dict[str, list[int]]], pad_token_id: int) -> dict[str, Tensor]:
    longest = max(len(example["input_ids"]) for example in examples)
    padding = {"input_ids": pad_token_id, "attention_mask": 0, "labels": IGNORE_INDEX}
    return {
        name: torch.tensor([example[name] + [value] * (longest - len(example[name])) for example in examples])
        for name, value in padding.items()
    }


def train_lora(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Trained:
    accelerator = Accelerator(device_placement=False)  # The model stays where it is.
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        alpha = config.lora_alpha
        lora = LoraConfig(task_type="CAUSAL_LM", r=config.r, lora_alpha=alpha, target_modules="all-linear")
        adapted = get_peft_model(base, lora)
        optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=config.lr)
        columns = dataset.select_columns(["input_ids", "attention_mask", "labels"])
        padded = partial(collate, pad_token_id=tokenizer.eos_token_id)
        loader = DataLoader(columns, config.batch_size, shuffle=True, collate_fn=padded)
        model, optimizer, loader = accelerator.prepare(adapted, optimizer, loader)
        model.train()
        history = History([])
        while len(history.loss) < config.steps:
            for batch in loader:
                loss = model(**{name: values.to(base.device) for name, values in batch.items()}).loss
                optimizer.zero_grad()
                accelerator.backward(loss)
                optimizer.step()
                history.loss.append(accelerator.gather(loss.detach()).mean().item())
                if on_step is not None:
                    on_step(len(history.loss) - 1, history.loss[-1])
                if len(history.loss) == config.steps:
                    break
    if accelerator.is_main_process:
        adapted.save_pretrained(config.out_dir)
    return Trained(adapted, history)


def generate(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    rows = [encode(tokenizer, [{"role": "user", "content": p}], add_generation_prompt=True) for p in prompts]
    longest = max(len(row) for row in rows)  # max() of nothing is a ValueError.
    end = tokenizer.eos_token_id
    ids = torch.tensor([[end] * (longest - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    modes = {module: module.training for module in model.modules()}
    model.eval()
    output = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        eos_token_id=end,
        pad_token_id=end,
    )
    for module, mode in modes.items():
        module.training = mode
    return tokenizer.batch_decode(output[:, longest:], skip_special_tokens=True)


def main() -> None:
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
