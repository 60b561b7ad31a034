"""3.07: a tiny Llama and adapters drawn here; each answer is compared with a plain model of the summed weights.

Long: 13 checks of one class, and the adapters that it reads are written here.
"""

import contextlib
import functools
import shutil
import tempfile
from copy import deepcopy
from pathlib import Path

import torch
from peft import LoraConfig
from safetensors.torch import save_file

from tunelings import expect
from tunelings.handson import tiny
from tunelings.handson.awkward.language_models import with_added_parts
from tunelings.inputs import randint, randn, seed

# Rank, lora_alpha and target modules of three adapters; the rank divides no alpha.
KINDS = {
    "poems": (3, 5, ["q_proj", "v_proj"]),
    "law": (2, 7, ["q_proj", "up_proj", "o_proj"]),
    "jokes": (4, 3, ["v_proj", "down_proj"]),
}
FACTOR = 0.5  # The size of the numbers in A and B: large enough to matter, small enough not to saturate.


def llama(dtype=torch.float64, intermediate=24):
    """A small model with random weights, in train mode and with dropout, as training may have left it."""
    heads = {"vocab_size": 11, "num_attention_heads": 2, "num_key_value_heads": 1, "attention_dropout": 0.5}
    ends = {"bos_token_id": None, "eos_token_id": None}
    model = tiny.llama(0, intermediate_size=intermediate, dtype=dtype, **heads, **ends)
    for number, parameter in enumerate(model.parameters()):
        values = randn(*parameter.shape, offset=100 + number)
        parameter.data = (values / parameter.shape[-1] ** 0.5 if parameter.dim() == 2 else 1 + 0.1 * values).to(dtype)
    return model.train()


def targets(model, names):
    """The linear layers that `names` mean, each with its place in the model."""
    return {place: m for place, m in model.named_modules() if f".{place}".endswith(tuple(f".{name}" for name in names))}


def save_adapter(folder, base, kind, offset, task="CAUSAL_LM"):
    """Write an adapter as peft does, and return what it adds to the weight of each of its layers."""
    r, alpha, names = KINDS[kind] if isinstance(kind, str) else kind
    tensors, added = {}, {}
    for number, (place, layer) in enumerate(targets(base, names).items()):
        n_out, n_in = layer.weight.shape
        a = FACTOR * randn(r, n_in, offset=offset + 2 * number)
        b = FACTOR * randn(n_out, r, offset=offset + 2 * number + 1)
        dtype = layer.weight.dtype
        tensors[f"base_model.model.{place}.lora_A.weight"] = a.to(dtype)
        tensors[f"base_model.model.{place}.lora_B.weight"] = b.to(dtype)
        added[place] = alpha / r * (b.to(dtype).double() @ a.to(dtype).double())
    config = LoraConfig(r=r, lora_alpha=alpha, target_modules=names, lora_dropout=0.5, task_type=task)
    config.inference_mode = True
    config.save_pretrained(folder)
    save_file(tensors, folder / "adapter_model.safetensors")
    return added


def with_added(base, *updates):
    """The logits of a plain copy of the base, in eval mode, whose weights are the sums."""
    model = deepcopy(base).eval()
    for update in updates:
        for place, values in update.items():
            layer = model.get_submodule(place)
            layer.weight.data = (layer.weight.data.double() + values).to(layer.weight.dtype)
    return logits(model)


def logits(model):
    """What a model answers to two rows of seven tokens."""
    expect.true(callable(model), what="what the block yields", actual=model, expected="a model to call")
    with torch.no_grad():
        return model(input_ids=randint(0, 11, [2, 7], offset=1)).logits


@functools.lru_cache(maxsize=8)
def prepared(dtype, _):
    """A base, the files of the adapters, and the logits of the base with each of them and alone.

    The second argument is the seed that they were drawn with.
    """
    base, files, expected = llama(dtype), {}, {}
    for number, kind in enumerate(KINDS):
        with tempfile.TemporaryDirectory() as folder:
            added = save_adapter(Path(folder), base, kind, offset=200 + 50 * number)
            files[kind] = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
        expected[kind] = with_added(base, added)
    return base, files, expected, with_added(base)


def three_adapters(folder, dtype=torch.float64):
    """A base, the logits it should give with each of three adapters, and alone; the adapters are in `folder`."""
    base, files, expected, before = prepared(dtype, seed())
    for kind, contents in files.items():
        (folder / kind).mkdir()
        for name, content in contents.items():
            (folder / kind / name).write_bytes(content)
    return deepcopy(base), dict(expected), before


def library_of(answer, base, folder, names=tuple(KINDS)):
    library = answer.AdapterLibrary(base)
    for name in names:
        library.add(name, folder / name)
    return library


def can_add(library, name, folder, what):
    """Add an adapter whose name is allowed; where it is refused, the words of the error do not matter."""
    try:
        library.add(name, folder)
    except ValueError as error:
        raise expect.CheckFailed(what, "no error", type(error).__name__, str(error)) from error


# An answer may hold the adapters in float32: each weight is rounded once, and sums of 24 products follow each other.
CLOSE = {"terms": 50, "scale": 5.0, "dtype": torch.float32}


def test_in_each_block_its_adapter_answers_and_no_other(answer, tmp_path):
    base, expected, of_base = three_adapters(tmp_path)
    expect.note("of_base", of_base.flatten()[0])
    library = answer.AdapterLibrary(base)
    for name in KINDS:
        library.add(name, tmp_path / name)
    for name in ("law", "poems", "jokes", "law"):
        expect.note("of_this", expected[name].flatten()[0])
        with library.using(name) as model:
            expect.close(logits(model), expected[name], what=f"the logits in using({name!r})", **CLOSE)


def test_outside_any_block_the_base_answers_as_before_bit_for_bit(answer, tmp_path):
    base, _, before = three_adapters(tmp_path, torch.float32)
    library = answer.AdapterLibrary(base)
    expect.equal(logits(base), before, what="the base's logits after the construction")
    library.add("poems", str(tmp_path / "poems"))
    expect.equal(logits(base), before, what="the base's logits after the first add")
    library.add("law", tmp_path / "law")
    expect.equal(logits(base), before, what="the base's logits after the second add")
    for name in ("law", "poems"):
        with library.using(name) as model:
            logits(model)
        expect.equal(logits(base), before, what="the base's logits after a block")
    with library.using(None) as model:
        expect.equal(logits(model), before, what="the logits in using(None)")
        expect.equal(logits(base), before, what="the base's logits in using(None)")
    expect.equal(logits(base), before, what="the base's logits after using(None)")


def test_an_exception_leaves_the_block_and_the_base_is_back(answer, tmp_path):
    base, expected, before = three_adapters(tmp_path)
    library = library_of(answer, base, tmp_path, ["poems", "law"])

    def fail_inside():
        with library.using("poems"):
            raise ZeroDivisionError("raised by the caller")

    expect.raises(ZeroDivisionError, fail_inside, what="an exception inside a block", mentions=["raised by the caller"])
    expect.equal(logits(base), before, what="the base's logits after an exception in a block")

    class Interrupt(BaseException):
        """No Exception, as KeyboardInterrupt is none."""

    with contextlib.suppress(Interrupt), library.using("poems"):
        raise Interrupt
    expect.equal(logits(base), before, what="the base's logits after an interrupt in a block")
    with library.using("law") as model:
        expect.raises(ZeroDivisionError, fail_inside, what="an exception inside an inner block")
        what = "the logits in using('law') after an exception in an inner block"
        expect.close(logits(model), expected["law"], what=what, **CLOSE)


def test_leaving_an_inner_block_brings_the_outer_one_back(answer, tmp_path):
    base, expected, before = three_adapters(tmp_path)
    expected[None], another = before, deepcopy(base)
    library = library_of(answer, base, tmp_path, ["poems", "law"])
    for outer, inners in (("law", ("poems", None, "law")), (None, ("poems",))):
        with library.using(outer) as model:
            for inner in inners:
                with library.using(inner) as inner_model:
                    what = f"the logits in using({inner!r}) within using({outer!r})"
                    expect.close(logits(inner_model), expected[inner], what=what, **CLOSE)
                what = f"the logits in using({outer!r}) after using({inner!r}) within"
                expect.close(logits(model), expected[outer], what=what, **CLOSE)
        expect.equal(logits(base), before, what=f"the base's logits after using({outer!r}) with blocks in it")
    with library.using("law"), library.using("poems") as model:
        with library.using("law"):
            pass
        what = "the logits in using('poems') after a block with the outer name"
        expect.close(logits(model), expected["poems"], what=what, **CLOSE)
    later = library.using("poems")
    with library.using("law") as model:
        with later:
            pass
        what = "the logits in using('law') after a block made before it and entered in it"
        expect.close(logits(model), expected["law"], what=what, **CLOSE)
        with library_of(answer, another, tmp_path, ["poems", "law"]).using("poems"):
            pass
        what = "the logits of another library's base, whose block is within one of this"
        expect.equal(logits(another), before, what=what)
        what = "the logits in using('law') after a block of another library"
        expect.close(logits(model), expected["law"], what=what, **CLOSE)


def test_there_is_one_base_in_memory_and_nothing_is_written_to_it(answer, tmp_path):
    base, _, _ = three_adapters(tmp_path)
    weights = {key: (weight, weight.detach().clone()) for key, weight in base.named_parameters()}
    places = {weight.data_ptr() for weight, _ in weights.values()}
    in_adapters = sum(r * sum(m.weight.shape) for r, _, t in KINDS.values() for m in targets(base, t).values())
    library = library_of(answer, base, tmp_path)
    for name in ("jokes", "poems", None):
        with library.using(name) as model:
            logits(model)
            for key, (weight, before) in weights.items():
                expect.equal(weight.detach(), before, what=f"the base's {key} in using({name!r})")
            in_use = {p.data_ptr() for p in model.parameters()}
            what = "how many of the base's weight tensors the model in use has"
            expect.equal(len(in_use & places), len(places), what=what)
            more = sum(p.numel() for p in model.parameters() if p.data_ptr() not in places)
            expect.true(
                more <= in_adapters,
                what="how many numbers the model in use has besides the base's",
                actual=more,
                expected=f"at most {in_adapters}, those of the three adapters",
            )
    for key, (weight, before) in weights.items():
        expect.equal(weight.detach(), before, what=f"the base's {key} after the blocks")


def unsettled(*models):
    """In words: whether parameters need a gradient, and whether modules are in train mode."""
    parameters = [parameter for model in models for parameter in model.parameters()]
    modules = [module for model in models for module in model.modules()]
    found = {
        "parameters need a gradient": any(parameter.requires_grad for parameter in parameters),
        "modules are in train mode": any(module.training for module in modules),
    }
    return [what for what, is_so in found.items() if is_so]


def test_all_is_frozen_and_in_eval_mode_always(answer, tmp_path):
    base, _, _ = three_adapters(tmp_path)
    library = answer.AdapterLibrary(base)
    found = {"after the construction": unsettled(base)}
    library.add("law", tmp_path / "law")
    found["after the first add"] = unsettled(base)
    library.add("poems", tmp_path / "poems")
    found["after the second add"] = unsettled(base)
    for name in ("poems", "law", None):
        with library.using(name) as model:
            callable(model) and found.update({f"in using({name!r})": unsettled(base, model)})
        found[f"after using({name!r})"] = unsettled(base)
    wrong = {when: words for when, words in found.items() if words}
    expect.equal(wrong, {}, what="when parameters need a gradient, or modules are in train mode")


def test_add_leaves_on_what_is_on(answer, tmp_path):
    base, expected, before = three_adapters(tmp_path)
    library = library_of(answer, base, tmp_path, ["poems"])
    with library.using("poems") as model:
        library.add("law", tmp_path / "law")
        expect.close(logits(model), expected["poems"], what="the logits in using('poems') after an add in it", **CLOSE)
        with library.using(None) as inner_model:
            library.add("jokes", tmp_path / "jokes")
            expect.equal(logits(inner_model), before, what="the logits in using(None) after an add in it")
    expect.equal(logits(base), before, what="the base's logits after a block with an add in it")
    with library.using("jokes") as model:
        expect.close(logits(model), expected["jokes"], what="the logits of the adapter added in a block", **CLOSE)


def test_an_unknown_name_is_a_key_error_that_lists_the_names(answer, tmp_path):
    base, expected, before = three_adapters(tmp_path)
    library = answer.AdapterLibrary(base)

    def use(name):
        with library.using(name):
            return "the block was entered"

    expect.raises(KeyError, lambda: use("law"), what="a name when there are none yet", mentions=["law"])
    library = library_of(answer, base, tmp_path, ["poems", "law", "jokes"])
    more = ["recipes", "letters", "sagas", "hymns", "riddles", "fables"]
    for name in more:
        library.add(name, tmp_path / "law")
    names = ["poetry", "poems", "law", "jokes", *more]
    expect.raises(KeyError, lambda: use("poetry"), what="a name that was not added", mentions=names)
    expect.raises(KeyError, lambda: use(""), what="an empty name", mentions=names[1:])
    expect.raises(KeyError, lambda: use("poem"), what="the beginning of a name")
    expect.raises(KeyError, lambda: use("LAW"), what="a name in capitals that was added in small letters")
    expect.equal(logits(base), before, what="the base's logits after an unknown name")
    with library.using("law") as model:
        expect.raises(KeyError, lambda: use("poetry"), what="an unknown name within a block")
        what = "the logits in using('law') after an unknown name"
        expect.close(logits(model), expected["law"], what=what, **CLOSE)


def test_names_are_in_the_order_in_which_they_were_added(answer, tmp_path):
    base, expected, before = three_adapters(tmp_path)
    order = ["law", "poems", "jokes"]  # Neither sorted nor sorted backwards.
    another = deepcopy(base)
    library = answer.AdapterLibrary(base)
    expect.equal(library.names, [], what="names at the start")
    for name in order:
        library.add(name, tmp_path / name)
    expect.equal(library.names, order, what="names after three adds")
    library.names.clear()
    expect.equal(library.names, order, what="names after the list they were given in was cleared")
    more = {"law-2": "law", "Law": "poems", "law_2": "jokes", "default": "poems", "base": "law"}
    for name, kind in more.items():
        can_add(library, name, tmp_path / kind, what=f"an add of `{name}`")
        order.append(name)
        expect.equal(library.names, order, what=f"names after an add of `{name}`")
    for name, kind in more.items():
        with library.using(name) as model:
            expect.close(logits(model), expected[kind], what=f"the logits in using({name!r})", **CLOSE)
    expect.equal(logits(base), before, what="the base's logits, with an adapter that is called `base`")
    expect.equal(answer.AdapterLibrary(another).names, [], what="names of a second library, around another base")


def test_a_taken_name_and_a_name_with_a_dot_are_refused(answer, tmp_path):
    base, expected, before = three_adapters(tmp_path)
    library = library_of(answer, base, tmp_path, ["poems"])

    def add(name):
        library.add(name, tmp_path / "law")
        with library.using("poems") as model:
            expect.note("poems_now", logits(model).flatten()[0])

    for name, kind in (("poems", "a name that is taken"), ("v1.5", "a name with a dot")):
        expect.raises(ValueError, functools.partial(add, name), what=kind, mentions=[name])
        expect.equal(library.names, ["poems"], what=f"names after {kind}")
    expect.equal(logits(base), before, what="the base's logits after refused names")
    with library.using("poems") as model:
        expect.close(logits(model), expected["poems"], what="the logits in using('poems') after refused names", **CLOSE)
        expect.raises(
            ValueError, lambda: library.add("poems", tmp_path / "law"), what="a name that is taken, in a block"
        )
        what = "the logits in using('poems') after a refused name in it"
        expect.close(logits(model), expected["poems"], what=what, **CLOSE)


def bad_adapters(folder):
    """By what is wrong with it: the folder of an adapter that cannot be added."""
    # Made for a base with a wider MLP: the part for q_proj fits, the part for up_proj does not.
    save_adapter(folder / "wider", llama(intermediate=40), "law", offset=400)
    (folder / "empty").mkdir()
    shutil.copytree(folder / "law", folder / "broken")
    (folder / "broken" / "adapter_model.safetensors").write_bytes(b"cut off")
    return {"does not fit": folder / "wider", "is not there": folder / "empty", "cannot be read": folder / "broken"}


def fails_to_add(library, name, folder, what):
    """Such an add raises an error; the names that there are then are noted."""

    def add():
        try:
            return library.add(name, folder)
        finally:
            expect.note("names", library.names)

    expect.raises(Exception, add, what=what)


def test_a_failed_add_changes_nothing(answer, tmp_path):
    from safetensors import SafetensorError

    base, expected, before = three_adapters(tmp_path)
    bad = bad_adapters(tmp_path)
    library = answer.AdapterLibrary(base)
    # The second name is the beginning of the first one.
    for name, kind, known, wrongs in (("poems", "poems", [], list(bad)[:2]), ("poem", "jokes", ["poems"], list(bad))):
        for wrong in wrongs:
            which = f"an adapter that {wrong}"
            fails_to_add(library, name, bad[wrong], which)
            expect.equal(library.names, known, what=f"names after {which}")
            expect.equal(logits(base), before, what=f"the base's logits after {which}")
            expect.equal(unsettled(base), [], what=f"what is unfrozen or in train mode after {which}")
        for other in known:
            with library.using(other) as model:
                what = f"the logits in using({other!r}) after failed adds of {name!r}"
                expect.close(logits(model), expected[other], what=what, **CLOSE)
                fails_to_add(library, name, bad["does not fit"], "an add in a block")
                what = f"the logits in using({other!r}) after a failed add in it"
                expect.close(logits(model), expected[other], what=what, **CLOSE)
        broken = functools.partial(library.add, name, bad["cannot be read"])
        expect.raises(SafetensorError, broken, what="an add of an adapter whose file is cut off")
        can_add(library, name, tmp_path / kind, what=f"an add of {name!r} after a failed try")
        with library.using(name) as model:
            what = f"the logits in using({name!r}), added after a failed try"
            expect.close(logits(model), expected[kind], what=what, **CLOSE)
    expect.equal(unsettled(base), [], what="what is unfrozen or in train mode at the end")


def test_the_files_are_read_once_by_add(answer, tmp_path):
    base, expected, _ = three_adapters(tmp_path)
    library = library_of(answer, base, tmp_path, ["poems"])
    shutil.rmtree(tmp_path / "poems")
    (tmp_path / "law").rename(tmp_path / "poems")
    library.add("law", tmp_path / "poems")  # Another adapter, in the same place.
    shutil.rmtree(tmp_path / "poems")
    for name in ("law", "poems"):
        what = f"the logits in using({name!r}), whose folder is gone"
        try:
            with library.using(name) as model:
                expect.close(logits(model), expected[name], what=what, **CLOSE)
        except (OSError, ValueError) as error:  # Of a library that looks for the folder.
            raise expect.CheckFailed(what, expected[name], type(error).__name__, str(error)) from error


def test_the_base_may_be_any_model_of_transformers(answer, tmp_path):
    # No language model: it has dropout, labels, parts that somebody has added, and nothing to generate with.
    base = with_added_parts(tiny.bert(seed(2), layers=2), hidden=8).double()
    base.bert.embeddings.requires_grad_(False)
    base.bert.encoder.layer[0].eval()
    kinds = {"tags": (3, 5, ["query", "output.dense"]), "tones": (2, 7, ["value", "pooler.dense"])}
    added = {name: save_adapter(tmp_path / name, base, kind, 500, task=None) for name, kind in kinds.items()}
    expected = {name: with_added(base, update) for name, update in added.items()}
    before = with_added(base)
    library = library_of(answer, base, tmp_path, kinds)
    for name in kinds:
        with library.using(name) as model:
            what = f"the logits of a BERT classifier in using({name!r})"
            expect.close(logits(model), expected[name], what=what, **CLOSE)
    expect.equal(logits(base), before, what="the logits of a BERT classifier after the blocks")
    expect.equal(unsettled(base), [], what="what is unfrozen or in train mode in a BERT classifier")
