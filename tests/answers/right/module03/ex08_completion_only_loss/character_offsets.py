"""Spans of characters in the rendered text, read off the tokens' offsets; the loss by log-softmax and gather."""

import torch
from torch.nn.utils.rnn import pad_sequence


def answer_spans(messages, tokenizer, text):
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = tokenizer.apply_chat_template(messages[:index], tokenize=False, add_generation_prompt=True)
        stop = text.index(tokenizer.eos_token, len(prompt)) + len(tokenizer.eos_token)
        yield len(prompt), stop


def build_example(messages, tokenizer, max_length):
    text = tokenizer.apply_chat_template(messages, tokenize=False) if messages else ""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = list(answer_spans(messages, tokenizer, text))
    example = {"input_ids": [], "attention_mask": [], "labels": []}
    for token, (start, stop) in list(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))[:max_length]:
        inside = any(first <= start and stop <= last for first, last in spans)
        example["input_ids"].append(token)
        example["attention_mask"].append(1)
        example["labels"].append(token if inside else -100)
    if set(example["labels"]) <= {-100}:
        raise ValueError(f"max_length {max_length} leaves nothing to learn")
    return example


def collate(examples, pad_token_id):
    if len(examples) == 0:
        raise ValueError("nothing to collate")
    fills = dict(input_ids=pad_token_id, labels=-100, attention_mask=0)
    return {
        key: pad_sequence([torch.tensor(e[key]) for e in examples], batch_first=True, padding_value=fill)
        for key, fill in fills.items()
    }


def causal_lm_loss(logits, labels):
    logprobs = torch.log_softmax(logits.float()[:, :-1], dim=-1)
    targets = labels[:, 1:]
    counts = targets.ne(-100)
    picked = logprobs.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (-(picked * counts).sum() / counts.sum().clamp(min=1)).to(logits.dtype)
