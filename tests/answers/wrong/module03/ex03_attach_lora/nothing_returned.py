# names: nothing-returned
# breaks: "Return the model with one LoRA adapter attached by peft"
from peft import LoraConfig, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    get_peft_model(model, LoraConfig(r=r, lora_alpha=lora_alpha, target_modules=target_modules or "all-linear"))
