"""A class that was made up: what the report says of it is what is true of it."""

from __future__ import annotations

import ast
import json
import math
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import COURSE
from tests.support.gates import a_check_that_fails, kept_answers
from tunelings.classroom import draft, measures, synthetic
from tunelings.classroom.table import Table
from tunelings.commands import app, scaffold
from tunelings.course import Course, CourseError
from tunelings.grading import answers

EXERCISES = COURSE.module("module01")
each = pytest.mark.parametrize("chosen", EXERCISES, ids=lambda e: e.number)


@pytest.fixture(scope="module")
def truth() -> synthetic.Truth:
    return synthetic.make(EXERCISES, students=300, seed=0)


@pytest.fixture(scope="module")
def items(truth: synthetic.Truth) -> dict[str, measures.Item]:
    table = Table(synthetic.records(truth, EXERCISES))
    return {item.exercise: item for item in measures.items(table, {}, {})}


def answers_to(truth: synthetic.Truth, number: str) -> list[synthetic.Answer]:
    return [answer for student in truth.students for answer in student.answers if answer.exercise == number]


def test_the_same_seed_makes_the_same_class_and_another_another(truth: synthetic.Truth):
    assert synthetic.make(EXERCISES, students=300, seed=0) == truth
    assert synthetic.make(EXERCISES, students=300, seed=1) != truth


@each
def test_what_is_counted_is_what_was_made(chosen, truth, items):
    """Counted anew from the truth, with none of the report's code."""
    given, found = answers_to(truth, chosen.number), items[chosen.number]
    kinds = Counter(answer.kind for answer in given)
    assert found.passed == kinds["right"] and found.started == 300 - kinds["stub"] - kinds["missing"]
    assert found.unknown == kinds["unlisted"]
    named = Counter(answer.name for answer in given if answer.kind == "mistake")
    assert {one.id: one.count for one in found.mistakes} == named
    unknown = Counter(answer.name for answer in given if answer.kind == "unlisted")
    ran = [cluster.count for cluster in found.clusters if not cluster.does_not_load]
    assert sorted(ran) == sorted(unknown.values())
    unloaded = [cluster.count for cluster in found.clusters if cluster.does_not_load]
    assert unloaded == [kinds["broken"]] * bool(kinds["broken"]), "they fail with one error"


@each
def test_discrimination_is_that_of_the_truth(chosen, truth, items):
    """(M1 - M0) / s · √(p q) of those who began, with the passes of all other exercises as the score."""
    good, bad = [], []
    for student in truth.students:
        (own,) = (answer for answer in student.answers if answer.exercise == chosen.number)
        rest = sum(a.kind == "right" for a in student.answers if a.exercise != chosen.number)
        if own.kind not in {"stub", "missing"}:
            (good if own.kind == "right" else bad).append(rest)
    n, p = len(good) + len(bad), len(good) / (len(good) + len(bad))
    mean = sum(good + bad) / n
    deviation = math.sqrt(sum((x - mean) ** 2 for x in good + bad) / n)
    expected = (sum(good) / len(good) - sum(bad) / len(bad)) / deviation * math.sqrt(p * (1 - p))
    assert items[chosen.number].discrimination == pytest.approx(expected)
    assert 0.2 < expected < 0.7, "the class was made of one ability, so each exercise tells it"


def test_easier_exercises_are_passed_more_and_abler_students_pass_more(truth: synthetic.Truth, items):
    shares = [items[exercise.number].share for exercise in EXERCISES]
    assert shares[0] > shares[4] > shares[-1]
    by_ability = sorted(truth.students, key=lambda student: student.ability)
    passes = [sum(answer.kind == "right" for answer in student.answers) for student in by_ability]
    assert sum(passes[:100]) < sum(passes[100:200]) < sum(passes[200:])


def test_a_class_is_written_as_folders_with_its_truth(tmp_path: Path):
    few = synthetic.make(EXERCISES[:3], students=12, seed=2)
    synthetic.write(few, COURSE, tmp_path / "class")
    folders = sorted((tmp_path / "class/submissions").iterdir())
    assert [folder.name for folder in folders] == [student.name for student in few.students]
    for student in few.students:
        for answer, exercise in zip(student.answers, EXERCISES, strict=False):
            path = tmp_path / "class/submissions" / student.name / exercise.relative_path
            assert path.exists() == (answer.kind != "missing")
    read = json.loads((tmp_path / "class/truth.json").read_text("utf-8"))
    assert read["students"][3]["answers"][1] == vars(few.students[3].answers[1])
    with pytest.raises(CourseError, match="is there already"):
        synthetic.write(few, COURSE, tmp_path / "class")


def test_a_class_can_be_made_up_over_a_list_as_it_is_graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(COURSE.root)
    words = ["dev", "class", str(tmp_path / "class"), "--students", "2", "--only", "1.02,module02"]
    app.app(words, standalone_mode=False)
    chosen = ["1.02", *(exercise.number for exercise in COURSE.module("module02"))]
    truth = json.loads((tmp_path / "class/truth.json").read_text("utf-8"))
    assert [answer["exercise"] for answer in truth["students"][0]["answers"]] == chosen


def test_an_answer_says_nothing_of_what_it_is():
    exercise = EXERCISES[4]
    made = [a for kind in synthetic._choices(exercise).values() for a in kind]
    texts = [synthetic.text_of(answer, exercise) for answer in made]
    assert len(texts) > 30 and not [t for t in texts if "# names:" in t or "# breaks:" in t or "BEGIN SOLUTION" in t]


def test_what_is_made_passes_or_fails_as_it_should(tmp_path: Path):
    exercise = EXERCISES[4]
    choices = synthetic._choices(exercise)
    for kind, should_pass in (("right", True), ("mistake", False), ("unlisted", False)):
        for answer in choices[kind][:1]:
            path = exercise.solution_path.with_name(f"{exercise.name}-{kind}-{answer.name}.py")
            source = answers.Source(path, synthetic.text_of(answer, exercise) or "")
            assert (a_check_that_fails(exercise, source, 0, tmp_path) is None) == should_pass, answer


def test_without_a_clone_it_says_so(course_copy: Course):
    with pytest.raises(CourseError, match="a class is made up in a clone"):
        synthetic.make(course_copy.exercises[:1])


# ---------------------------------------------------------------- from a cluster to a card
def results(folder: Path, exercise, text: str, **said) -> Path:
    cluster = {"id": "1.05-abc123", "count": 9, "sentence": "old gradients", "what": "the weight", "got": "2.0",
               "message": "", **said}  # fmt: skip
    (folder / "clusters").mkdir(parents=True)
    (folder / "clusters" / "1.05-abc123.py").write_text(text, encoding="utf-8")
    report = {"items": [{"exercise": exercise.number, "clusters": [cluster]}]}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def bodies(text: str) -> dict[str, str]:
    """Each function and method with the names of its arguments and what it does, docstring and types aside."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            found[node.name] = f"{[arg.arg for arg in node.args.args]} {ast.dump(ast.Module(body, []))}"
    return found


@pytest.mark.parametrize("chosen", EXERCISES[:8], ids=lambda e: e.number)
def test_a_draft_makes_of_the_solution_what_was_handed_in(chosen):
    """For every kept wrong answer, though most are written from scratch."""
    solution = chosen.solution_path.read_text(encoding="utf-8")
    for path in kept_answers("wrong", chosen):
        answer = draft.without_comments(path.read_text(encoding="utf-8"))
        text = solution
        for old, new in draft.edits(solution, answer):
            assert solution.count(old) == 1
            text = text.replace(old, new)
        assert bodies(text) == bodies(answer), path


def test_a_docstring_or_a_type_that_is_left_out_is_no_mistake():
    """As in an answer that is written from scratch; only the line that matters is in the draft."""
    solution = EXERCISES[4].solution_path.read_text(encoding="utf-8")
    answer = (
        "def training_step(model, batch, loss_fn, optimizer):\n    inputs, targets = batch\n    model.train()\n"
        "    loss = loss_fn(model(inputs), targets)\n    loss.backward()\n    optimizer.step()\n"
        "    return loss.item()\n"
    )
    assert draft.edits(solution, answer) == (("    optimizer.zero_grad()\n", ""),)


def test_a_small_change_is_a_small_edit():
    exercise = EXERCISES[4]
    solution = exercise.solution_path.read_text(encoding="utf-8")
    answer = solution.replace("    optimizer.zero_grad()\n", "").replace("return loss.item()", "return 2 * loss.item()")
    form = draft.edits(solution, draft.without_comments(answer))
    assert form == (("    optimizer.zero_grad()\n", ""), ("    return loss.item()\n", "    return 2 * loss.item()\n"))


def test_a_draft_goes_into_the_card_and_the_kept_answers(course_copy: Course, tmp_path: Path):
    exercise = course_copy.find("1.05")
    text = synthetic.text_of(synthetic.Answer("1.05", "mistake", "no-step"), EXERCISES[4]) or ""
    out = results(tmp_path / "out", exercise, f"# Ann Lee, 4711\n{text}")
    before = exercise.card_path.read_text("utf-8")
    made = draft.draft(course_copy, out, "1.05-abc123")
    card, kept = draft.write(made, None)
    after = card.read_text("utf-8")
    assert card == exercise.card_path and after.startswith(before.rstrip())
    mistake = Course(course_copy.root).find("1.05").card.mistakes[-1]
    assert mistake.id == "unnamed-abc123" and mistake.forms == ((("    optimizer.step()\n", ""),),)
    assert draft.LEFT == scaffold.LEFT and "9 of a class fail at: old gradients: the weight 2.0" in after
    lines = kept.read_text("utf-8").splitlines()
    assert lines[0] == "# names: unnamed-abc123" and "Ann Lee" not in kept.read_text("utf-8")
    assert len(scaffold.places_left(exercise)) == 4, "what is to be said is marked: comment, says, breaks, quote"
    with pytest.raises(CourseError, match="exists already; nothing was written"):
        draft.write(made, None)
    kept.unlink()
    with pytest.raises(CourseError, match="has a mistake unnamed-abc123 already"):
        draft.write(made, None)
    assert not kept.exists() and card.read_text("utf-8") == after


def test_a_draft_can_go_into_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    text = synthetic.text_of(synthetic.Answer("1.05", "mistake", "no-step"), EXERCISES[4]) or ""
    out = results(tmp_path / "out", EXERCISES[4], text)
    command = ["tunelings", "dev", "mistake", str(out), "1.05-abc123", "--to", str(tmp_path / "to")]
    monkeypatch.setattr(sys, "argv", command)
    before = EXERCISES[4].card_path.read_text("utf-8")
    for code, said in ((0, "Next: say what goes wrong where it says TODO(new)"), (2, "nothing was written")):
        with pytest.raises(SystemExit) as ended:
            app.run()
        assert ended.value.code == code and said in "".join(capsys.readouterr())
    assert (tmp_path / "to/checks/module01/ex05_training_step.toml").read_text("utf-8").startswith("# TODO(new): 9 of")
    assert EXERCISES[4].card_path.read_text("utf-8") == before


@pytest.mark.parametrize(
    ("text", "cluster", "said"),
    [
        ("x = 1\n", "1.05-zzz", "There is no cluster '1.05-zzz'"),
        ("def f(:\n", "1.05-abc123", "isn't valid Python"),
        (EXERCISES[4].solution_path.read_text("utf-8"), "1.05-abc123", "differs from the reference only in layout"),
    ],
)
def test_what_cannot_be_drafted_is_one_line(tmp_path: Path, text: str, cluster: str, said: str):
    with pytest.raises(CourseError, match=said):
        draft.draft(COURSE, results(tmp_path / "out", EXERCISES[4], text), cluster)
    with pytest.raises(CourseError, match="give the folder that `tunelings grade` wrote"):
        draft.draft(COURSE, tmp_path, cluster)
