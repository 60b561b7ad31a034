# names: projection-forgotten
# breaks: "None means every projection of attention and MLP"
from peft import LoraConfig, get_peft_model

NAMES = {
    "llama": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "qwen2": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "phi": ["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"],
    "gpt2": ["c_attn", "c_fc"],
}


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if hasattr(model, "peft_config"):
        raise ValueError("has an adapter")
    targets = NAMES[model.config.model_type] if target_modules is None else target_modules
    for target in targets:
        if not any(("." + name).endswith("." + target) for name, _ in model.named_modules()):
            raise ValueError(target)
    task = "SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM"
    return get_peft_model(
        model,
        LoraConfig(r=r, lora_alpha=lora_alpha, task_type=task, target_modules=targets, modules_to_save=modules_to_save),
    )
