# names: prompt-cut
# breaks: "A prompt is rendered with the generation prompt"
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
        raise ValueError("no pairs")
    rows = []
    for prompt, answer in pairs:
        user = [{"role": "user", "content": prompt}]
        begin = tokenizer.apply_chat_template(user, tokenize=False, add_generation_prompt=True)
        text = tokenizer.apply_chat_template([*user, {"role": "assistant", "content": answer}], tokenize=False)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        start = len(tokenizer(begin, add_special_tokens=False)["input_ids"])
        end = ids.index(tokenizer.eos_token_id, start) + 1
        labels = [IGNORE_INDEX] * start + ids[start:end] + [IGNORE_INDEX] * (len(ids) - end)
        ids, labels = ids[:max_length], labels[:max_length]
        if len(ids) <= start:
            raise ValueError(f"no token of the answer within {max_length} tokens: {prompt!r}")
        rows.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels})
    return Dataset.from_list(rows)


def train_lora(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: Dataset,
    config: Config,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Trained:
    accelerator = Accelerator()
    state = torch.get_rng_state()
    torch.manual_seed(config.seed)
    lora = LoraConfig(r=config.r, lora_alpha=config.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(base, lora)
    model.train()
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id

    def collate(rows):
        longest = max(len(row["input_ids"]) for row in rows)
        fills = {"input_ids": pad, "attention_mask": 0, "labels": IGNORE_INDEX}
        return {k: torch.tensor([r[k] + [v] * (longest - len(r[k])) for r in rows]) for k, v in fills.items()}

    generator = torch.Generator().manual_seed(config.seed)
    loader = DataLoader(dataset, batch_size=config.batch_size, shuffle=True, collate_fn=collate, generator=generator)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=config.lr)
    wrapped, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    losses = []
    while len(losses) < config.steps:
        for batch in loader:
            if len(losses) == config.steps:
                break
            loss = wrapped(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["labels"]
            ).loss
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(accelerator.reduce(loss.detach(), reduction="mean").item())
            if on_step is not None:
                on_step(len(losses) - 1, losses[-1])
    trained = accelerator.unwrap_model(wrapped)
    if accelerator.is_main_process:
        config.out_dir.mkdir(parents=True, exist_ok=True)
        trained.save_pretrained(config.out_dir)
    accelerator.wait_for_everyone()
    torch.set_rng_state(state)
    return Trained(trained, History(losses))


def generate(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[str],
    *,
    max_new_tokens: int = 32,
) -> list[str]:
    if not prompts:
        raise ValueError("no prompts")
    eos = tokenizer.eos_token_id
    pad = eos if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    modes = {module: module.training for module in model.modules()}
    model.eval()
    answers = []
    try:
        for begin in range(0, len(prompts), 32):
            rows = []
            for prompt in prompts[begin : begin + 32]:
                chat = [{"role": "user", "content": prompt}]
                text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
                rows.append(tokenizer(text, add_special_tokens=False, truncation=True, max_length=512)["input_ids"])
            longest = max(map(len, rows))
            ids = torch.tensor([[pad] * (longest - len(row)) + row for row in rows], device=model.device)
            mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=model.device)
            with torch.no_grad():
                output = model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    max_new_tokens=max_new_tokens,
                    do_sample=False,
                    eos_token_id=eos,
                    pad_token_id=pad,
                )
            answers += tokenizer.batch_decode(output[:, longest:], skip_special_tokens=True)
    finally:
        for module, mode in modes.items():
            module.training = mode
    return answers


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
