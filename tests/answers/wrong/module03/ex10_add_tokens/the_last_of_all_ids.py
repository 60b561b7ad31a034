# names: last-ids-taken
# breaks: "both in the input"
# The rows are counted from the end, where tokens that were added later may be.
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def add_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> int:
    vocabulary = tokenizer.get_vocab()
    new = [token for token in dict.fromkeys(tokens) if token not in vocabulary]
    if not new:
        return 0
    old = len(tokenizer)
    tokenizer.add_tokens(new)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            layer.weight[old:] = layer.weight[:old].float().mean(dim=0).to(layer.weight.dtype)
    return len(new)


def attach_with_new_tokens(
    model: PreTrainedModel,
    r: int,
    lora_alpha: int,
    *,
    new_tokens: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PeftModel:
    vocabulary = tokenizer.get_vocab()
    for token in new_tokens:
        if token not in vocabulary:
            raise ValueError(f"the tokenizer does not know {token!r}")
    ids = list(range(len(tokenizer) - len(new_tokens), len(tokenizer)))
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    names = {module: name.split(".")[-1] for name, module in model.named_modules()}
    rows = {names[embedding]: ids}
    if head.weight is not embedding.weight:
        rows[names[head]] = ids
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM", trainable_token_indices=rows
    )
    return get_peft_model(model, config)
