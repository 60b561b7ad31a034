# names: first-module-to-save-only
# breaks: "modules_to_save: modules that are trained in full"
# Two modules to save: the second one stays frozen.

from peft import LoraConfig, PeftModel, TaskType, get_peft_model
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
    if isinstance(model, PeftModel) or any(isinstance(module, LoraLayer) for module in model.modules()):
        raise ValueError(f"{type(model).__name__} has LoRA layers already")
    names = [name for name, _ in model.named_modules()]
    for entry in target_modules or []:
        if not any(name == entry or name.endswith(f".{entry}") for name in names):
            raise ValueError(f"target_modules: {entry!r} matches no module of {type(model).__name__}")
    classifies = type(model).__name__.endswith("ForSequenceClassification")
    config = LoraConfig(
        task_type=TaskType.SEQ_CLS if classifies else TaskType.CAUSAL_LM,
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear" if target_modules is None else target_modules,
        modules_to_save=modules_to_save and modules_to_save[:1],
    )
    return get_peft_model(model, config)
