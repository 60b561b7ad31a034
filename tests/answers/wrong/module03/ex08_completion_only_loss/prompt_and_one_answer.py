# names: last-answer-only
# breaks: "in every assistant's turn"
import torch
import torch.nn.functional as F


def build_example(messages, tokenizer, max_length):
    if not messages or messages[-1]["role"] != "assistant":
        raise ValueError(f"no answer; max_length {max_length}")
    ids = tokenizer.apply_chat_template(messages)["input_ids"]
    prompt = len(tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True)["input_ids"])
    end = ids.index(tokenizer.eos_token_id, prompt) + 1
    labels = [-100] * prompt + ids[prompt:end] + [-100] * (len(ids) - end)
    ids, labels = ids[:max_length], labels[:max_length]
    if all(label == -100 for label in labels):
        raise ValueError(f"max_length {max_length} is too short")
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
