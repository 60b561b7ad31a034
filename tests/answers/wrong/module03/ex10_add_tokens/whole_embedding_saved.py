# names: head-rows-not-trained
# breaks: "both in the input embedding and in the output head, tied or not"
"""modules_to_save, but for the embedding alone: the new rows of the head stay where they are."""

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
        modules_to_save=["embed_tokens", "wte"],
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)
