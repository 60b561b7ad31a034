"""All ids are named, old ones too: their rows may train. It is more than is needed, and allowed."""

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
    tables = (model.get_input_embeddings(), model.get_output_embeddings())
    names = [name for name, module in model.named_modules() if any(module is table for table in tables)]
    rows = dict.fromkeys(names, list(range(len(tokenizer))))
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", trainable_token_indices=rows, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)
