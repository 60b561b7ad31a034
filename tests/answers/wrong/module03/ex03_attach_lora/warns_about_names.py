# names: one-match-is-enough
# breaks: "ValueError: an entry of `target_modules` matches no module"
import warnings

from peft import LoraConfig, PeftModel, get_peft_model


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    if isinstance(model, PeftModel) or hasattr(model, "peft_config"):
        raise RuntimeError("has an adapter")
    names = [n for n, _ in model.named_modules()]
    if target_modules is None:
        target_modules = "all-linear"
    else:
        found = [e for e in target_modules if any(n == e or n.endswith("." + e) for n in names)]
        if len(found) < len(target_modules):
            warnings.warn(f"not in the model: {set(target_modules) - set(found)}", stacklevel=2)
        if not found:
            raise KeyError("none of the modules is there")
        target_modules = found
    task = "SEQ_CLS" if hasattr(model, "score") else "CAUSAL_LM"
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, task_type=task, target_modules=target_modules, modules_to_save=modules_to_save
    )
    return get_peft_model(model, config)
