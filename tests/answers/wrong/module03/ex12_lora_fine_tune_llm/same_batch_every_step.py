# names: unlisted
# breaks: "A pass takes each example once"
"""next(iter(loader)) makes a new pass at every step: some pairs come often, others never."""

import copy
from collections import namedtuple

import torch
from accelerate import Accelerator
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from torch.utils.data import DataLoader

Config = namedtuple("Config", "r lora_alpha lr steps batch_size out_dir seed", defaults=[0])
History = namedtuple("History", "loss")
Trained = namedtuple("Trained", "model history")
LISTS = ("input_ids", "attention_mask", "labels")


def chat(tokenizer, *turns, prompt=False):
    return tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=prompt)


def build_dataset(pairs, tokenizer, max_length):
    if not pairs:
        raise ValueError("no pairs")
    data = {name: [] for name in LISTS}
    for question, reply in pairs:
        user, assistant = {"role": "user", "content": question}, {"role": "assistant", "content": reply}
        ids = tokenizer(chat(tokenizer, user, assistant), add_special_tokens=False).input_ids
        n = len(tokenizer(chat(tokenizer, user, prompt=True), add_special_tokens=False).input_ids)
        if n >= max_length:
            raise ValueError(f"too long: {question}")
        m = n + ids[n:].index(tokenizer.eos_token_id) + 1
        labels = [-100] * n + ids[n:m] + [-100] * (len(ids) - m)
        data["input_ids"].append(ids[:max_length])
        data["attention_mask"].append([1] * len(ids[:max_length]))
        data["labels"].append(labels[:max_length])
    return Dataset.from_dict(data)


def pad_batch(rows):
    longest = max(len(row["labels"]) for row in rows)
    fill = dict(zip(LISTS, (0, 0, -100), strict=True))
    return {k: torch.tensor([row[k] + [fill[k]] * (longest - len(row[k])) for row in rows]) for k in LISTS}


def train_lora(base, tokenizer, dataset, config, *, on_step=None):
    accelerator = Accelerator(device_placement=False)
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        lora = LoraConfig(r=config.r, lora_alpha=config.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
        peft_model = get_peft_model(base, lora)
        params = [p for p in peft_model.parameters() if p.requires_grad]
        loader = DataLoader(dataset, config.batch_size, shuffle=True, collate_fn=pad_batch)
        model, optimizer, loader = accelerator.prepare(peft_model, torch.optim.AdamW(params, config.lr), loader)
        model.train()
        losses = []
        while len(losses) < config.steps:
            for batch in [next(iter(loader))]:
                optimizer.zero_grad()
                loss = model(**{k: v.to(base.device) for k, v in batch.items()}).loss
                accelerator.backward(loss)
                optimizer.step()
                losses.append(loss.item())
                if on_step:
                    on_step(len(losses) - 1, losses[-1])
                if len(losses) >= config.steps:
                    break
    peft_model.save_pretrained(config.out_dir)
    return Trained(peft_model, History(losses))


def generate(model, tokenizer, prompts, *, max_new_tokens=32):
    if not prompts:
        raise ValueError("no prompts")
    tok = copy.deepcopy(tokenizer)
    tok.padding_side = "left"
    tok.pad_token = tok.eos_token
    texts = [chat(tok, {"role": "user", "content": p}, prompt=True) for p in prompts]
    batch = tok(texts, padding=True, add_special_tokens=False, return_tensors="pt").to(model.device)
    modes = {m: m.training for m in model.modules()}
    model.eval()
    out = model.generate(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=tok.eos_token_id,
        pad_token_id=tok.eos_token_id,
    )
    for m, mode in modes.items():
        m.training = mode
    return tok.batch_decode(out[:, batch.input_ids.shape[1] :], skip_special_tokens=True)
