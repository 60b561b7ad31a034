# names: other-weight-decay
# breaks: "by `torch.optim.AdamW` with torch's defaults"
# The weight decay of many recipes.

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import torch
from datasets import Dataset
from peft import LoraConfig, TaskType, get_peft_model
from torch.nn.utils.rnn import pad_sequence
from transformers.pytorch_utils import Conv1D


def projections(model):
    """The names of the linear layers; those of a GPT-2 are Conv1D. The head is none of them."""
    layers = (torch.nn.Linear, Conv1D)
    head = model.get_output_embeddings()
    return [name for name, module in model.named_modules() if isinstance(module, layers) and module is not head]


class Config(NamedTuple):
    r: int
    lora_alpha: int
    lr: float
    steps: int
    batch_size: int
    out_dir: Path
    seed: int = 0


def build_dataset(pairs, tokenizer, max_length):
    columns = {"input_ids": [], "attention_mask": [], "labels": []}
    for number, (question, reply) in enumerate(pairs):
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
        head = tokenizer.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(turns, tokenize=False)
        begin, end = len(head), whole.index(tokenizer.eos_token, len(head)) + len(tokenizer.eos_token)
        encoded = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
        ids, places = encoded["input_ids"], encoded["offset_mapping"]
        labels = [i if begin <= a and b <= end else -100 for i, (a, b) in zip(ids, places, strict=True)]
        ids, labels = ids[:max_length], labels[:max_length]
        if set(labels) == {-100}:
            raise ValueError(f"pair {number} is too long")
        columns["input_ids"].append(ids)
        columns["attention_mask"].append([1] * len(ids))
        columns["labels"].append(labels)
    if not columns["labels"]:
        raise ValueError("empty")
    return Dataset.from_dict(columns)


def batches(dataset, size, generator):
    while True:
        for part in torch.randperm(len(dataset), generator=generator).split(size):
            rows = dataset[part.tolist()]
            ids, labels = ([torch.tensor(row) for row in rows[name]] for name in ("input_ids", "labels"))
            mask = pad_sequence([torch.ones_like(row) for row in ids], batch_first=True)
            ids = pad_sequence(ids, batch_first=True)
            yield ids, mask, pad_sequence(labels, batch_first=True, padding_value=-100)


def train_lora(base, tokenizer, dataset, config, *, on_step=None):
    state = torch.random.get_rng_state()
    torch.manual_seed(config.seed)
    try:
        return train(base, dataset, config, on_step)
    finally:
        torch.random.set_rng_state(state)


def train(base, dataset, config, on_step):
    lora = LoraConfig(
        task_type=TaskType.CAUSAL_LM, r=config.r, lora_alpha=config.lora_alpha, target_modules=projections(base)
    )
    model = get_peft_model(base, lora).train()
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, config.lr, weight_decay=0.1)
    losses = []
    feed = batches(dataset, config.batch_size, torch.Generator().manual_seed(config.seed))
    for step in range(config.steps):
        ids, mask, labels = (tensor.to(base.device) for tensor in next(feed))
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        grads = torch.autograd.grad(loss, trainable)
        for parameter, grad in zip(trainable, grads, strict=True):
            parameter.grad = grad
        optimizer.step()
        losses.append(float(loss))
        if on_step:
            on_step(step, losses[-1])
    model.eval()
    model.save_pretrained(str(config.out_dir))
    return SimpleNamespace(model=model, history=SimpleNamespace(loss=losses))


@contextlib.contextmanager
def evaluating(model):
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def generate(model, tokenizer, prompts, *, max_new_tokens=32):
    if not prompts:
        raise ValueError("no prompts")
    rows = []
    for prompt in prompts:
        turns = [{"role": "user", "content": prompt}]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        rows.append(torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"]))
    ids = pad_sequence(rows, batch_first=True, padding_side="left")
    mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True, padding_side="left")
    with evaluating(model), torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), do_sample=False, num_beams=1,
            max_new_tokens=max_new_tokens, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.eos_token_id,
        )  # fmt: skip
    return [tokenizer.decode(row[ids.shape[1] :], skip_special_tokens=True) for row in out]
