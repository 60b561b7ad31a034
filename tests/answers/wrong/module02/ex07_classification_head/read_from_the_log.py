# names: missing-keys-not-reported
# breaks: "of the parameters whose values do not come from the checkpoint"
from types import SimpleNamespace

from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        same = [name for _, name in sorted(config.id2label.items())] == labels
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        model = AutoModelForSequenceClassification.from_pretrained(
            path_or_name, config=config, ignore_mismatched_sizes=True
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"nothing at {path_or_name}") from error
    head = [n for n, _ in model.named_parameters() if not n.startswith(model.base_model_prefix)]
    if not same:
        fresh = AutoModelForSequenceClassification.from_config(config)
        for name in head:
            model.get_parameter(name).data = fresh.get_parameter(name).data
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=[] if same else sorted(head))
