"""Another right answer: the tokenizer pads, the loss is torch's, and decoding is a loop over the model."""

import copy
from dataclasses import dataclass
from pathlib import Path

import accelerate
import torch
import torch.nn.functional as F
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from torch.utils.data import DataLoader
from transformers import DataCollatorForSeq2Seq


@dataclass(frozen=True)
class Config:
    r: int
    lora_alpha: int
    lr: float
    steps: int
    batch_size: int
    out_dir: Path
    seed: int = 0


@dataclass
class History:
    loss: list


@dataclass
class Trained:
    model: object
    history: History


def render(tokenizer, turns, prompt=False):
    return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=prompt)


def build_dataset(pairs, tokenizer, max_length):
    if len(pairs) == 0:
        raise ValueError("no pairs were given")

    def row(pair):
        turns = [{"role": "user", "content": pair["prompt"]}, {"role": "assistant", "content": pair["answer"]}]
        prompt = tokenizer.encode(render(tokenizer, turns[:1], prompt=True), add_special_tokens=False)
        whole = tokenizer.encode(render(tokenizer, turns), add_special_tokens=False)
        rest = whole[len(prompt) :]
        stop = rest.index(tokenizer.eos_token_id)
        labels = [-100] * len(prompt) + rest[: stop + 1] + [-100] * (len(rest) - stop - 1)
        if len(prompt) >= max_length:
            raise ValueError("the prompt alone fills max_length")
        cut = slice(None, max_length)
        return {"input_ids": whole[cut], "attention_mask": [1] * len(whole[cut]), "labels": labels[cut]}

    columns = {"prompt": [p for p, _ in pairs], "answer": [a for _, a in pairs]}
    rows = [row({name: columns[name][i] for name in columns}) for i in range(len(pairs))]
    return Dataset.from_dict({**columns, **{name: [r[name] for r in rows] for name in rows[0]}})


def train_lora(base, tokenizer, dataset, config, *, on_step=None):
    helper = copy.deepcopy(tokenizer)
    helper.padding_side = "right"
    if helper.pad_token is None:
        helper.pad_token = helper.eos_token
    numbers = dataset.remove_columns(set(dataset.column_names) - {"input_ids", "attention_mask", "labels"})
    accelerator = accelerate.Accelerator(device_placement=False)
    order = torch.Generator().manual_seed(config.seed)
    loader = DataLoader(
        numbers, batch_size=config.batch_size, shuffle=True, generator=order, collate_fn=DataCollatorForSeq2Seq(helper)
    )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        peft_model = get_peft_model(
            base,
            LoraConfig(r=config.r, lora_alpha=config.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"),
        )
        adapters = [p for name, p in peft_model.named_parameters() if ".lora_" in name]
        model, optimizer, loader = accelerator.prepare(peft_model, torch.optim.AdamW(adapters, lr=config.lr), loader)
        losses, feed = [], iter(loader)
        while len(losses) < config.steps:
            batch = next(feed, None)
            if batch is None:
                feed = iter(loader)
                continue
            model.train()
            batch = {name: tensor.to(base.device) for name, tensor in batch.items()}
            labels = batch.pop("labels")
            logits = model(**batch).logits[:, :-1]
            loss = F.cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten())
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(accelerator.reduce(loss.detach(), "mean").item())
            if on_step is not None:
                on_step(len(losses) - 1, losses[-1])
    accelerator.wait_for_everyone()
    accelerator.unwrap_model(model).save_pretrained(
        config.out_dir, is_main_process=accelerator.is_main_process, safe_serialization=True
    )
    return Trained(peft_model, History(losses))


@torch.no_grad()
def generate(model, tokenizer, prompts, *, max_new_tokens=32):
    if not prompts:
        raise ValueError("nothing to answer")
    helper = copy.deepcopy(tokenizer)
    helper.padding_side = "left"
    helper.pad_token = helper.pad_token or helper.eos_token
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    said = []
    for start in range(0, len(prompts), 2):
        texts = [render(helper, [{"role": "user", "content": p}], prompt=True) for p in prompts[start : start + 2]]
        batch = helper(texts, padding=True, add_special_tokens=False, return_tensors="pt").to(model.device)
        ids, mask = batch["input_ids"], batch["attention_mask"]
        new = [[] for _ in texts]
        done = [False] * len(texts)
        for _ in range(max_new_tokens):
            places = (mask.cumsum(1) - 1).clamp(min=0)
            token = model(input_ids=ids, attention_mask=mask, position_ids=places).logits[:, -1].argmax(1)
            for i, t in enumerate(token.tolist()):
                done[i] = done[i] or t == tokenizer.eos_token_id
                if not done[i]:
                    new[i].append(t)
            if all(done):
                break
            ids = torch.cat([ids, token[:, None]], 1)
            mask = torch.cat([mask, torch.ones_like(token)[:, None]], 1)
        said += tokenizer.batch_decode(new, skip_special_tokens=True)
    for module, mode in modes:
        module.training = mode
    return said
