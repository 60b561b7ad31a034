# names: frozen-before-refused
# breaks: "and with the same parameters trainable as before"
# Freezes the model before it looks at the arguments, so a refused call leaves it frozen.
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
    for parameter in model.parameters():
        parameter.requires_grad = False

    if isinstance(model, PeftModel) or any(isinstance(module, LoraLayer) for module in model.modules()):
        raise ValueError("the model has LoRA layers already")
    if target_modules is not None:
        if not target_modules:
            raise ValueError("target_modules is empty")
        names = [name for name, _ in model.named_modules()]
        for entry in target_modules:
            if not any(name == entry or name.endswith("." + entry) for name in names):
                raise ValueError(f"no module is called {entry}")
    classifier = type(model).__name__.endswith("ForSequenceClassification")
    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear" if target_modules is None else list(target_modules),
        modules_to_save=modules_to_save,
        task_type=TaskType.SEQ_CLS if classifier else TaskType.CAUSAL_LM,
    )
    return get_peft_model(model, config)
