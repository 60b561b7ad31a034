"""transformers draws the new rows at the mean itself; the ids come from convert_tokens_to_ids."""

from peft import LoraConfig, TaskType, get_peft_model


def add_tokens(model, tokenizer, tokens):
    before = set(tokenizer.get_vocab())
    fresh = []
    for token in tokens:
        if token not in before:
            before.add(token)
            fresh.append(token)
    if fresh:
        tokenizer.add_tokens(fresh)
        model.resize_token_embeddings(len(tokenizer))
    return len(fresh)


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    for token in new_tokens:
        if token not in tokenizer.get_vocab():
            raise ValueError(f"unknown token {token}")
    ids = tokenizer.convert_tokens_to_ids(list(new_tokens))
    rows = {"embed_tokens": ids}
    if not model.config.tie_word_embeddings:
        rows["lm_head"] = ids
    projections = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    lora = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        target_modules=projections,
        r=r,
        lora_alpha=lora_alpha,
        trainable_token_indices=rows,
    )
    return get_peft_model(model, lora)
