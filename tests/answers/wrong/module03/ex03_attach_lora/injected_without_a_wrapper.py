# names: not-a-peft-model
# breaks: "A `PeftModel` whose config has the task type"
from peft import LoraConfig, inject_adapter_in_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=target_modules or "all-linear")
    return inject_adapter_in_model(config, model)
