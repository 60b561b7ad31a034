"""2.03 · Freeze layers: keep the lower part of BERT as it was pretrained, train the rest.

A parameter is frozen by its own `requires_grad`; nothing else about a module freezes it.
"""

from transformers import BertForSequenceClassification


def freeze_layers(model: BertForSequenceClassification, n_layers: int) -> int:
    """Fix the embeddings and the first `n_layers` encoder layers, let all the rest train, and count it.

    Frozen (`requires_grad` is False) is every parameter, of whatever kind, in `model.bert.embeddings` and in
    the first `n_layers` of `model.bert.encoder.layer`, which are those next to the embeddings.

    Trained (`requires_grad` is True) is every other parameter: the further encoder layers, the pooler
    `model.bert.pooler`, `model.classifier`, whatever that is made of, and what else somebody has added.

    What was frozen or not before the call has no influence: of two calls, the second decides.

    Args:
        model: is changed in place, in nothing but `requires_grad` of its parameters. They stay the same
            objects with the same values, and each module stays in its train or eval mode.
        n_layers: from 0 to the number of layers in `model.bert.encoder.layer`, both included. Otherwise
            ValueError, whose message holds the value, and nothing is changed.

    Returns:
        How many numbers train, as an int: of a trained weight of shape [3, 4] all 12 count, once if modules share it.

    Method: https://docs.pytorch.org/docs/stable/notes/autograd.html#setting-requires-grad
    """
    # TODO: check n_layers, let everything train, freeze what is to be fixed, count what is left.
    raise NotImplementedError("TODO")
