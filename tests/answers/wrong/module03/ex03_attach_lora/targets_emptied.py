# names: callers-list-changed
# breaks: "The list is not changed"
from peft import LoraConfig, PeftModel, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    wanted = []
    if target_modules == []:
        raise ValueError("target_modules is empty")
    if isinstance(model, PeftModel) or any("lora_" in name for name, _ in model.named_parameters()):
        raise ValueError("has an adapter")
    while target_modules:
        entry = target_modules.pop()
        wanted.append(entry)
        if not any(("." + name).endswith("." + entry) for name, _ in model.named_modules()):
            raise ValueError(f"{entry} is not there")
    target_modules = None if target_modules is None else wanted
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear" if target_modules is None else target_modules,
        modules_to_save=modules_to_save,
        task_type="SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM",
    )
    return get_peft_model(model, config)
