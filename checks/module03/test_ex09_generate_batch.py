"""3.09: the answers of a small model that was taught what to say, so each right text is known.

The output layer is solved for: along every path that the conversations take, the next token is the one in
the script. A prompt that is padded, cut or rendered otherwise leaves the path and comes out as other words.

Long: the model that knows each right answer is taught here, in 90 lines.
"""

import functools
from copy import deepcopy

import torch
from tokenizers import decoders
from transformers import GPT2Config, GPT2LMHeadModel

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward.language_models import awkwardly_set
from tunelings.handson.tiny import CHATML, INST, sentence
from tunelings.inputs import randn, seed

FRUIT = ["kiwi", "plum", "fig", "lime", "pear", "date", "melon", "guava", "quince", "papaya", "mango", "peach"]
OTHERS = ["\n", "system", "user", "assistant", "be", "brief", "[", "]", "INST", "/", ","]
SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<pad>"]
IDS = {token: number for number, token in enumerate(FRUIT + OTHERS + SPECIAL)}
TOKENS = list(IDS)
HIDDEN = 96


def tokenizer_with(template=CHATML, end="<|im_end|>", pad="<|im_end|>"):
    """Whole words, newlines and signs as tokens; called on a text it puts <s> before it, as Llama's does."""
    return tiny.chat_tokenizer(
        pad, ids=IDS, special=SPECIAL, template=template, end=end, unknown="<pad>", unk_token=None
    )


def fruit(count, offset):
    return sentence(FRUIT, count, offset)


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def four_conversations():
    """Questions of different lengths, the longest neither first nor last, one with a history; their answers.

    The answers have 2, 9, 0 and 4 words.
    """
    history = [
        {"role": "system", "content": fruit(2, offset=2)},
        user(fruit(5, offset=3)),
        assistant(fruit(1, offset=4)),
    ]
    conversations = [
        [user(fruit(2, offset=1))],
        [*history, user(fruit(1, offset=5))],
        [user(fruit(1, offset=6))],
        [user(fruit(4, offset=7))],
    ]
    return conversations, [fruit(2, offset=8), fruit(9, offset=9), "", fruit(4, offset=10)]


def taught(tokenizer, conversations, answers, rival=None, family="Llama"):
    """A model in eval mode that gives these answers, and goes on with three more words if it is not stopped.

    `rival` is a token that is nearly as likely as the right one, everywhere.
    """
    paths = []
    for number, (conversation, answer) in enumerate(zip(conversations, answers, strict=True)):
        question = encode(tokenizer, conversation)
        prompt = encode(tokenizer, conversation, add_generation_prompt=True)
        more = fruit(3, offset=50 + number).split()
        words = answer.split(" ") if answer else []
        told = [IDS[word] for word in [*words, tokenizer.eos_token, *more]]
        paths.append((len(question), (*prompt, *told)))  # It knows the header too, and writes it where it is missing.
    return deepcopy(model_with(tuple(paths), rival, family, seed()))


@functools.lru_cache(maxsize=16)
def model_with(paths, rival, family, _):
    """The model that goes on along each path from a place in it; the last argument is the seed of its weights."""
    sizes = {"vocab_size": len(TOKENS), "max_position_embeddings": 2048}
    ends = {"bos_token_id": None, "eos_token_id": None}
    if family == "GPT-2":  # Its positions are learned, so it matters which numbers they get.
        config = GPT2Config(n_embd=HIDDEN, n_layer=2, n_head=4, tie_word_embeddings=False, **sizes, **ends)
        model = GPT2LMHeadModel(config).double().eval()
    else:
        ends |= {"intermediate_size": 32, "num_key_value_heads": 4, "attention_dropout": 0.5}
        model = tiny.llama(0, hidden=HIDDEN, layers=2, dtype=torch.float64, **sizes, **ends)
    for number, parameter in enumerate(model.parameters()):
        if parameter.dim() == 2:
            parameter.data = randn(*parameter.shape, offset=100 + number) / parameter.shape[1] ** 0.5
    states, targets = [], []
    for begin, path in paths:
        with torch.no_grad():
            hidden = model.base_model(torch.tensor([path])).last_hidden_state[0]
        states.append(hidden[begin - 1 : -1])
        targets += path[begin:]
    states = torch.cat(states)
    logits = randn(len(targets), len(TOKENS), offset=99).clamp(-0.5, 0.5)
    if rival is not None:
        logits[:, IDS[rival]] = 0.97
    logits[range(len(targets)), targets] = 1.0
    model.lm_head.weight.data = (torch.linalg.pinv(states) @ logits).T.contiguous()
    return model


def said(answer, model, tokenizer, conversations, **options):
    """The answer's texts; model, tokenizer and conversations must be afterwards what they were before."""
    expect.case(last_messages=[conversation[-1]["content"] for conversation in conversations], **options)
    given = {"conversations": conversations, "tokenizer": tokenizer, "model": model}
    with expect.untouched("what was given", given, errors=ValueError):
        return answer.generate_batch(model, tokenizer, conversations, **options)


def encode(tokenizer, conversation, **options):
    text = tokenizer.apply_chat_template(conversation, tokenize=False, **options)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def watch(model):
    """What the model is given at each forward pass: ids and mask, and whether it is in train mode."""
    passes = []

    def before_forward(module, args, kwargs):
        ids = args[0] if args else kwargs.get("input_ids")
        passes.append((ids, kwargs.get("attention_mask"), int(module.training)))

    model.register_forward_pre_hook(before_forward, with_kwargs=True)
    return passes


def note_first(passes):
    """Note what each row could see at the first forward pass, and whether the last column is hidden in it."""
    if not passes or passes[0][0] is None:
        return
    ids, mask, _ = passes[0]
    mask = torch.ones_like(ids) if mask is None or mask.shape != ids.shape else mask
    seen = [" ".join(TOKENS[i] for i in row[keep.bool()].tolist()) for row, keep in zip(ids, mask, strict=True)]
    expect.note("seen", [text.replace("\n", "\\n") for text in seen])
    expect.note("read", mask.bool().sum(dim=1).tolist())
    expect.note("last_column", mask[:, -1].tolist())


def test_one_conversation_is_answered_with_the_new_text_alone(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers)
    passes = watch(model)
    texts = []
    for conversation in (conversations[0], conversations[3]):
        texts.append(said(answer, model, tokenizer, [conversation], max_new_tokens=7))
        note_first(passes)
    expect.case(last_messages=[[conversations[i][-1]["content"]] for i in (0, 3)], max_new_tokens=7)
    what = "the answers to two conversations, each a batch of its own"
    expect.equal(texts, [[answers[0]], [answers[3]]], what=what, exact_types=True)


def test_conversations_of_different_lengths_do_not_disturb_each_other(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers)
    passes = watch(model)
    expect.note("tokens", [len(encode(tokenizer, c, add_generation_prompt=True)) for c in conversations])
    texts = said(answer, model, tokenizer, conversations, max_new_tokens=12)
    note_first(passes)
    expect.equal(texts, answers, what="the answers to four conversations in one batch", exact_types=True)


def test_padding_does_not_move_the_positions_of_a_prompt(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers, family="GPT-2")
    texts = said(answer, model, tokenizer, conversations, max_new_tokens=12)
    expect.equal(texts, answers, what="the answers of a GPT-2, which learns a vector for each position")


def test_the_most_likely_token_is_taken_also_where_words_repeat(answer):
    tokenizer = tokenizer_with()
    conversations, _ = four_conversations()
    conversations = [conversations[3], conversations[0]]
    a, b, c = "kiwi", "plum", "fig"
    answers = [f"\n {a} {b} {a} {b} {a} {b} {a} {b} \n", f"{c} {c} {c} {c} {c}"]
    model = taught(tokenizer, conversations, answers, rival="INST")
    texts = said(answer, model, tokenizer, conversations, max_new_tokens=14)
    what = "the answers that repeat words, with another token nearly as likely"
    expect.equal(texts, answers, what=what, exact_types=True)


def test_a_prompt_is_read_whole(answer):
    tokenizer = awkwardly_set(tokenizer_with(), 512, mask=True)
    conversations, answers = four_conversations()
    conversations, answers = [[user(fruit(2100, offset=12))], conversations[0]], [answers[0], fruit(3, offset=9)]
    model = taught(tokenizer, conversations, answers)
    model.config.max_position_embeddings = 4096  # Its positions are rotary: there is no table of them.
    passes = watch(model)
    texts = said(answer, model, tokenizer, conversations, max_new_tokens=12)
    ids = passes[0][0] if passes else None
    expect.note("width", ids.shape[1] if ids is not None and ids.dim() == 2 else None)
    tokens = len(encode(tokenizer, conversations[0], add_generation_prompt=True))
    widths = [(ids if mask is None else mask).shape[-1] for ids, mask, _ in passes if ids is not None]
    seen = max(widths, default=tokens)
    what = "columns that the model has seen, of a prompt of more than 2,100 tokens"
    expect.true(seen >= tokens, what=what, actual=seen, expected=f"all {tokens}")
    expect.equal(texts, answers, what="the answers to a prompt of more than 2,100 tokens and a short one")


def test_a_long_answer_is_cut_at_max_new_tokens(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    answers[0] = fruit(40, offset=11)
    for limit, options in ((5, {"max_new_tokens": 5}), (1, {"max_new_tokens": 1}), (32, {})):
        some = [0, 3, 1][: 2 if limit == 32 else 3]
        model = taught(tokenizer, [conversations[i] for i in some], [answers[i] for i in some])
        passes = watch(model)
        texts = said(answer, model, tokenizer, [conversations[i] for i in some], **options)
        expect.note("passes", len(passes))
        expected = [" ".join(answers[i].split()[:limit]) for i in some]
        expect.equal(texts, expected, what=f"the answers, {f'max_new_tokens {limit}' if options else 'by default'}")


def test_all_run_as_one_batch_and_end_with_the_longest_answer(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers)
    passes = watch(model)
    said(answer, model, tokenizer, conversations, max_new_tokens=20)
    rows = [len(ids) if ids is not None else 0 for ids, _, _ in passes]
    expect.true(
        set(rows) <= {4},
        what="how many conversations each forward pass saw",
        actual=rows,
        expected="4 in every one",
    )
    expect.true(
        len(rows) <= 10,
        what="the forward passes for answers of 2, 9, 0 and 4 words",
        actual=len(rows),
        expected="at most 10: nine words and an end token",
    )


def test_a_batch_may_be_large_and_hold_a_conversation_twice(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers)
    passes = watch(model)
    texts = said(answer, model, tokenizer, conversations * 8 + conversations[:1], max_new_tokens=10)
    rows = sorted({len(ids) if ids is not None else 0 for ids, _, _ in passes})
    what = "the answers to four conversations 8 times over, and to the first again"
    expect.equal(texts, answers * 8 + answers[:1], what=what)
    expect.equal(rows, [33], what="the sizes of the batches, for 33 conversations")


def test_a_tokenizer_without_a_padding_token_will_do(answer):
    tokenizer = tokenizer_with(pad=None)
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers)
    texts = said(answer, model, tokenizer, conversations[:2], max_new_tokens=12)
    expect.equal(texts, answers[:2], what="the answers where the tokenizer has no padding token")


def test_a_template_that_begins_with_a_special_token_gets_no_second_one(answer):
    tokenizer = tokenizer_with(INST, end="</s>", pad="<pad>")
    conversations, answers = four_conversations()
    conversations[1] = conversations[1][1:]
    model = taught(tokenizer, conversations, answers)
    passes = watch(model)
    texts = said(answer, model, tokenizer, conversations, max_new_tokens=12)
    note_first(passes)
    expect.equal(texts, answers, what="the answers with a template that begins with <s>")


def test_the_models_generation_config_has_no_effect_and_stays_as_it_is(answer):
    tokenizer = tokenizer_with(pad="<pad>")
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers)
    config = model.generation_config
    config.do_sample, config.temperature = True, 7.5
    config.eos_token_id, config.pad_token_id = IDS[answers[3].split()[1]], IDS["fig"]
    model.config.eos_token_id, model.config.use_cache = config.eos_token_id, False  # as training leaves the cache
    texts = said(answer, model, tokenizer, conversations, max_new_tokens=12)
    expect.equal(texts, answers, what="the answers where the config asks for sampling and names other tokens")


def test_the_model_answers_in_eval_mode_and_each_mode_is_restored(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    changed = []
    for mode in (True, False):
        model = taught(tokenizer, conversations, answers).train(mode)
        model.model.layers[1].self_attn.train(not mode)
        before = [module.training for module in model.modules()]
        passes = watch(model)
        given = {"conversations": conversations, "tokenizer": tokenizer, "parameters": dict(model.named_parameters())}
        with expect.untouched("what was given", given):
            texts = answer.generate_batch(model, tokenizer, conversations[:2], max_new_tokens=12)
        expect.note("in_train_mode", [training for _, _, training in passes][:1])
        came_in = f"the model comes in {'train' if mode else 'eval'} mode, one layer in the other"
        expect.equal(texts, answers[:2], what=f"the answers; {came_in}")
        after = {name or "the model": module.training for name, module in model.named_modules()}
        changed.append(some([name for name, old in zip(after, before, strict=True) if after[name] != old]))
    what = "whose mode the call changed; the model comes in train, in eval mode"
    expect.equal(changed, ["none", "none"], what=what)


def some(names):
    return f"{names[0]} and {len(names) - 1} more" if names else "none"


def test_tokenizer_and_conversations_stay_as_they_are(answer):
    conversations, answers = four_conversations()
    for side in ("right", "left"):
        tokenizer = tokenizer_with(pad="<pad>")
        tokenizer.padding_side, tokenizer.truncation_side = side, "left"
        model = taught(tokenizer, conversations, answers)
        said(answer, model, tokenizer, conversations, max_new_tokens=3)


def test_no_conversations_are_an_error(answer):
    tokenizer = tokenizer_with()
    conversations, answers = four_conversations()
    model = taught(tokenizer, conversations, answers)
    expect.raises(ValueError, lambda: said(answer, model, tokenizer, []), what="no conversations at all")


def test_commas_and_special_tokens_within_an_answer(answer):
    tokenizer = tokenizer_with()
    conversations, _ = four_conversations()
    told = ["kiwi , plum , fig", "kiwi <s> plum fig"]
    model = taught(tokenizer, conversations[:2], told)
    texts = said(answer, model, tokenizer, conversations[:2], max_new_tokens=12)
    what = "the answers that hold commas, and <s>, which does not end a turn"
    expect.equal(texts, [told[0], "kiwi plum fig"], what=what, given={"the tokens": told})
    tokenizer.add_tokens(["plum"])  # an added token that is not special
    tokenizer.backend_tokenizer.decoder = decoders.Fuse()
    texts = said(answer, model, tokenizer, conversations[:2], max_new_tokens=12)
    expected = ["kiwi,plum,fig", "kiwiplumfig"]
    expect.equal(texts, expected, what="the answers of a tokenizer that writes no blanks", given={"the tokens": told})
    tokenizer = tokenizer_with()
    tokenizer.clean_up_tokenization_spaces = True
    texts = said(answer, model, tokenizer, conversations[:2], max_new_tokens=12)
    expected = ["kiwi, plum, fig", "kiwi plum fig"]
    expect.equal(texts, expected, what="the answers of a tokenizer that cleans up blanks", given={"the tokens": told})
