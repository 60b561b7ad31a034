"""Full names of all linear layers but the head, and the wrapper class chosen by hand."""

from peft import LoraConfig, PeftModelForCausalLM, PeftModelForSequenceClassification
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from transformers.pytorch_utils import Conv1D

WRAPPERS = {"CAUSAL_LM": PeftModelForCausalLM, "SEQ_CLS": PeftModelForSequenceClassification}


def projections(model):
    head = model.get_output_embeddings() if hasattr(model, "lm_head") else model.score
    return [n for n, m in model.named_modules() if isinstance(m, (nn.Linear, Conv1D)) and m is not head]


def resolve(model, entries):
    """Full names for all entries; an entry without one is a ValueError."""
    names = [name for name, _ in model.named_modules()]
    full = []
    for entry in entries:
        parts = entry.split(".")
        matching = [name for name in names if name.split(".")[-len(parts) :] == parts]
        if not matching:
            raise ValueError(f"no module is called {entry}; there are {', '.join(names[1:])}")
        full += matching
    return full


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if target_modules is not None and not target_modules:
        raise ValueError("an empty list of target_modules")
    for module in model.modules():
        if isinstance(module, BaseTunerLayer):
            raise ValueError("there is an adapter in this model")
    task = "SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM"
    targets = projections(model) if target_modules is None else resolve(model, target_modules)
    config = LoraConfig(
        task_type=task, target_modules=targets, modules_to_save=modules_to_save, r=r, lora_alpha=lora_alpha
    )
    return WRAPPERS[task](model, config)
