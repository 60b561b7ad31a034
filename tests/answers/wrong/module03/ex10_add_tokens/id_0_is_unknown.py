# names: known-token-refused
# breaks: "a token that the tokenizer does not know is a ValueError"
# the id 0 is taken for unknown
"""3.10 · Add tokens: add words to the tokenizer, add a row for each to the model, and train the rows beside LoRA.

A new token needs all three: an id, a row in the input embedding and a row in the output head.
"""

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel, PreTrainedTokenizerBase


def add_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> int:
    """Add tokens to the tokenizer and to the model, both in place.

    Args:
        model: a transformers causal language model with as many rows as the tokenizer has tokens. Its output head
            has no bias; it may be tied to the input embedding (the same tensor) or not.
        tokenizer: a fast tokenizer.
        tokens: the tokens in the order of their ids. A token that the tokenizer already knows is skipped, whether
            it was added or is a word of its vocabulary; a token that is listed twice is added once. The list may be
            empty, and is not changed.

    Returns:
        How many tokens are really new.

    Afterwards each new token, alone or between spaces in a text, is encoded as one id; the first one gets the next
    free id. The input embedding has a row for each token, and so has the output head and `model.config.vocab_size`.
    The new rows of each are the mean of its old rows, up to a thousandth of their standard deviation (transformers'
    own `mean_resizing` adds a little noise). The old rows are, bit for bit, what they were, and the logits of old
    tokens for old texts are the same. A tied head stays tied. If no token is new, nothing is changed.

    Source: https://huggingface.co/docs/transformers/main_classes/model (`resize_token_embeddings`); the mean
    as in John Hewitt, Initializing New Word Embeddings for Pretrained Language Models (2021),
    https://nlp.stanford.edu/~johnhew/vocab-expansion.html
    """
    vocabulary = tokenizer.get_vocab()
    new = [token for token in dict.fromkeys(tokens) if token not in vocabulary]
    if not new:
        return 0
    old = len(tokenizer)
    tokenizer.add_tokens(new)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for module in (model.get_input_embeddings(), model.get_output_embeddings()):
            module.weight[old:] = module.weight[:old].float().mean(dim=0).to(module.weight.dtype)
    return len(new)


def attach_with_new_tokens(
    model: PreTrainedModel,
    r: int,
    lora_alpha: int,
    *,
    new_tokens: list[str],
    tokenizer: PreTrainedTokenizerBase,
) -> PeftModel:
    """Attach LoRA so that the rows of the new tokens train too, and are saved with the adapter.

    Args:
        model: a transformers causal language model that already has the rows, tied or not. It may be changed in
            place.
        r, lora_alpha: rank and scale of LoRA in every attention and MLP projection, and nowhere else.
        new_tokens: at least one; a token that the tokenizer does not know is a ValueError whose message contains
            it.
        tokenizer: knows the ids.

    Returns:
        A peft model that answers as the given one did. Its config, named "default", contains r, lora_alpha and the
        task type "CAUSAL_LM". What trains: the matrices of LoRA and the rows of the new tokens, both in the input
        embedding and in the output head, tied or not. The rows of old tokens may train or not: peft's
        `trainable_token_indices` will do, and so will its `modules_to_save`. Nothing else needs a gradient, no
        other weight and no norm. A tied head may be separated from the embedding here; if the two are still one
        tensor, they stay one.

        `save_pretrained` writes the new rows beside LoRA. The adapter, loaded with `PeftModel.from_pretrained`
        onto a model to which the same tokens were added, gives the same new rows and the same logits.

    Source: https://huggingface.co/docs/peft/developer_guides/lora (efficiently train tokens alongside LoRA)
    """
    vocabulary = tokenizer.get_vocab()
    for token in new_tokens:
        if not vocabulary.get(token):
            raise ValueError(f"unknown to the tokenizer: {token}")
    ids = [vocabulary[token] for token in new_tokens]
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = embedding.weight is head.weight
    names = {module: name for name, module in model.named_modules()}
    indices = {names[embedding]: ids} if tied else {names[embedding]: ids, names[head]: ids}
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM", trainable_token_indices=indices
    )
    return get_peft_model(model, config)
