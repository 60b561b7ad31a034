"""A greedy loop by hand: the whole batch is read again for each token; any id pads, the mask hides it."""

import torch


@torch.inference_mode()
def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if len(conversations) == 0:
        raise ValueError("nothing to answer")
    rows = []
    for messages in conversations:
        encoded = tokenizer.apply_chat_template(messages, add_generation_prompt=True)
        rows.append(list(encoded["input_ids"]))
    longest = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long, device=model.device)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, longest - len(row) :] = torch.tensor(row)
        mask[i, longest - len(row) :] = 1

    flags = [module.training for module in model.modules()]
    model.train(False)
    open_rows = torch.ones(len(rows), dtype=torch.bool, device=ids.device)
    new = [[] for _ in rows]
    for _ in range(max_new_tokens):
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        logits = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits
        best = logits[:, -1].argmax(-1)
        open_rows &= best != tokenizer.eos_token_id
        if not open_rows.any():
            break
        for i in open_rows.nonzero().flatten().tolist():
            new[i].append(int(best[i]))
        ids = torch.cat([ids, best[:, None]], dim=1)
        mask = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
    for module, flag in zip(model.modules(), flags, strict=True):
        module.training = flag
    return [tokenizer.decode(tokens, skip_special_tokens=True) for tokens in new]
