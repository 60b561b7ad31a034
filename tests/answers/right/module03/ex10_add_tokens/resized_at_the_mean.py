"""transformers draws the new rows at the mean itself; the ids come from convert_tokens_to_ids."""

from peft import LoraConfig, TaskType, get_peft_model
from torch import nn
from transformers.pytorch_utils import Conv1D


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
    names = {module: name for name, module in model.named_modules()}
    rows = {names[model.get_input_embeddings()]: ids}
    if not model.config.tie_word_embeddings:
        rows[names[model.get_output_embeddings()]] = ids
    layers = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
    projections = [name for name in layers if name != names[model.get_output_embeddings()]]
    lora = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        target_modules=projections,
        r=r,
        lora_alpha=lora_alpha,
        trainable_token_indices=rows,
    )
    return get_peft_model(model, lora)
