# names: one-token-a-character
# breaks: "the same ids, in the same places (the loss shifts them, not this function), for each"
# A character of several tokens gives only the first of them.
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORE_INDEX = -100  # A label that does not count; `F.cross_entropy` leaves it out by default.


def build_example(
    messages: list[dict[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> dict[str, list[int]]:
    if len(messages) == 0:
        raise ValueError("a conversation needs messages")
    render = tokenizer.apply_chat_template
    text = render(messages, tokenize=False)
    encoding = tokenizer(text, add_special_tokens=False)
    ids = list(encoding["input_ids"])
    learned: set[int] = set()
    for turn, message in enumerate(messages):
        if message["role"] == "assistant":
            first = len(render(messages[:turn], tokenize=False, add_generation_prompt=True))
            last = text.find(tokenizer.eos_token, first) + len(tokenizer.eos_token)
            learned.update(t for c in range(first, last) if (t := encoding.char_to_token(c)) is not None)
    labels = [token if k in learned else IGNORE_INDEX for k, token in enumerate(ids)][:max_length]
    if set(labels) <= {IGNORE_INDEX}:
        raise ValueError(f"nothing to learn within max_length={max_length}")
    return {"input_ids": ids[:max_length], "attention_mask": [1] * len(labels), "labels": labels}


def collate(examples: list[dict[str, list[int]]], pad_token_id: int) -> dict[str, Tensor]:
    if len(examples) == 0:
        raise ValueError("an empty batch")
    from torch.nn.utils.rnn import pad_sequence

    def padded(key: str, value: int) -> Tensor:
        rows = [torch.tensor(example[key], dtype=torch.long) for example in examples]
        return pad_sequence(rows, batch_first=True, padding_value=value)

    return {
        "input_ids": padded("input_ids", pad_token_id),
        "attention_mask": padded("attention_mask", 0),
        "labels": padded("labels", -100),
    }


def causal_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    targets = labels[:, 1:]
    kept = targets != IGNORE_INDEX
    log_probs = logits[:, :-1].float().log_softmax(dim=-1)
    picked = log_probs.gather(-1, targets.masked_fill(~kept, 0).unsqueeze(-1)).squeeze(-1)
    losses = torch.where(kept, -picked, torch.zeros_like(picked))
    return (losses.sum() / kept.sum().clamp(min=1)).to(logits.dtype)
