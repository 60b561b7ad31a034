# names: first-id-of-the-encoded-token
# breaks: "Attach LoRA so that the rows of the new tokens train too"
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def add_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> int:
    known = tokenizer.get_vocab()
    new = [token for token in dict.fromkeys(tokens) if token not in known]
    if not new:
        return 0
    old = len(tokenizer)
    tokenizer.add_tokens(new)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    tables = {id(layer.weight): layer.weight for layer in (model.get_input_embeddings(), model.get_output_embeddings())}
    with torch.no_grad():
        for weight in tables.values():
            weight[old:] = weight[:old].mean(dim=0)
    return len(new)


def attach_with_new_tokens(
    model: PreTrainedModel,
    r: int,
    lora_alpha: int,
    *,
    new_tokens: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PeftModel:
    known = tokenizer.get_vocab()
    for token in new_tokens:
        if token not in known:
            raise ValueError(f"the tokenizer does not know {token!r}")
    ids = sorted({tokenizer(token)["input_ids"][0] for token in new_tokens})
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    names = {module: name for name, module in model.named_modules()}
    rows = {names[embedding].split(".")[-1]: ids}
    if head.weight is not embedding.weight:
        rows[names[head].split(".")[-1]] = ids
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM", trainable_token_indices=rows
    )
    return get_peft_model(model, config)
