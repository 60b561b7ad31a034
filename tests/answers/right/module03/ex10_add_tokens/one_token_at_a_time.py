"""Each token with its row before the next; the means are taken first. Special tokens would do as well."""

import torch
from peft import LoraConfig, get_peft_model


@torch.no_grad()
def add_tokens(model, tokenizer, tokens):
    tables = [model.get_input_embeddings, model.get_output_embeddings]
    means = [table().weight.double().mean(0) for table in tables]
    n = 0
    for token in tokens:
        if token in tokenizer.get_vocab():
            continue
        tokenizer.add_tokens([token], special_tokens=True)
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        for table, mean in zip(tables, means, strict=True):
            table().weight[-1].copy_(mean)
        n += 1
    return n


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    known = tokenizer.get_vocab()
    try:
        ids = [known[token] for token in new_tokens]
    except KeyError as error:
        raise ValueError(f"not a token: {error}") from None
    named = {module: name for name, module in model.named_modules()}
    places = [named[model.get_input_embeddings()], named[model.get_output_embeddings()]]
    config = LoraConfig(task_type="CAUSAL_LM", r=r, lora_alpha=lora_alpha, target_modules="all-linear")
    config.trainable_token_indices = dict.fromkeys(places, ids)
    return get_peft_model(model, config)
