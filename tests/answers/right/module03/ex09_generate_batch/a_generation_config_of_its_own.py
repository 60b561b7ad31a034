"""A new GenerationConfig for the call; the shortest prompts first, and the answers put back in order."""

import torch
from transformers import GenerationConfig


def generate_batch(model, tokenizer, conversations, *, max_new_tokens=32):
    if not conversations:
        raise ValueError("no conversations")
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
    )
    rendered = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in conversations]
    encoded = [tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids[0] for text in rendered]
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    width = len(encoded[order[-1]])
    ids = torch.full((len(encoded), width), config.pad_token_id)
    for place, i in enumerate(order):
        ids[place, width - len(encoded[i]) :] = encoded[i]
    lengths = torch.tensor([len(encoded[i]) for i in order])
    mask = (torch.arange(width) >= width - lengths[:, None]).long()

    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    out = model.generate(ids.to(model.device), attention_mask=mask.to(model.device), generation_config=config)
    for module, mode in modes:
        module.training = mode
    texts = [""] * len(encoded)
    for place, i in enumerate(order):
        texts[i] = tokenizer.decode(out[place, width:].tolist(), skip_special_tokens=True)
    return texts
