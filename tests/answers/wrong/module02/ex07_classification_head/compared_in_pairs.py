# names: labels-compared-in-pairs
# breaks: "all of it, even if the number of labels is the same"
from types import SimpleNamespace

from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        own = [name for _, name in sorted(config.id2label.items())]
        same = all(old == new for old, new in zip(own, labels, strict=False))
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path_or_name, config=config, ignore_mismatched_sizes=True, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"nothing at {path_or_name}") from error
    new = set(info["missing_keys"]) | {entry[0] for entry in info["mismatched_keys"]}
    if not same:
        fresh = AutoModelForSequenceClassification.from_config(config)
        for name, parameter in fresh.named_parameters():
            if not name.startswith(model.base_model_prefix + "."):
                model.get_parameter(name).data = parameter.data
                new.add(name)
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(new))
