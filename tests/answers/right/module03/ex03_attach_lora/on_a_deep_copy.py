"""Leaves the given model alone: a deep copy gets the adapters."""

import copy

from peft import LoraConfig, TaskType, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if hasattr(model, "peft_config") or any(name.endswith("lora_A") for name, _ in model.named_modules()):
        raise ValueError("this model has LoRA layers")
    if target_modules is not None:
        paths = ["." + name for name, _ in model.named_modules()]
        lost = [entry for entry in target_modules if not any(path.endswith("." + entry) for path in paths)]
        if lost or not target_modules:
            raise ValueError(f"no module for {lost or 'an empty list'}")
    return get_peft_model(
        copy.deepcopy(model),
        LoraConfig(
            task_type=TaskType.SEQ_CLS if hasattr(model, "score") else TaskType.CAUSAL_LM,
            r=r,
            lora_alpha=lora_alpha,
            target_modules=target_modules or "all-linear",
            modules_to_save=modules_to_save,
        ),
    )
