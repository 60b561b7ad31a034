# names: base-in-float32
# breaks: "no weight of the base is changed"
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training


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
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return get_peft_model(model, config)
