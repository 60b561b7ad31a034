"""A table of names by model type, task types as text, fan_in_fan_out set by hand."""

import peft

ATTENTION = ["q_proj", "k_proj", "v_proj"]
PROJECTIONS = {
    "llama": [*ATTENTION, "o_proj", "gate_proj", "up_proj", "down_proj"],
    "qwen2": [*ATTENTION, "o_proj", "gate_proj", "up_proj", "down_proj"],
    "phi": [*ATTENTION, "dense", "fc1", "fc2"],
    "gpt2": ["c_attn", "c_proj", "c_fc"],
}


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if any("lora_" in name for name, _ in model.named_parameters()):
        raise ValueError("this model has an adapter")
    kind = model.config.model_type
    if target_modules is None:
        target_modules = PROJECTIONS[kind]
    if len(target_modules) == 0:
        raise ValueError("target_modules is empty")
    missing = set(target_modules)
    for name, _ in model.named_modules():
        missing = {entry for entry in missing if not ("." + name).endswith("." + entry)}
    if missing:
        raise ValueError(f"not found in the model: {sorted(missing)}")
    return peft.get_peft_model(
        model,
        peft.LoraConfig(
            r=r,
            lora_alpha=lora_alpha,
            lora_dropout=0.05,
            target_modules=list(target_modules),
            modules_to_save=modules_to_save,
            fan_in_fan_out=kind == "gpt2",
            task_type="CAUSAL_LM" if model.can_generate() else "SEQ_CLS",
        ),
    )
