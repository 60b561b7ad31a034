# names: unlisted
# breaks: "as `tokenizer.decode` gives them"
# A long answer is cut for display and gets three dots.
import torch


def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
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
    texts = tokenizer.batch_decode(out[:, width:], skip_special_tokens=True)
    return [text if len(text) <= 24 else text[:21] + "..." for text in texts]
