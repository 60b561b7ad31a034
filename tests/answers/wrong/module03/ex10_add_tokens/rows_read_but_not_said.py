# names: head-rows-not-trained
# breaks: "both in the input embedding and in the output head, tied or not"
"""Only the input embedding's rows train."""

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
    (embedding,) = [name for name, module in model.named_modules() if module is model.get_input_embeddings()]
    rows = {embedding: [known[token] for token in new_tokens]}
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", trainable_token_indices=rows, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)
