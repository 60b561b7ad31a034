# names: head-saved-by-hand
# breaks: "A `PeftModel` whose config has the task type"
from peft import LoraConfig, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    known = {name.split(".")[-1] for name, _ in model.named_modules()}
    if "lora_A" in known:
        raise ValueError("already adapted")
    for entry in target_modules or []:
        if entry.split(".")[-1] not in known:
            raise ValueError(f"unknown module {entry}")
    # Everything is found by its last name, so the classifier goes into modules_to_save by hand.
    saved = list(modules_to_save or [])
    if hasattr(model, "score"):
        saved.append("score")
    config = LoraConfig(r=r, lora_alpha=lora_alpha, modules_to_save=saved or None)
    config.target_modules = "all-linear" if target_modules is None else target_modules
    return get_peft_model(model, config)
