"""New tables are put together with cat, and the head is tied again where it was."""

import torch
from peft import LoraConfig, PeftModelForCausalLM
from torch import nn


def longer(weight, count):
    with torch.no_grad():
        return nn.Parameter(torch.cat([weight, weight.mean(0, keepdim=True).repeat(count, 1)]))


def add_tokens(model, tokenizer, tokens):
    seen = tokenizer.get_vocab().keys()
    fresh = [t for i, t in enumerate(tokens) if t not in seen and t not in tokens[:i]]
    if not fresh:
        return 0
    tokenizer.add_tokens(fresh)
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = embedding.weight is head.weight
    embedding.weight = longer(embedding.weight, len(fresh))
    head.weight = embedding.weight if tied else longer(head.weight, len(fresh))
    embedding.num_embeddings = head.out_features = model.config.vocab_size = model.vocab_size = len(tokenizer)
    return len(fresh)


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    missing = set(new_tokens) - set(tokenizer.get_vocab())
    if missing:
        raise ValueError(f"missing: {missing}")
    ids = [tokenizer.get_vocab()[token] for token in new_tokens]
    embedding = next(name for name, module in model.named_modules() if module is model.get_input_embeddings())
    rows = {embedding: ids, "lm_head": ids}
    targets = r".*(self_attn|attn|mlp)\.(\w+_proj|c_\w+)"
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules=targets, trainable_token_indices=rows, task_type="CAUSAL_LM"
    )
    return PeftModelForCausalLM(model, config)
