# names: ends-at-any-special-token
# breaks: "A text ends before the end token"
# Cuts at the first special token of any kind.

import torch


def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    texts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    rows = [tokenizer(t, add_special_tokens=False).input_ids for t in texts]
    end = tokenizer.eos_token_id
    pad = end if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    width = max(map(len, rows))
    device = model.device
    ids = torch.tensor([[pad] * (width - len(r)) + r for r in rows], device=device)
    mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows], device=device)
    modes = [(m, m.training) for m in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            out = model.generate(
                ids,
                attention_mask=mask,
                do_sample=False,
                num_beams=1,
                max_new_tokens=max_new_tokens,
                eos_token_id=end,
                pad_token_id=pad,
            )
    finally:
        for m, mode in modes:
            m.training = mode
    answers = []
    for row in out[:, width:].tolist():
        at = next((i for i, t in enumerate(row) if t in tokenizer.all_special_ids), len(row))
        row = row[:at]
        answers.append(tokenizer.decode(row, skip_special_tokens=True))
    return answers
