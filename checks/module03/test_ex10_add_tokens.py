"""3.10: rows, ids and logits after adding tokens; then one step of training, and the file that it leaves.

Long: adding tokens and attaching LoRA are two contracts.
"""

import functools
from copy import deepcopy

import torch
from peft import PeftModel
from transformers import GPT2Config, GPT2LMHeadModel

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward.language_models import metaspace_tokenizer
from tunelings.inputs import randint, randn, seed

WORDS = ["<unk>", "cat", "dog", "sees", "the", "a", "and", "runs", "old", "red", "bird", "<s>"]
OLD, HIDDEN, INNER = len(WORDS), 8, 12
NEW = ["<tool>", "zebra"]
IDS = [OLD, OLD + 1]
SHARED = {"the input embedding": "get_input_embeddings", "the output head": "get_output_embeddings"}


def words(around="$A"):
    """A tokenizer whose tokens are whole words; what it does not know is <unk>."""
    ids = {word: i for i, word in enumerate(WORDS)}
    return tiny.word_tokenizer(ids, around=around, unk_token="<unk>", bos_token="<s>")


# What the checks call their models: one tied, one not, one not whose head holds the embedding's numbers, and a tied one
# with other names, learned positions and Conv1D.
TIED, UNTIED, TWIN, GPT2 = "a tied model", "an untied model", "a model with two equal tables", "a GPT-2"


def model_of(kind):
    return deepcopy(_model_of(kind, seed()))


@functools.lru_cache(maxsize=8)
def _model_of(kind, _):
    """A small model; its rows are about 0.5 and not 0 in the mean, so that no usual start is near it."""
    ends = {"bos_token_id": None, "eos_token_id": None}
    if kind == GPT2:
        sizes = {"n_embd": HIDDEN, "n_inner": INNER, "n_layer": 1, "n_head": 2, "n_positions": 64}
        model = GPT2LMHeadModel(GPT2Config(vocab_size=OLD, **sizes, **ends)).double().eval()
    else:
        heads = {"vocab_size": OLD, "num_attention_heads": 2, "num_key_value_heads": 1}
        heads["tie_word_embeddings"] = kind == TIED
        model = tiny.llama(0, hidden=HIDDEN, dtype=torch.float64, **heads, **ends)
    for number, parameter in enumerate(model.parameters()):
        parameter.data = 0.5 + 0.5 * randn(*parameter.shape, offset=100 + number)
    if kind == TWIN:
        model.lm_head.weight.data = model.get_input_embeddings().weight.detach().clone()
    return model


def rows_of(model):
    """The rows of input embedding and output head."""
    return {name: getattr(model, get)().weight.detach() for name, get in SHARED.items()}


def with_tokens(kind):
    """A model and a tokenizer to which two tokens were added, with rows of their own; each text begins with <s>."""
    tokenizer, model = words(around="<s> $A"), model_of(kind)
    tokenizer.add_tokens(NEW)
    model.resize_token_embeddings(OLD + 2, mean_resizing=False)
    for number, rows in enumerate(rows_of(model).values()):
        rows[OLD:] = randn(2, HIDDEN, offset=200 + (0 if kind == TWIN else number))
    return model, tokenizer


def logits(model, ids):
    with torch.no_grad():
        return model(input_ids=ids).logits


def is_tied(model):
    return model.get_input_embeddings().weight.data_ptr() == model.get_output_embeddings().weight.data_ptr()


def test_each_new_row_is_the_mean_of_the_old_ones(answer):
    for kind in (TIED, UNTIED, TWIN, GPT2):
        model, tokenizer = model_of(kind), words()
        before = {name: rows.clone() for name, rows in rows_of(model).items()}
        tokens = list(NEW)
        with expect.untouched("the list of tokens", tokens):
            answer.add_tokens(model, tokenizer, tokens)
        expect.note("tokens", len(tokenizer))
        for name, rows in rows_of(model).items():
            what = f"the rows of {name} of {kind}"
            expect.equal(list(rows.shape), [OLD + 2, HIDDEN], what=f"the shape of {what}")
            expect.note("old_mean", before[name].mean())
            mean = before[name].mean(dim=0).expand(2, -1)
            expect.note("first", rows[OLD, 0])
            share = float(rows[OLD:].mean() / before[name].mean())
            expect.note("share_of_the_mean", round(share, 1) + 0.0)
            far = (rows[OLD:] - mean).abs().max() > 1e-3 * before[name].std()
            expect.true(not far, what=f"new among {what}", actual=rows[OLD:], expected=mean)
            expect.equal(rows[:OLD], before[name], what=f"old among {what}")
        expect.equal(model.config.vocab_size, OLD + 2, what=f"config.vocab_size of {kind}")
    model = model_of(UNTIED).to(torch.bfloat16)
    before = {name: rows.clone() for name, rows in rows_of(model).items()}
    answer.add_tokens(model, words(), list(NEW))
    for name, rows in rows_of(model).items():
        expect.tensor(rows, what=f"{name} of a bfloat16 model", dtype=torch.bfloat16, shape=(OLD + 2, HIDDEN))
        expect.equal(rows[:OLD], before[name], what=f"the old rows of {name} of a bfloat16 model")


def test_the_logits_of_old_tokens_are_unchanged_and_the_new_ones_their_mean(answer):
    ids = randint(0, OLD, [3, 7], offset=1)
    for kind in (TIED, UNTIED):
        model = model_of(kind)
        before = logits(model, ids)
        answer.add_tokens(model, words(), list(NEW))
        after = logits(model, ids)
        expect.equal(list(after.shape), [3, 7, OLD + 2], what=f"the shape of the logits of {kind}")
        close = {"terms": 500, "scale": 20.0}
        expect.close(after[..., :OLD], before, what=f"the logits of old tokens, {kind}", **close)
        off = (after[..., OLD:] - before.mean(dim=-1, keepdim=True)).abs().max()
        expect.true(off < 0.05, what=f"the logits of new tokens, {kind}", actual=off, expected="near 0")


def test_a_tied_head_stays_tied_and_an_untied_one_untied(answer):
    for kind in (TIED, UNTIED, TWIN, GPT2):
        model = model_of(kind)
        answer.add_tokens(model, words(), list(NEW))
        places = 1 if is_tied(model) else 2
        expected = 1 if kind in (TIED, GPT2) else 2
        expect.equal(places, expected, what=f"tensors that embedding and head of {kind} have")
        says = model.config.tie_word_embeddings
        expect.equal(says, expected == 1, what=f"config.tie_word_embeddings of {kind}, read when it is loaded")


def test_each_new_token_is_encoded_as_one_id(answer):
    tokenizer = words()
    expect.case(tokens=NEW)
    count = answer.add_tokens(model_of(UNTIED), tokenizer, list(NEW))
    expect.equal(count, 2, what="how many tokens are really new", exact_types=True)
    expect.equal(len(tokenizer), OLD + 2, what="how many tokens the tokenizer has")
    texts = [*NEW, "the zebra sees a <tool> and runs"]
    encoded, expected = (
        [tokenizer(text)["input_ids"] for text in texts],
        [[OLD], [OLD + 1], [4, OLD + 1, 3, 5, OLD, 6, 7]],
    )
    expect.note("the ids of all texts", encoded)
    for text, ids, right in zip(texts, encoded, expected, strict=True):
        expect.equal(ids, right, what="the ids of a text with new tokens", given={"text": text, "tokens": NEW})
    tokenizer, many = words(), ["yak", "emu", "<call>", "ox", "zebra", "gnu", "hen", "ant", "<end>", "bee"]
    answer.add_tokens(model_of(UNTIED), tokenizer, list(many))
    encoded = [tokenizer(token)["input_ids"] for token in many]
    expect.note("the ids of ten new tokens", encoded)
    for number, (token, ids) in enumerate(zip(many, encoded, strict=True)):
        expect.equal(ids, [OLD + number], what="the ids of a new token", given={"text": token, "tokens": many})


def test_a_known_word_in_capitals_is_new(answer):
    model, tokenizer = model_of(TIED), words()
    added = answer.add_tokens(model, tokenizer, ["Cat", "DOG"])
    expect.equal(added, 2, what="how many of Cat and DOG are new, where cat and dog are known")
    ids = [tokenizer(word)["input_ids"] for word in ("Cat", "DOG", "cat", "dog")]
    expect.equal(ids, [[OLD], [OLD + 1], [1], [2]], what="the ids of Cat, DOG, cat and dog")


def test_with_no_new_token_nothing_is_changed(answer):
    for tokens in ([], ["cat", "the"], ["<unk>", "<s>"]):
        model, tokenizer = model_of(UNTIED), words()
        model.config.pad_token_id = 3  # The tokenizer has none.
        config, rows = deepcopy(model.config.to_dict()), {name: r.clone() for name, r in rows_of(model).items()}
        expect.case(tokens=tokens)
        with expect.untouched("the tokenizer", tokenizer):
            added = answer.add_tokens(model, tokenizer, tokens)
        expect.equal(added, 0, what=f"how many of {tokens} are new")
        expect.equal(model.config.to_dict(), config, what=f"the config after adding {tokens}")
        for name, values in rows_of(model).items():
            expect.equal(values, rows[name], what=f"the rows of {name} after adding {tokens}")


def test_known_tokens_are_skipped_and_repeats_count_once(answer):
    tokenizer, model = words(around="<s> $A"), model_of(UNTIED)  # Each text begins with <s>.
    tokens = ["dog", "the", "<tool>", "<unk>", "<tool>", "zebra", "dog"]
    expect.case(tokens=tokens)
    with expect.untouched("the list of tokens", tokens):
        found = [answer.add_tokens(model, tokenizer, tokens)]
    found.append(len(tokenizer))
    found.append(len(model.get_input_embeddings().weight))
    what = "new tokens, the tokenizer's tokens and rows, where two of seven given are really new"
    expect.equal(found, [2, OLD + 2, OLD + 2], what=what)
    for number, values in enumerate(rows_of(model).values()):
        values[OLD:] = randn(2, HIDDEN, offset=210 + number)  # as training may leave them
    rows = {name: values.clone() for name, values in rows_of(model).items()}
    for again in (["zebra", "cat"], []):
        expect.case(tokens=again)
        with expect.untouched("where no token is new", {"model": model, "tokenizer": tokenizer}):
            count = answer.add_tokens(model, tokenizer, again)
        expect.equal(count, 0, what="how many tokens are new, if the tokenizer knows them all", exact_types=True)
    expect.case(tokens=["zebra", "yak"])
    more = answer.add_tokens(model, tokenizer, ["zebra", "yak"])
    found = [more, tokenizer("yak")["input_ids"]]
    expect.equal(found, [1, [OLD - 1, OLD + 2]], what="the count of a third token, and its ids after <s>")
    for name, values in rows_of(model).items():
        expect.equal(values[: OLD + 2], rows[name], what=f"the rows of {name} before a third one was added")
        mean = rows[name].mean(0, keepdim=True)
        expect.close(values[OLD + 2 :], mean, what=f"a third row, {name}", terms=1, dtype=torch.bfloat16)


def test_a_word_of_the_vocabulary_is_known_also_where_a_text_gives_another_token(answer):
    tokenizer, model = metaspace_tokenizer(["plum", "fig"]), model_of(UNTIED)  # It makes "▁plum" of the text "plum".
    old = len(tokenizer)
    model.resize_token_embeddings(old, mean_resizing=False)
    added = answer.add_tokens(model, tokenizer, ["plum", "kiwi", "▁fig"])
    expect.equal(added, 1, what="how many of plum, kiwi and ▁fig are new to a tokenizer with a prefix marker")
    found = [tokenizer("kiwi")["input_ids"], len(tokenizer), len(model.get_output_embeddings().weight)]
    expect.equal(found, [[old], old + 1, old + 1], what="the ids of kiwi, the tokens and the rows of the head")


def attached(answer, kind, r=2, new=NEW):
    model, tokenizer = with_tokens(kind)
    new = list(new)
    with expect.untouched("what was given", {"new_tokens": new, "tokenizer": tokenizer}):
        try:
            peft_model = answer.attach_with_new_tokens(model, r, 3, new_tokens=new, tokenizer=tokenizer)
        except ValueError as error:  # As peft's, for names that this model does not have.
            what = f"what attach_with_new_tokens gives for {kind}"
            raise expect.CheckFailed(what, "a PeftModel", type(error).__name__, str(error)) from error
    returned = type(peft_model).__name__
    expect.true(isinstance(peft_model, PeftModel), what="what is returned", actual=returned, expected="a PeftModel")
    return peft_model


def tables_that_train(peft_model):
    """The names of what trains of input embedding and head, whole or a few rows; a shared tensor counts once."""
    names = [name for name, parameter in peft_model.named_parameters() if parameter.requires_grad]
    return [n for n in names if ".lora_" not in n and any(t in n for t in (".embed_tokens.", ".wte.", ".lm_head."))]


def trained(peft_model):
    """One step of gradient descent on a text that holds all tokens, as input and as target."""
    wanted = [parameter for parameter in peft_model.parameters() if parameter.requires_grad]
    ids = torch.cat([torch.randperm(OLD + 2, generator=torch.Generator().manual_seed(seed(9))) for _ in range(2)])
    loss = peft_model(input_ids=ids[None], labels=ids[None]).loss
    loss.backward()
    torch.optim.SGD(wanted, lr=0.3).step()
    return peft_model.eval()


def effective_rows(peft_model):
    """What the model looks its tokens up in, and scores them with, adapters counted in."""
    merged = deepcopy(peft_model).merge_and_unload()
    return rows_of(merged)


def test_training_moves_the_new_rows_of_embedding_and_head(answer):
    for kind in (UNTIED, TIED, TWIN, GPT2):
        base, _ = with_tokens(kind)
        before = rows_of(base)
        peft_model = attached(answer, kind)
        one = len(tables_that_train(peft_model)) == 1
        rows = effective_rows(trained(peft_model))
        moved = {}
        for name in SHARED:
            expect.equal(list(rows[name].shape), [OLD + 2, HIDDEN], what=f"the shape of {name} after training")
            change = (rows[name] != before[name]).any(dim=1)
            moved[name] = int(change[OLD:].sum())
            expect.note(f"old rows of {name} that moved", int(change[:OLD].sum()))
        expected = dict.fromkeys(SHARED, 2)
        expect.equal(moved, expected, what=f"how many new rows training moved, {kind}")
        if kind in (TIED, GPT2) and one:
            pair = list(rows.values())
            expect.equal(pair[1], pair[0], what=f"the head's rows beside the embedding's, {kind}, after training")


def test_the_new_tokens_need_not_be_the_last_ones(answer):
    before = rows_of(with_tokens(UNTIED)[0])
    rows = effective_rows(trained(attached(answer, UNTIED, new=NEW[:1])))
    moved = {name: bool((rows[name][OLD] != before[name][OLD]).any()) for name in SHARED}
    what = "whether the row of the first of two added tokens, given alone, moved"
    expect.equal(moved, dict.fromkeys(SHARED, True), what=what)
    rows = effective_rows(trained(attached(answer, UNTIED, new=[NEW[1], WORDS[0]])))  # One has the id 0.
    moved = {name: bool((rows[name][OLD + 1] != before[name][OLD + 1]).any()) for name in SHARED}
    what = "whether the row of an added token moved, given with the one of id 0"
    expect.equal(moved, dict.fromkeys(SHARED, True), what=what)


# How many numbers the projections of a layer take and give: LoRA of rank r has r times as many.
SIDES = {
    UNTIED: 2 * (2 * HIDDEN) + 2 * (HIDDEN + HIDDEN // 2) + 3 * (HIDDEN + INNER),
    TIED: 2 * (2 * HIDDEN) + 2 * (HIDDEN + HIDDEN // 2) + 3 * (HIDDEN + INNER),
    GPT2: (HIDDEN + 3 * HIDDEN) + 2 * HIDDEN + 2 * (HIDDEN + INNER),
}


def test_beside_embedding_and_head_only_lora_needs_a_gradient(answer):
    for kind, r in ((UNTIED, 2), (TIED, 3), (GPT2, 2)):
        peft_model = attached(answer, kind, r)
        needs = [[name, p.numel()] for name, p in peft_model.named_parameters() if p.requires_grad]
        tables = tables_that_train(peft_model)
        found = [
            sum(n for name, n in needs if ".lora_" in name),
            sum(n for name, n in needs if ".lora_" not in name and name not in tables),
        ]
        what = f"numbers of LoRA that train, and of the body, {kind}"
        expect.equal(found, [r * SIDES[kind], 0], what=what)
        expect.equal(list(peft_model.peft_config), ["default"], what="the names of the configs in peft_config")
        config = peft_model.peft_config["default"]
        task = config.task_type and str(getattr(config.task_type, "value", config.task_type))
        found = [config.r, config.lora_alpha, task]
        expect.equal(found, [r, 3, "CAUSAL_LM"], what="r, lora_alpha and task_type in the config")
        scales = {module.scaling["default"] for module in peft_model.modules() if hasattr(module, "lora_A")}
        expect.close(sorted(scales), [3 / r], what=f"the scale of LoRA for r = {r} and lora_alpha = 3", terms=2)


def test_the_attached_model_answers_as_before(answer):
    ids = randint(0, OLD + 2, [2, 7], offset=2)
    for kind in (UNTIED, TIED):
        base, _ = with_tokens(kind)
        expected = logits(base, ids)
        actual = logits(attached(answer, kind).eval(), ids)
        expect.close(actual, expected, what=f"the logits at the start, {kind}", terms=500, scale=20.0)


def test_saved_and_loaded_the_rows_are_the_same(answer, tmp_path):
    ids = randint(0, OLD + 2, [2, 7], offset=2)
    for kind in (UNTIED, TIED, GPT2):
        model = trained(attached(answer, kind))
        folder = tmp_path / kind
        model.save_pretrained(folder)
        base, _ = with_tokens(kind)
        loaded = PeftModel.from_pretrained(base, folder).eval()
        rows = effective_rows(model)
        for name, again in effective_rows(loaded).items():
            expect.close(again[OLD:], rows[name][OLD:], what=f"new rows of {name} after loading, {kind}")
        what = f"the logits after loading, {kind}"
        expect.close(logits(loaded, ids), logits(model, ids), what=what, terms=500, scale=20.0)


def test_a_token_that_the_tokenizer_does_not_know_is_refused(answer):
    for unknown in ("gnu", "the cat"):  # The second is made of two that it knows.
        model, tokenizer = with_tokens(UNTIED)
        new = ["zebra", unknown]
        attach = functools.partial(answer.attach_with_new_tokens, model, 2, 3, new_tokens=new, tokenizer=tokenizer)
        expect.raises(ValueError, attach, what=f"{unknown!r}, which was not added", mentions=[unknown])
