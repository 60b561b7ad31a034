# names: another-key
# breaks: "A dictionary of three lists of Python ints"
# A fourth entry, which no collator expects.
import torch
import torch.nn.functional as F


def build_example(messages, tokenizer, max_length):
    if not messages:
        raise ValueError("no messages")
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    labels = [-100] * len(ids)
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = tokenizer.apply_chat_template(messages[:i], tokenize=False, add_generation_prompt=True)
        position = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
        while True:
            labels[position] = ids[position]
            if ids[position] == tokenizer.eos_token_id:
                break
            position += 1
    ids, labels = ids[:max_length], labels[:max_length]
    if all(label == -100 for label in labels):
        raise ValueError(f"nothing to learn in {max_length} tokens")
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels, "text": text}


def collate(examples, pad_token_id):
    if not examples:
        raise ValueError("no examples")
    longest = max(len(e["input_ids"]) for e in examples)
    batch = {}
    for name, fill in [("input_ids", pad_token_id), ("attention_mask", 0), ("labels", -100)]:
        batch[name] = torch.tensor([e[name] + [fill] * (longest - len(e[name])) for e in examples])
    return batch


def causal_lm_loss(logits, labels):
    targets = labels[:, 1:].reshape(-1)
    loss = F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), targets, reduction="sum")
    return loss / max(int((targets != -100).sum()), 1)
