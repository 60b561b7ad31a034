"""The awkward fixtures are as awkward as they say."""

from __future__ import annotations

import unicodedata

import pytest
import torch
from safetensors.torch import load_file

from tunelings.handson import tiny
from tunelings.handson.awkward import files, language_models, models, texts


def test_the_model_holds_everything_that_a_comfortable_one_leaves_out():
    model = models.awkward_model()
    assert model.again.weight is model.first.weight and not model.frozen.requires_grad
    runs = []
    model.batch_norm.register_forward_hook(lambda *_: runs.append(1))
    ids = models.token_batch()
    outputs = model(ids)
    assert ids.dtype == torch.int64 and outputs.shape == (5, 1) and outputs.dtype == torch.float64 and len(runs) == 2
    outputs.sum().backward()
    assert model.unused.weight.grad is None and model.frozen.grad is None and model.gain.grad is not None


def test_adamw_over_all_moves_what_is_frozen_or_unused_through_an_old_gradient():
    model = models.awkward_model()
    before = models.leave_old_gradients(model)
    models.adamw_over_all(model).step()
    assert all(not torch.equal(before[name], parameter) for name, parameter in model.named_parameters())


def test_what_is_made_from_nothing_is_elsewhere_until_it_is_moved():
    x = torch.ones(2, 3)
    with models.OtherDefaultDevice():
        assert torch.zeros(3).device.type == "meta"
        assert (torch.arange(3) + 1).unsqueeze(0).float().device.type == "meta"
        assert torch.equal((torch.arange(3) + 1).to(x.device) + x, torch.tensor([[2.0, 3, 4]]).expand(2, 3).to(x))
        assert torch.equal(torch.zeros(3).type_as(x), x[0] * 0)
        here = [torch.zeros(3, device=x.device), torch.stack([x[0], x[1]]), torch.cat([x, x]), x.new_zeros(2), x * 2.0]
        assert {made.device.type for made in here} == {"cpu"}
        assert torch.equal(x[torch.arange(2), torch.arange(2)], x[0, :2])
        try:
            x + torch.zeros(3).to(torch.float32)
        except RuntimeError:
            return
    raise AssertionError("a tensor of another device met x and nothing was raised")


def test_the_texts_part_where_the_usual_methods_differ():
    assert len({text.lower() for text in texts.CASE}) > len({text.casefold() for text in texts.CASE})
    assert len(texts.LINE_SEPARATORS.splitlines()) == 4 and texts.LINE_SEPARATORS.count("\n") == 0
    assert texts.long_text(last="a")[:1000] == texts.long_text(last="b")[:1000]
    assert len(texts.long_text().split()) == 700
    assert len(set(texts.AWKWARD)) == len(texts.AWKWARD) and all(text.strip() for text in texts.NOT_BLANK)
    one, other = texts.COMPOSED.split(" and ")
    assert one != other and unicodedata.normalize("NFC", other) == one
    assert torch.tensor([texts.HUGE]).square().isinf().all() and torch.tensor([texts.TINY]).square().eq(0).all()


def test_an_encoder_cut_short_still_runs_and_its_config_says_more():
    encoder = language_models.cut_short(tiny.bert(1, 4), 2)
    assert len(encoder.bert.encoder.layer) == 2 and encoder.config.num_hidden_layers == 4
    assert encoder(torch.tensor([[1, 2]])).logits.shape == (1, 3)


def test_a_twin_of_the_embedding_is_equal_and_not_tied():
    model = language_models.untied_twin(1)
    head, embedding = model.lm_head.weight, model.get_input_embeddings().weight
    assert torch.equal(head, embedding) and head is not embedding


def test_each_family_runs():
    for family in ("Llama", "Phi", "Qwen2", "GPT-2"):
        assert language_models.causal(family, 1)(torch.tensor([[3, 4]])).logits.shape == (1, 2, 31)


def test_a_folder_has_the_dtype_that_was_asked_for(tmp_path):
    model = tiny.llama(1)
    folder = language_models.saved(model, tmp_path, torch.float64)
    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {torch.float64}
    assert model.dtype == torch.float32


def test_the_metaspace_tokenizer_puts_a_marker_before_the_first_word():
    tokenizer = language_models.metaspace_tokenizer(["plum", "fig"])
    assert tokenizer.tokenize("plum fig") == ["▁plum", "▁fig"]
    assert tokenizer.decode(tokenizer("plum fig")["input_ids"]) == "plum fig"


def test_the_awkward_settings_show():
    tokenizer = language_models.awkwardly_set(language_models.metaspace_tokenizer(["plum", "fig"]), 2)
    batch = tokenizer(["plum fig plum", "fig"], truncation=True, padding=True)
    assert set(batch) == {"input_ids"}
    assert [tokenizer.convert_ids_to_tokens(ids) for ids in batch["input_ids"]] == [
        ["▁fig", "▁plum"],
        ["<pad>", "▁fig"],
    ]


def test_files_are_ascii_unless_an_encoding_is_named(tmp_path):
    path, real = tmp_path / "text", open
    with files.ascii_by_default():
        for write in (
            lambda: path.write_text("λ"),
            lambda: open(path, "w").write("λ"),
            lambda: path.open("w").write("λ"),
        ):
            with pytest.raises(UnicodeEncodeError):
                write()
        path.write_text("λ", encoding="utf-8")
        assert path.read_bytes() == "λ".encode()
        assert open is not real
    assert open is real
