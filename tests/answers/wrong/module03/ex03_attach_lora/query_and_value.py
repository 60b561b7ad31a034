# names: target-too-few
# breaks: "None means every projection of attention and MLP"
from peft import LoraConfig, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    task = "SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM"
    config = LoraConfig(r=r, lora_alpha=lora_alpha, task_type=task, modules_to_save=modules_to_save)
    config.target_modules = target_modules if target_modules is not None else {"v_proj", "q_proj"}
    return get_peft_model(model, config)
