# names: known-added-again
# breaks: "A token that the tokenizer already knows is skipped"
"""The two lines of every tutorial: add, resize, and trust the count."""

from peft import LoraConfig, get_peft_model


def add_tokens(model, tokenizer, tokens):
    count = tokenizer.add_tokens(tokens)
    model.resize_token_embeddings(len(tokenizer))
    return count


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    known = tokenizer.get_vocab()
    for token in new_tokens:
        if token not in known:
            raise ValueError(f"unknown {token}")
    ids = [known[token] for token in new_tokens]
    tables = (model.get_input_embeddings(), model.get_output_embeddings())
    rows = {name: ids for name, module in model.named_modules() if module in tables}
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", trainable_token_indices=rows, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)
