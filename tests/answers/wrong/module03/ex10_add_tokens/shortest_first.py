# names: order-lost
# breaks: "the tokens in the order of their ids"
# Puts the shortest first.

import torch
from peft import LoraConfig, get_peft_model


def add_tokens(model, tokenizer, tokens):
    known = tokenizer.get_vocab()
    new = sorted(set(tokens) - set(known), key=lambda token: (len(token), token))
    if not new:
        return 0
    tokenizer.add_tokens(new)
    old = model.get_input_embeddings().weight.shape[0]
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            w = layer.weight
            w[old:] = w[:old].float().mean(0).to(w.dtype)
    return len(new)


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    vocab = tokenizer.get_vocab()
    for t in new_tokens:
        if t not in vocab:
            raise ValueError(f"unknown token {t!r}")
    ids = [vocab[t] for t in new_tokens]
    names = {id(m): n for n, m in model.named_modules()}
    into, out = names[id(model.get_input_embeddings())], names[id(model.get_output_embeddings())]
    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    rows = {into: ids} if tied else {into: ids, out: ids}
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM", trainable_token_indices=rows
    )
    return get_peft_model(model, config)
