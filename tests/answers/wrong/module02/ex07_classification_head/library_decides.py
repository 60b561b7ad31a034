# names: old-head-kept
# breaks: "all of it, even if the number of labels is the same"
from typing import NamedTuple

from transformers import AutoModelForSequenceClassification, AutoTokenizer


class Loaded(NamedTuple):
    tokenizer: object
    model: object
    new_parameters: list


def load_for_classification(path_or_name, labels):
    try:
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path_or_name,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise FileNotFoundError(f"cannot load {path_or_name}") from error
    new = list(info["missing_keys"]) + [key[0] for key in info["mismatched_keys"]]
    return Loaded(tokenizer, model, sorted(new))
