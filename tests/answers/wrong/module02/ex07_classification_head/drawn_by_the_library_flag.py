# names: old-head-kept
# breaks: "all of it, even if the number of labels is the same"
from types import SimpleNamespace

from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        old = AutoConfig.from_pretrained(path_or_name)
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
    if [old.id2label[i] for i in range(old.num_labels)] != labels:
        # _init_weights passes over every parameter that is marked as loaded.
        model.classifier.apply(model._init_weights)
        new |= {"classifier.weight", "classifier.bias"}
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(new))
