# names: started-from-the-base
# breaks: "no weight of the base is changed"
# PiSSA moves a part of the base's weights into A and B: the start is the same, the base is not.
from peft import LoraConfig, PeftModel, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if isinstance(model, PeftModel) or hasattr(model, "peft_config"):
        raise ValueError("has an adapter")
    for entry in target_modules or ():
        if not any(("." + name).endswith("." + entry) for name, _ in model.named_modules()):
            raise ValueError(f"{entry} is not there")
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        init_lora_weights="pissa",
        target_modules="all-linear" if target_modules is None else target_modules,
        modules_to_save=modules_to_save,
        task_type="SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM",
    )
    return get_peft_model(model, config)
