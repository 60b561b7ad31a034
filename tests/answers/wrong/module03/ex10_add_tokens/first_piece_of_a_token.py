# names: known-by-its-first-piece
# breaks: "a token that the tokenizer does not know is a ValueError whose message contains it"
import torch
from peft import LoraConfig, get_peft_model


@torch.no_grad()
def add_tokens(model, tokenizer, tokens):
    known = tokenizer.get_vocab()
    fresh = [token for token in dict.fromkeys(tokens) if token not in known]
    old = len(tokenizer)
    tokenizer.add_tokens(fresh)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    for table in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
        table[old:] = table[:old].mean(0)
    return len(fresh)


def attach_with_new_tokens(model, r, lora_alpha, *, new_tokens, tokenizer):
    ids = [tokenizer.encode(token, add_special_tokens=False)[0] for token in new_tokens]
    for token, number in zip(new_tokens, ids, strict=True):
        if number == tokenizer.unk_token_id:
            raise ValueError(f"unknown {token}")
    tables = (model.get_input_embeddings(), model.get_output_embeddings())
    rows = {name: ids for name, module in model.named_modules() if module in tables}
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", trainable_token_indices=rows, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)
