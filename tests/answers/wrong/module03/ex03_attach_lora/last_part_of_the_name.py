# names: only-last-parts-match
# breaks: "An entry names every module whose full name equals it or ends with"

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
    if isinstance(model, PeftModel) or any(isinstance(m, LoraLayer) for m in model.modules()):
        raise ValueError("the model already has LoRA layers")

    if target_modules is not None:
        if len(target_modules) == 0:
            raise ValueError("target_modules is empty")
        known = {name.rpartition(".")[2] for name, _ in model.named_modules()}
        unknown = [entry for entry in target_modules if entry not in known]
        if unknown:
            raise ValueError(f"no such modules: {unknown}")

    task = TaskType.SEQ_CLS if type(model).__name__.endswith("ForSequenceClassification") else TaskType.CAUSAL_LM

    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules="all-linear" if target_modules is None else list(target_modules),
        modules_to_save=None if modules_to_save is None else list(modules_to_save),
        task_type=task,
    )

    return get_peft_model(model, config)
