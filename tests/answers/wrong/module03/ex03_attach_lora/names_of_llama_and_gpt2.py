# names: names-of-one-family
# breaks: "None means every projection of attention and MLP"

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
        if not target_modules:
            raise ValueError("target_modules is empty")
        names = [name for name, _ in model.named_modules()]
        for entry in target_modules:
            if not any(name == entry or name.endswith("." + entry) for name in names):
                raise ValueError(f"{entry!r} matches no module")

    task = TaskType.SEQ_CLS if type(model).__name__.endswith("ForSequenceClassification") else TaskType.CAUSAL_LM

    wanted = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "c_attn", "c_proj", "c_fc"]

    config = LoraConfig(
        r=r,
        lora_alpha=lora_alpha,
        target_modules=wanted if target_modules is None else list(target_modules),
        modules_to_save=None if modules_to_save is None else list(modules_to_save),
        task_type=task,
    )

    return get_peft_model(model, config)
