"""Loads a bare body and puts it under a head of its own, unless the checkpoint is the classifier wanted."""

from types import SimpleNamespace

from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        if [name for _, name in sorted(config.id2label.items())] == list(labels):
            model, info = AutoModelForSequenceClassification.from_pretrained(path_or_name, output_loading_info=True)
            return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(info["missing_keys"]))
        body, info = AutoModel.from_pretrained(path_or_name, output_loading_info=True)
    except Exception as error:
        raise FileNotFoundError(f"{path_or_name}: nothing to load here") from error
    config = AutoConfig.from_pretrained(
        path_or_name,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    model = AutoModelForSequenceClassification.from_config(config)
    in_body = {id(p) for p in model.base_model.parameters()}
    new = [name for name, p in model.named_parameters() if id(p) not in in_body]
    setattr(model, model.base_model_prefix, body)
    new += [f"{model.base_model_prefix}.{name}" for name in info["missing_keys"]]
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(new))
