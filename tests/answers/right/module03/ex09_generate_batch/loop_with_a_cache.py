"""A greedy loop by hand that hands the key-value cache on; the texts are cut at the first end token."""

import torch
import torch.nn.functional as F


def left_padded(rows, value):
    width = max(map(len, rows))
    return torch.stack([F.pad(torch.tensor(row), (width - len(row), 0), value=value) for row in rows])


def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    prompts = [tokenizer.apply_chat_template(c, add_generation_prompt=True, tokenize=False) for c in conversations]
    rows = [tokenizer.encode(prompt, add_special_tokens=False) for prompt in prompts]
    step = left_padded(rows, tokenizer.unk_token_id or 0)
    mask = left_padded([[1] * len(row) for row in rows], 0)
    training = {id(module) for module in model.modules() if module.training}
    model.eval()
    try:
        with torch.no_grad():
            cache, columns = None, []
            ended = torch.zeros(len(rows), dtype=torch.bool)
            while len(columns) < max_new_tokens and not ended.all():
                places = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -step.shape[1] :]
                result = model(step, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True)
                cache = result.past_key_values
                step = result.logits[:, -1:].argmax(dim=-1)
                columns.append(step)
                ended |= step[:, 0] == tokenizer.eos_token_id
                mask = F.pad(mask, (0, 1), value=1)
    finally:
        for module in model.modules():
            module.training = id(module) in training
    texts = []
    for row in torch.cat(columns, dim=1).tolist():
        if tokenizer.eos_token_id in row:
            row = row[: row.index(tokenizer.eos_token_id)]
        texts.append(tokenizer.decode(row, skip_special_tokens=True))
    return texts
