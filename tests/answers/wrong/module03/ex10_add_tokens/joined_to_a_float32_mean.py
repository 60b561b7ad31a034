# names: tables-in-another-dtype
# breaks: "The old rows are, bit for bit, what they were"
# a bfloat16 model: its tables become float32
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def add_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> int:
    new = [token for token in dict.fromkeys(tokens) if token not in tokenizer.get_vocab()]
    old = len(tokenizer)
    tokenizer.add_tokens(new)
    if not new:
        return 0
    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        rows = layer.weight.detach()
        mean = rows.float().mean(dim=0, keepdim=True)  # in float32: bfloat16 has few digits
        layer.weight = torch.nn.Parameter(torch.cat([rows, mean.expand(len(new), -1)]))
    if tied:
        model.get_output_embeddings().weight = model.get_input_embeddings().weight
    model.config.vocab_size = old + len(new)
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
