"""One regular expression for the targets; the head is named in modules_to_save by hand."""

import re

from peft import LoraConfig, TaskType, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer

EVERYWHERE = r".*\.(self_attn|attn|mlp)\.([a-z]+_proj|dense|fc[12]|c_attn|c_fc)"


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if any(isinstance(module, BaseTunerLayer) for module in model.modules()):
        raise ValueError("adapted before")
    if target_modules is None:
        pattern = EVERYWHERE
    elif target_modules:
        for entry in target_modules:
            if all(re.fullmatch(rf"(.*\.)?{re.escape(entry)}", name) is None for name, _ in model.named_modules()):
                raise ValueError(f"{entry!r} is no module of this model")
        pattern = r"(.*\.)?(" + "|".join(map(re.escape, target_modules)) + ")"
    else:
        raise ValueError("nothing to adapt: []")
    is_classifier = "Classification" in type(model).__name__
    saved = list(modules_to_save or []) + (["score"] if is_classifier else [])
    config = LoraConfig()
    config.r, config.lora_alpha, config.target_modules = r, lora_alpha, pattern
    config.modules_to_save = saved or None
    config.task_type = TaskType.SEQ_CLS if is_classifier else TaskType.CAUSAL_LM
    return get_peft_model(model, config)
