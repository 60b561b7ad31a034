# names: untied-in-the-config
# breaks: "A tied head stays tied."
# model.config.tie_word_embeddings
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def add_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> int:
    new = [token for token in dict.fromkeys(tokens) if token not in tokenizer.get_vocab()]
    old = len(tokenizer)
    tokenizer.add_tokens(new)
    model.resize_token_embeddings(old + len(new), mean_resizing=False)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        with torch.no_grad():
            layer.weight[old:] = layer.weight[:old].mean(dim=0)
    model.config.tie_word_embeddings = False
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
    unknown = [token for token in new_tokens if token not in vocabulary]
    if unknown:
        raise ValueError(f"the tokenizer does not know {unknown}")
    ids = [vocabulary[token] for token in new_tokens]
    layers = [model.get_input_embeddings(), model.get_output_embeddings()]
    names = [name for name, module in model.named_modules() if module in layers]
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear",
        trainable_token_indices={name: ids for name in names},
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)
