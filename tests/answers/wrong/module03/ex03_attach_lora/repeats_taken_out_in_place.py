# names: callers-list-changed
# breaks: "The list is not changed"
# Takes repeated entries out of the caller's own list.

from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from peft.tuners.lora import LoraLayer

TASKS = {
    "ForCausalLM": TaskType.CAUSAL_LM,
    "LMHeadModel": TaskType.CAUSAL_LM,
    "ForSequenceClassification": TaskType.SEQ_CLS,
}


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if isinstance(model, PeftModel) or any(isinstance(m, LoraLayer) for m in model.modules()):
        raise ValueError("has adapters already")
    if target_modules is None:
        targets = "all-linear"
    else:
        target_modules[:] = dict.fromkeys(target_modules)
        targets = target_modules
        if not targets:
            raise ValueError("no target modules")
        names = [n for n, _ in model.named_modules()]
        for t in targets:
            if not any(n == t or n.endswith("." + t) for n in names):
                raise ValueError(f"{t!r} matches no module")
    task = next(v for k, v in TASKS.items() if type(model).__name__.endswith(k))
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules=targets, modules_to_save=modules_to_save, task_type=task
    )
    return get_peft_model(model, config)
