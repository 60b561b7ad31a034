# names: template-not-used
# breaks: "A prompt is the conversation as the template renders it with the generation prompt."
# The contents are joined without the chat template: the model was never trained on such a text.
import torch


def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    end = tokenizer.eos_token_id
    texts = ["\n".join(m["content"] for m in c) for c in conversations]
    rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
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
