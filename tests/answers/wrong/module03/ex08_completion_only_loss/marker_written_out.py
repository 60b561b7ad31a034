# names: one-header-written-out
# breaks: "adds exactly the header of an assistant's turn, if the template has one"
# The answers are found by a marker of one template; another template has another one.
import torch
import torch.nn.functional as F

MARKER = "<|im_start|>assistant\n"


def build_example(messages, tokenizer, max_length):
    if not messages:
        raise ValueError("no messages")
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    keep, at = set(), text.find(MARKER)
    while at >= 0:
        start = at + len(MARKER)
        end = text.index(tokenizer.eos_token, start) + len(tokenizer.eos_token)
        keep |= {i for i, (a, b) in enumerate(encoded["offset_mapping"]) if a >= start and b <= end}
        at = text.find(MARKER, end)
    ids = encoded["input_ids"][:max_length]
    labels = [token if i in keep else -100 for i, token in enumerate(ids)]
    if all(label == -100 for label in labels):
        raise ValueError(f"no label within {max_length}")
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}


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
