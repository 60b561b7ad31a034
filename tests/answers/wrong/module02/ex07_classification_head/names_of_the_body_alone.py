# names: names-without-the-prefix
# breaks: "the sorted names, as in `model.named_parameters()`"

from typing import NamedTuple

from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)


class Loaded(NamedTuple):
    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel
    new_parameters: list[str]


def load_for_classification(path_or_name, labels):
    names = dict(enumerate(labels))
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        keeps = [config.id2label.get(i) for i in range(len(config.id2label))] == list(labels)
        load = AutoModelForSequenceClassification if keeps else AutoModel
        loaded, info = load.from_pretrained(
            path_or_name,
            id2label=names,
            label2id={label: i for i, label in names.items()},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"nothing to load from {path_or_name}") from error
    new = set(info["missing_keys"]) | {key[0] for key in info["mismatched_keys"]}
    model = loaded
    if not keeps:
        model = AutoModelForSequenceClassification.from_config(loaded.config)
        model.base_model.load_state_dict(loaded.state_dict(), strict=False)
        new |= {name for name, _ in model.named_parameters() if not name.startswith(model.base_model_prefix + ".")}
    return Loaded(tokenizer, model, sorted(new))
