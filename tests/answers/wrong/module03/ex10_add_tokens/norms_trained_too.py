# names: biases-or-norms-trained
# breaks: "Nothing else needs a gradient, no other weight and no norm."
"""modules_to_save for both tables, and for the norms as well, as a recipe for long contexts has it."""

from peft import LoraConfig, get_peft_model


def add_tokens(model, tokenizer, tokens):
    known = tokenizer.get_vocab()
    fresh = [token for token in dict.fromkeys(tokens) if token not in known]
    tokenizer.add_tokens(fresh)
    model.resize_token_embeddings(len(tokenizer))
    return len(fresh)


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    for token in new_tokens:
        if token not in tokenizer.get_vocab():
            raise ValueError(f"unknown {token}")
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear",
        modules_to_save=["embed_tokens", "wte", "lm_head", "norm", "input_layernorm"],
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)
