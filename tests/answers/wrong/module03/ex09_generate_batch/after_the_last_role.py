# names: after-the-last-role
# breaks: "only the new tokens, without the prompt and without special tokens, as `tokenizer.decode` gives them"
# The new text is what follows the last "assistant" of the whole text, with its line ends stripped.
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
    return [tokenizer.decode(o, skip_special_tokens=True).split("assistant")[-1].strip() for o in out]
