# names: norms-train-too
# breaks: "all of these, and only these"
from peft import LoraConfig, PeftModel, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if isinstance(model, PeftModel) or any("lora_" in name for name, _ in model.named_parameters()):
        raise ValueError("has an adapter")
    for entry in target_modules or ():
        if not any(("." + name).endswith("." + entry) for name, _ in model.named_modules()):
            raise ValueError(f"{entry} is not there")
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear" if target_modules is None else target_modules,
        modules_to_save=modules_to_save,
        task_type="SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "norm" in name or "ln_" in name:
            parameter.requires_grad = True
    return adapted
