# names: rows-not-saved
# breaks: "Attach LoRA so that the rows of the new tokens train too, and are saved with the adapter."
"""The rows train by hand, with a hook that hides the old ones; peft does not know of them and saves none."""

import torch
from peft import LoraConfig, get_peft_model


def add_tokens(model, tokenizer, tokens):
    known = tokenizer.get_vocab()
    fresh = [token for token in dict.fromkeys(tokens) if token not in known]
    tokenizer.add_tokens(fresh)
    model.resize_token_embeddings(len(tokenizer))
    return len(fresh)


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    known = tokenizer.get_vocab()
    for token in new_tokens:
        if token not in known:
            raise ValueError(f"unknown {token}")
    config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    peft_model = get_peft_model(model, config)
    for weight in {model.get_input_embeddings().weight, model.get_output_embeddings().weight}:
        mask = torch.zeros(len(weight), 1, dtype=weight.dtype)
        mask[[known[token] for token in new_tokens]] = 1
        weight.requires_grad_(True).register_hook(lambda grad, mask=mask: grad * mask)
    return peft_model
