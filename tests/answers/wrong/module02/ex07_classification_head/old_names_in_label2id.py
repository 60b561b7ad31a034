# names: unlisted
# breaks: "and `label2id` is its inverse"
# The names that the checkpoint had stay in label2id, beside the new ones.
from types import SimpleNamespace

from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        same = [name for _, name in sorted(config.id2label.items())] == labels
        config.id2label = dict(enumerate(labels))
        config.label2id.update({label: i for i, label in enumerate(labels)})
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
