# names: head-not-in-modules-to-save
# breaks: "in a classifier, of its head"
# PeftModel itself knows nothing of a head: that of a classifier stays frozen, and is not stored.
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer
from transformers import PreTrainedModel


def attach_lora(
    model: PreTrainedModel,
    r: int,
    lora_alpha: int,
    *,
    target_modules: list[str] | None = None,
    modules_to_save: list[str] | None = None,
) -> PeftModel:
    modules = dict(model.named_modules())
    if hasattr(model, "peft_config") or any(isinstance(module, LoraLayer) for module in modules.values()):
        raise ValueError("already adapted")
    if target_modules is None:
        chosen = [
            f"{model.base_model_prefix}.{name}"
            for name, module in model.base_model.named_modules()
            if type(module).__name__ in ("Linear", "Conv1D")
        ]
    else:
        chosen = []
        for entry in target_modules:
            hits = [name for name in modules if ("." + name).endswith("." + entry)]
            if not hits:
                raise ValueError(f"{entry!r} is not in the model")
            chosen += hits
        if not chosen:
            raise ValueError("an empty list of target modules")
    is_classifier = "SequenceClassification" in model.__class__.__name__
    config = LoraConfig(
        task_type="SEQ_CLS" if is_classifier else "CAUSAL_LM",
        r=r,
        lora_alpha=lora_alpha,
        target_modules=sorted(set(chosen)),
        modules_to_save=modules_to_save,
        bias="none",
    )
    return PeftModel(model, config)
