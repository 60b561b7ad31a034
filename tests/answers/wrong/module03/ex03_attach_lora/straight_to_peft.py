# names: one-match-is-enough
# breaks: "other entries that match do not excuse it"
import peft


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    kind = "SEQ_CLS" if "Sequence" in type(model).__name__ else "CAUSAL_LM"
    if target_modules is None:
        target_modules = "all-linear"
    config = peft.LoraConfig(
        task_type=kind, r=r, lora_alpha=lora_alpha, target_modules=target_modules, modules_to_save=modules_to_save
    )
    return peft.get_peft_model(model, config)
