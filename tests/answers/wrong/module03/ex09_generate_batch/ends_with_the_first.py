# names: ends-with-the-first
# breaks: "A text ends before the end token, or after `max_new_tokens` tokens."
# The loop ends when the first row has ended, so the longer answers are cut.
import torch


@torch.no_grad()
def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    end = tokenizer.eos_token_id
    rows = [tokenizer.apply_chat_template(c, add_generation_prompt=True)["input_ids"] for c in conversations]
    width = max(len(r) for r in rows)
    ids = torch.tensor([[end] * (width - len(r)) + r for r in rows])
    mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows])
    modes = [m.training for m in model.modules()]
    model.eval()
    for _ in range(max_new_tokens):
        token = model(input_ids=ids, attention_mask=mask).logits[:, -1].argmax(-1)
        if (token == end).any():
            break
        ids = torch.cat([ids, token[:, None]], 1)
        mask = torch.cat([mask, torch.ones(len(rows), 1, dtype=torch.long)], 1)
    for m, mode in zip(model.modules(), modes, strict=True):
        m.training = mode
    return tokenizer.batch_decode(ids[:, width:], skip_special_tokens=True)
