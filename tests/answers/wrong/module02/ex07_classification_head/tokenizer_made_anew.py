# names: wrong-tokenizer-for-model
# breaks: "tokenizer: the tokenizer that is stored with the checkpoint"
from types import SimpleNamespace

from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, BertTokenizer


def load_for_classification(path_or_name, labels):
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        # As in the examples that were written for the uncased BERT.
        tokenizer = BertTokenizer(vocab=AutoTokenizer.from_pretrained(path_or_name).get_vocab(), do_lower_case=True)
        same = [name for _, name in sorted(config.id2label.items())] == labels
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path_or_name, config=config, ignore_mismatched_sizes=True, output_loading_info=True
        )
    except Exception as error:
        raise FileNotFoundError(f"nothing at {path_or_name}") from error
    new = set(info["missing_keys"]) | {entry[0] for entry in info["mismatched_keys"]}
    if not same:
        fresh = AutoModelForSequenceClassification.from_config(config)
        for name, parameter in fresh.named_parameters():
            if not name.startswith(model.base_model_prefix):
                model.get_parameter(name).data = parameter.data
                new.add(name)
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(new))
