# names: asked-for-an-attribute
# breaks: "or the model is a PeftModel or already contains LoRA layers"
# LoRA layers that were injected into the backbone alone leave no peft_config on the model around it.
from peft import LoraConfig, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if getattr(model, "peft_config", None) is not None:
        raise ValueError("this model has an adapter")
    paths = [f".{path}" for path, _ in model.named_modules()]
    unmatched = [entry for entry in target_modules or [] if not any(path.endswith(f".{entry}") for path in paths)]
    if unmatched or target_modules == []:
        raise ValueError(f"no module is called {unmatched}")
    settings = {"task_type": "SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM", "r": r, "lora_alpha": lora_alpha}
    targets = "all-linear" if target_modules is None else target_modules
    return get_peft_model(model, LoraConfig(**settings, target_modules=targets, modules_to_save=modules_to_save))
