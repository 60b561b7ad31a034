# names: lora-inside-not-seen
# breaks: "or the model is a PeftModel or already contains LoRA layers"
from peft import LoraConfig, PeftModel, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if type(model).__name__.startswith("PeftModel"):
        raise ValueError("attach_lora wants the plain model")
    dotted = ["." + name for name, _ in model.named_modules()]
    if target_modules is not None:
        if not target_modules:
            raise ValueError("name at least one module")
        for entry in target_modules:
            if not [name for name in dotted if name.endswith("." + entry)]:
                raise ValueError(entry)
    task = {True: "SEQ_CLS", False: "CAUSAL_LM"}["ForSequenceClassification" in type(model).__name__]
    config = LoraConfig(r=r, lora_alpha=lora_alpha, task_type=task, modules_to_save=modules_to_save)
    config.target_modules = set(target_modules) if target_modules else "all-linear"
    wrapped: PeftModel = get_peft_model(model, config)
    return wrapped
