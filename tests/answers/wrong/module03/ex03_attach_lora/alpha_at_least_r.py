# names: unlisted
# breaks: "lora_alpha: the scale: an adapted layer computes"
# Raises an alpha below the rank to the rank, so that no scale is below 1.
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if isinstance(model, PeftModel) or any(isinstance(module, LoraLayer) for module in model.modules()):
        raise ValueError("this model has LoRA layers")
    paths = [f".{path}" for path, _ in model.named_modules()]
    unmatched = [entry for entry in target_modules or [] if not any(path.endswith(f".{entry}") for path in paths)]
    if unmatched or target_modules == []:
        raise ValueError(f"no module is called {unmatched}")
    config = LoraConfig(
        task_type="SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM",
        r=r,
        lora_alpha=max(r, lora_alpha),
        target_modules="all-linear" if target_modules is None else target_modules,
        modules_to_save=modules_to_save,
    )
    return get_peft_model(model, config)
