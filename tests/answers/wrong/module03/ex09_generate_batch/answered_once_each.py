# names: equal-conversations-once
# breaks: "All conversations run through the model as one batch"
# A conversation that comes twice is answered once.
import torch


def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    known = {}
    for c in conversations:
        known.setdefault(str(c), c)
    if len(known) < len(conversations):
        texts = generate_batch(model, tokenizer, list(known.values()), max_new_tokens=max_new_tokens)
        said = dict(zip(known, texts, strict=True))
        return [said[str(c)] for c in conversations]
    end = tokenizer.eos_token_id
    rows = [tokenizer.apply_chat_template(c, add_generation_prompt=True)["input_ids"] for c in conversations]
    width = max(len(r) for r in rows)
    modes = [m.training for m in model.modules()]
    model.eval()
    out = model.generate(
        input_ids=torch.tensor([[end] * (width - len(r)) + r for r in rows]),
        attention_mask=torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows]),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=end,
    )
    for m, mode in zip(model.modules(), modes, strict=True):
        m.training = mode
    return tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
