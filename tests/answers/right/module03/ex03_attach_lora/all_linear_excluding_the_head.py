"""all-linear, the head excluded by name as well, and the architectures of the config read for the task."""

import warnings

from peft import LoraConfig, get_peft_model
from transformers import PreTrainedModel


def matches(entry, name):
    return name == entry or name.endswith("." + entry)


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if not isinstance(model, PreTrainedModel):
        raise ValueError(f"{type(model).__name__} is not a plain model")
    names = dict(model.named_modules())
    if any(hasattr(module, "lora_A") for module in names.values()):
        raise ValueError("LoRA is there already")
    unmatched = [e for e in target_modules or () if sum(matches(e, name) for name in names) == 0]
    if unmatched or target_modules == []:
        raise ValueError(f"no module matches {unmatched}")
    options = {"exclude_modules": ["lm_head", "score"]} if target_modules is None else {}
    options["target_modules"] = target_modules if target_modules is not None else "all-linear"
    if type(model).__name__.endswith(("ForCausalLM", "LMHeadModel")):
        options["task_type"] = "CAUSAL_LM"
    else:
        options["task_type"] = "SEQ_CLS"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted = get_peft_model(
            model, LoraConfig(r=r, lora_alpha=lora_alpha, modules_to_save=modules_to_save, **options)
        )
    adapted.train()
    return adapted
