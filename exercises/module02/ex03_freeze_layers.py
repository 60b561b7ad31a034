"""2.03 · Freeze layers: keep the lower part of BERT as pretrained, and train the rest.

Only its own `requires_grad` freezes a parameter; nothing else about a module does.
"""

from transformers import BertForSequenceClassification


def freeze_layers(model: BertForSequenceClassification, n_layers: int) -> int:
    """Freeze the embeddings and the first `n_layers` encoder layers, let everything else train, and count what trains.

    Frozen (`requires_grad` is False): every parameter of any kind in `model.bert.embeddings` and in the first
    `n_layers` layers of `model.bert.encoder.layer`, the ones next to the embeddings.

    Trained (`requires_grad` is True): every other parameter, which means the remaining encoder layers, the pooler
    `model.bert.pooler`, `model.classifier`, whatever that is made of, and anything else that somebody has added.

    What was frozen before the call has no influence: of two calls, the second decides.

    Args:
        model: is changed in place; only `requires_grad` of its parameters changes. They stay the same objects with
            the same values, and each module stays in its train or eval mode. What is frozen shares parameters neither
            with an encoder layer that trains nor with the pooler or the classifier.
        n_layers: an int from 0 to the number of layers in `model.bert.encoder.layer`, inclusive. Any other int is a
            ValueError whose message contains the value, and nothing is changed.

    Returns:
        How many numbers train, as an int: a trained weight of shape [3, 4] counts as 12, and only once if modules
        share it.

    Method: https://docs.pytorch.org/docs/stable/notes/autograd.html#setting-requires-grad
    """
    # TODO: check n_layers, let everything train, freeze the embeddings and layers, count what trains.
    raise NotImplementedError("TODO")
