"""Classifiers, encoders, retrieval, several processes, and the commands as a learner types them."""

from __future__ import annotations

import io
import json
import re
import sys
import time

import pytest

from tests.conftest import COURSE
from tests.support.data_steps import Characters
from tests.support.projects import Heard, Parts, change, project, rows, run, tunelings
from tunelings.project import base, baseline, chat, child, report, shipped
from tunelings.project import config as settings
from tunelings.project import folder as files
from tunelings.project import steps as running
from tunelings.project.errors import ProjectError
from tunelings.project.kept import load

PEFTS_OWN = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")


def labeled(count: int = 90) -> list[dict]:
    words = {"warm": ["sun", "fire", "oven"], "cold": ["ice", "snow", "frost"]}
    return [{"text": f"{words[label][i % 3]} {i}", "label": label} for i in range(count // 2) for label in words]


@PEFTS_OWN
@pytest.mark.parametrize("technique", ["full", "lora"])
def test_texts_with_labels_train_a_classifier_of_a_causal_model(tmp_path, technique):
    folder = project(tmp_path, labeled(), head="classifier")
    change(folder, 'technique = "full"', f'technique = "{technique}"')
    run(folder, *running.STEPS)
    compared = folder.result("compare")
    assert set(compared["systems"]) == {"majority", "bag of words", "customized"}
    assert 0 <= compared["systems"]["customized"]["macro_f1"] <= 1 and compared["forgotten"] is None
    assert folder.result("baseline")["skipped"] == {"prompt": "a classifier answers with a label and takes no prompt"}
    assert folder.result("train")["labels"] == ["cold", "warm"]
    guessed = {row["before"] for row in compared["examples"]}
    assert guessed == {"cold", "warm"}, "before is the bag of words: the commonest answer would be one label"
    merged = json.loads((folder.done("export") / "merged" / "config.json").read_text(encoding="utf-8"))
    assert merged["id2label"] == {"0": "cold", "1": "warm"}
    assert "2.07" in folder.result("train")["parts"] and "2.08" in compared["parts"]
    report.write(folder, settings.load(folder))
    written = (folder.report / "report.md").read_text(encoding="utf-8")
    assert "| asked | wanted | bag of words | after |" in written
    assert "| macro F1 |" in written and "| warm | 45 |" in written and "What was forgotten" not in written


def test_a_classifier_tells_the_likeliest_labels_and_how_sure_it_is(tmp_path, monkeypatch, capsys):
    folder = project(tmp_path, labeled(), head="classifier")
    run(folder, "data", "train")
    monkeypatch.setattr(sys, "stdin", io.StringIO("snow 3\n"))
    chat.chat(folder, settings.load(folder))
    first, second = re.findall(r"(cold|warm) \((\d+)%\)", capsys.readouterr().out)
    assert {first[0], second[0]} == {"cold", "warm"} and int(first[1]) >= int(second[1])
    assert abs(int(first[1]) + int(second[1]) - 100) <= 1


def test_an_encoder_becomes_a_classifier_by_itself(tmp_path):
    from tunelings.handson import tiny

    words = ["<unk>", "[PAD]", "[CLS]", "[SEP]", "sun", "fire", "oven", "ice", "snow", "frost"]
    tokenizer = tiny.word_tokenizer(
        {word: number for number, word in enumerate(words)}, around="[CLS] $A [SEP]",
        pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
    )  # fmt: skip
    model = tiny.bert(0, 1, labels=2)
    model.save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    (tmp_path / "p").mkdir()
    folder = project(tmp_path / "p", labeled(), model=str(tmp_path / "bert"))
    config = settings.load(folder)
    assert (config.train.head, config.train.technique) == ("classifier", "full")
    assert (config.train.batch_size, config.train.accumulation, config.train.lr) == (32, 1, 1e-4), "as 2.08 trains one"
    assert config.compare.items == 2000, "answers of a classifier cost next to nothing"
    run(folder, "data", "train")
    assert folder.result("train")["trained"] == sum(p.numel() for p in model.parameters())


def test_a_model_without_a_chat_template_is_one_line(tmp_path):
    path = base.make_tiny(tmp_path / "plain")
    (path / "chat_template.jinja").unlink()
    (tmp_path / "p").mkdir()
    with pytest.raises(ProjectError, match="plain has no chat template: take a chat model") as error:
        project(tmp_path / "p", rows(), model=str(path))
    assert "\n" not in str(error.value)


def test_a_model_that_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    import huggingface_hub

    def no_network(*args, **options):
        raise OSError("no route to host\nand more lines")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", no_network)
    with pytest.raises(
        ProjectError, match=r"someone/model can't be downloaded from the Hub \(no route to host\): check the"
    ) as error:
        base.resolve("someone/model", tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(ProjectError, match="neither a folder nor one of the course's models"):
        base.resolve("nothing", tmp_path)


def test_what_new_is_told_of_and_is_not_there_is_said_at_once(tmp_path):
    with pytest.raises(ProjectError, match="There is no data at .*nowhere"):
        project(tmp_path, rows(60), passages=str(tmp_path / "nowhere"))
    with pytest.raises(ProjectError, match="'~nosuchuser/m' names a home folder that isn't there"):
        base.resolve("~nosuchuser/m", tmp_path)


def test_passages_bring_retrieval_into_the_baselines(tmp_path):
    data = [{"question": f"Where is thing {i}?", "answer": f"place {i}"} for i in range(60)]
    passages = tmp_path / "passages.jsonl"
    files.write_lines(passages, [*({"text": f"thing {i} is in place {i}"} for i in range(60)), {"text": ""}])
    folder = project(tmp_path, data, passages=str(passages), steps=2)
    run(folder, "data", "baseline")
    found = folder.result("baseline")
    assert "retrieval" in found["systems"] and "5.05" in found["parts"]
    assert found["systems"]["retrieval"]["tokens_read"] > found["systems"]["prompt"]["tokens_read"]
    assert found["passages"] == "1 of 61 passages left out: 61 has no text"


def with_system(count: int = 60) -> list[dict]:
    system = {"role": "system", "content": "Say one color. " * 3}
    pairs = [(f"{i} {color} hat", color) for i in range(count // 3) for color in ("RED", "GREEN", "BLUE")]
    return [
        {"messages": [system, {"role": "user", "content": asked}, {"role": "assistant", "content": color}]}
        for asked, color in pairs
    ]


def test_solved_examples_stand_between_the_system_turn_and_the_question(tmp_path):
    folder = project(tmp_path, with_system(), steps=2)
    change(folder, "items = 200", "items = 2")
    change(folder, "max_new_tokens = ", "max_new_tokens = 2  # ")
    run(folder, "data", "baseline")
    found = folder.result("baseline")
    assert set(found["systems"]) == {"majority", "prompt", "few-shot prompt"} and "5.03" in found["parts"]
    test = load(folder.done("data"), "test")
    config, tokenizer = settings.load(folder), Characters()
    asked = baseline.few_shot(config, tokenizer, load(folder.done("data"), "train"), test, Parts(COURSE))
    for conversation, row in zip(asked, test, strict=True):
        assert [turn["role"] for turn in conversation] == ["system", *["user", "assistant"] * 4, "user"]
        assert (conversation[0], conversation[-1]) == (row["messages"][0], row["messages"][1])
    tight = config.model_copy(update={"data": config.data.model_copy(update={"max_length": 30})})
    for conversation in baseline.few_shot(tight, tokenizer, load(folder.done("data"), "train"), test, Parts(COURSE)):
        assert len(conversation) > 2 and len(tokenizer.apply_chat_template(conversation)) <= 30 * 5 + len("<system>")


def test_the_whole_preparation_is_4_10s_where_the_settings_say_so(tmp_path):
    folder = project(tmp_path, rows())
    change(folder, 'pipeline = "steps"\nfractions', 'pipeline = "whole"\nfractions')
    run(folder, "data")
    found = folder.result("data")
    assert "4.10" in found["parts"] and "4.06" not in found["parts"]
    assert sum(found["written"].values()) + found["duplicates"]["count"] + found["leaks"]["count"] == 120


@PEFTS_OWN
def test_the_whole_training_is_3_12s_where_the_settings_say_so(tmp_path):
    folder = project(tmp_path, rows(90))
    change(folder, 'technique = "full"', 'technique = "lora"')
    change(folder, 'pipeline = "steps"\nr = 8', 'pipeline = "whole"\nr = 8')
    run(folder, "data", "train")
    found = folder.result("train")
    assert "3.12" in found["parts"] and "1.07" not in found["parts"] and found["accumulation"] == 1
    curves = list(files.lines(folder.done("train") / "curves.jsonl"))
    assert [row["step"] for row in curves if "loss" in row] == list(range(1, 13)) and found["steps"] == 12
    assert curves[-1]["val_loss"] == found["best_val_loss"]
    assert (folder.done("train") / "model" / "adapter_model.safetensors").is_file()
    files.write(folder.done("train") / "result.json", "{}")
    run(folder, "train")  # as after a kill: from the beginning, to the same losses
    again = list(files.lines(folder.done("train") / "curves.jsonl"))
    assert [{**row, "seconds": 0} for row in again] == [{**row, "seconds": 0} for row in curves]
    run(folder, "baseline", "compare", "export")
    assert folder.result("compare")["verdict"]["sentence"]


def test_the_whole_training_refuses_what_3_12_does_not_know(tmp_path):
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user"}, {"role": "assistant"}]
    data = [
        {"messages": [{**turn, "content": turn.get("content", f"{row['prompt']} {i}")} for i, turn in enumerate(turns)]}
        for row in rows(60)
    ]
    folder = project(tmp_path, data)
    change(folder, 'technique = "full"', 'technique = "lora"')
    change(folder, 'pipeline = "steps"\nr = 8', 'pipeline = "whole"\nr = 8')
    run(folder, "data")
    with pytest.raises(ProjectError, match=r"isn't one question and one answer, .* set train.pipeline = \"steps\"\."):
        run(folder, "train")
    change(folder, 'technique = "lora"', 'technique = "full"')
    with pytest.raises(ProjectError, match=r'train.pipeline = "whole" is 3.12: it needs'):
        settings.load(folder)


@pytest.mark.parametrize("name", shipped.EXAMPLES)
def test_the_projects_that_ship_run_on_a_tiny_model(tmp_path, name):
    """From the data to the verdict in seconds; for real it is `--model smollm2`."""
    folder = files.Folder(tmp_path)
    asked = {"example": name, "model": "tiny", "steps": 2, "data": None, "test": None, "passages": None}
    files.write(tmp_path / "new.json", json.dumps(asked))
    child.run(folder, "new", Parts(COURSE), Heard())
    change(folder, "items = 200", "items = 4")
    change(folder, "shots = 4", "shots = 0")
    change(folder, "max_new_tokens = ", "max_new_tokens = 4  # ")
    run(folder, "data", "baseline", "train", "compare")
    compared = folder.result("compare")
    assert compared["verdict"]["sentence"].startswith("Too few examples to tell")
    assert ("retrieval" in compared["systems"]) == (name == "docs")


# ---------------------------------------------------------------- as typed
def test_a_terminal_shows_a_bar_with_the_time_left(monkeypatch):
    from rich.console import Console

    from tunelings.commands import project as command
    from tunelings.desk import screen

    monkeypatch.setattr(screen, "console", Console(force_terminal=True, width=100, record=True))
    with command.heard() as hear:
        hear({"said": "progress", "done": 0.5, "text": "update 6 of 12, loss 1.234", "left": 61.0})
        hear({"said": "line", "text": "a line that stays"})
        hear({"said": "progress", "done": 0.6, "text": "update 7 of 12, loss 1.1", "left": None})
        time.sleep(0.2)
    shown = screen.console.export_text()
    assert "update 7 of 12, loss 1.1" in shown and "a line that stays" in shown


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["project", "new", "x"], "Pass --data FILE, or --example films or docs."),
        (["project", "new", "x!", "--example", "films"], "'x!' can't be a project's name"),
        (["project", "run", "no-such-project"], "There is no project 'no-such-project'"),
        (
            ["project", "new", "x", "--data", "d.csv", "--head", "tail"],
            "--head must be answer or classifier, not 'tail'.",
        ),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(words, line):
    done = tunelings(*words)
    assert done.returncode == 2 and done.stderr.startswith(line) and done.stderr.count("\n") == 1
