# names: projections-of-llama
# breaks: "rank and scale of LoRA in every attention and MLP projection"
# GPT-2's projections are Conv1D, and no layer is found.
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def add_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> int:
    added = 0
    before = len(tokenizer)
    for token in tokens:
        if token not in tokenizer.get_vocab():
            added += tokenizer.add_tokens([token])
    if added:
        tables = [
            model.get_input_embeddings().weight.detach().clone(),
            model.get_output_embeddings().weight.detach().clone(),
        ]
        model.resize_token_embeddings(before + added)
        for layer, table in zip((model.get_input_embeddings(), model.get_output_embeddings()), tables, strict=True):
            layer.weight.data[:before] = table
            layer.weight.data[before:] = table.double().mean(0).to(table.dtype)
    return added


def attach_with_new_tokens(
    model: PreTrainedModel,
    r: int,
    lora_alpha: int,
    *,
    new_tokens: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PeftModel:
    unknown = set(new_tokens) - set(tokenizer.get_vocab())
    if unknown:
        raise ValueError(f"unknown tokens: {sorted(unknown)}")
    tables = (model.get_input_embeddings(), model.get_output_embeddings())
    whole = [name.rsplit(".", 1)[-1] for name, module in model.named_modules() if any(module is t for t in tables)]
    linear = {
        name.rsplit(".", 1)[-1]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not tables[1]
    }
    config = LoraConfig(
        task_type="CAUSAL_LM", r=r, lora_alpha=lora_alpha, target_modules=sorted(linear), modules_to_save=whole
    )
    return get_peft_model(model, config)
