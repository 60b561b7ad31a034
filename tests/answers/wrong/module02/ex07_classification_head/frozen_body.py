# names: body-frozen
# breaks: "Every parameter can be trained"
from types import SimpleNamespace

from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        own = AutoConfig.from_pretrained(path_or_name).id2label
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path_or_name,
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"nothing at {path_or_name}") from error
    new = set(info["missing_keys"]) | {entry[0] for entry in info["mismatched_keys"]}
    for parameter in model.base_model.parameters():
        parameter.requires_grad_(False)
    if own != dict(enumerate(labels)):
        for name, module in model.named_children():
            if name != model.base_model_prefix and hasattr(module, "reset_parameters"):
                module.reset_parameters()
                new |= {f"{name}.weight", f"{name}.bias"}
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(new))
