# names: prompt-not-masked
# breaks: "labels that count only in the assistant's turns"
import torch
import torch.nn.functional as F


def build_example(messages, tokenizer, max_length):
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    example = tokenizer(text, add_special_tokens=False, truncation=True, max_length=max_length)
    return {
        "input_ids": example["input_ids"],
        "attention_mask": example["attention_mask"],
        "labels": example["input_ids"].copy(),
    }


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
