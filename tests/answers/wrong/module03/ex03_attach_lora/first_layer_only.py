# names: first-layer-only
# breaks: "in every layer of the backbone"
from peft import LoraConfig, PeftModel, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if isinstance(model, PeftModel) or hasattr(model, "peft_config"):
        raise ValueError("has an adapter")
    for entry in target_modules or ():
        if not any(("." + name).endswith("." + entry) for name, _ in model.named_modules()):
            raise ValueError(f"{entry} is not there")
    linear = {n.split(".")[-1] for n, m in model.named_modules() if type(m).__name__ in ("Linear", "Conv1D")}
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules=linear - {"lm_head", "score"} if target_modules is None else target_modules,
        modules_to_save=modules_to_save,
        layers_to_transform=[0],
        task_type="SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM",
    )
    return get_peft_model(model, config)
