"""The pages' sources: their numbers come from the result files, and a fault in one is one clear line.

One page: `pytest tests/test_lessons.py -k module03/merge-weights`.
"""

from __future__ import annotations

import json
import math
import re
import runpy
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from mkdocs.exceptions import BuildError

from tests.conftest import COURSE, ROOT
from tests.support.gates import broken, lines
from tests.support.typed_numbers import results_of, typed_numbers
from tunelings import lessons
from tunelings.course import CourseError

RESULTS = ROOT / "figures" / "results"
PAGES = sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))
NUMBERED_LINK = re.compile(r"\[(\d\.\d\d)\]\(([^)#]+\.md)[^)]*\)")
# Numbers that equal a result by accident or by definition: page -> the number as it is typed -> the reason.
ALLOWED = tomllib.loads((ROOT / "tests" / "typed_numbers.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_no_measured_number_is_typed(page: str):
    source = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = typed_numbers(source, results_of(page, source, RESULTS))
    allowed = ALLOWED.get(page, {})
    typed = [str(one) for one in found if one.text not in allowed]
    assert not typed, broken(
        "A measured number must come from figures/results/ (docs/contributing.md, A measured number).",
        lines(typed),
        ROOT / "docs" / page,
        "put the expression in its place; list an accident in tests/typed_numbers.toml, with the reason",
    )
    unneeded = sorted(set(allowed) - {one.text for one in found})
    assert not unneeded, broken(
        "Every number in tests/typed_numbers.toml must be needed by its page.",
        unneeded,
        ROOT / "tests" / "typed_numbers.toml",
        f'remove it from ["{page}"]',
    )


def test_the_number_of_a_link_is_that_of_its_lesson():
    wrong = []
    for page in PAGES:
        path = ROOT / "docs" / page
        for number, target in NUMBERED_LINK.findall(path.read_text(encoding="utf-8")):
            if (path.parent / target).resolve() != COURSE.find(number).lesson_path.resolve():
                wrong.append(f"{page}: [{number}]({target})")
    assert wrong == []


def test_every_number_that_may_be_typed_has_its_page_and_a_reason():
    assert set(ALLOWED) <= set(PAGES)
    assert all(len(reason.split()) >= 3 for numbers in ALLOWED.values() for reason in numbers.values())


@pytest.mark.parametrize(
    ("source", "value", "typed"),
    [
        ("The loss is 0.343.", 0.34267, "0.343"),
        ("It falls by 0.34, and", -0.343, "0.34"),
        ("| 0.1 | 2.6e-07 |", 2.6e-7, "2.6e-07"),
        ("| a | 5.4e-7 |", 5.4e-07, "5.4e-7"),
        ("| a | −0.084 to x |", -0.084, "0.084"),
        ("a share of 17 % is off", 0.173, "17 %"),
        ("a share of 17.3% is off", 0.173, "17.3%"),
        ("0.062 % of it", 0.062, "0.062 %"),
        ("ahead by 1.9 points", 0.0191, "1.9 points"),
        ("| reviews | 3.9 |", 0.0391, "3.9"),
        ("4,194,304 numbers", 4_194_304, "4,194,304"),
        ("2375 steps", 2375, "2375"),
        ("4.2 million numbers", 4_194_304, "4.2 million"),
        ("codes of 8.39 MB", 8_388_608, "8.39 MB"),
        ("in 12.0 ms", 0.01196, "12.0 ms"),
        ("0.945 ± 0.006 of", 0.0058, "0.006"),
        ("![Bars, the highest\n  at 0.856.](evaluate.svg)", 0.8563, "0.856"),
        ("between 0.80–0.91", 0.8, "0.80"),
        ("{{ measured.a }} and 0.78", 0.78, "0.78"),
        ("It costs $5, then 0.78 more, then $6.", 0.78, "0.78"),
        ("a stray ` here\n\nand 0.78, ` there", 0.78, "0.78"),
    ],
)
def test_a_typed_result_is_found(source: str, value: float, typed: str):
    (found,) = typed_numbers(source, {"measured.one": value, "measured.two": 123456.789})
    assert (found.text, found.results) == (typed, ("measured.one",))
    assert str(found).startswith(f"line {source[: source.index(typed)].count(chr(10)) + 1}: ")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("The loss is 0.344.", 0.34267),
        ("17 % is off", 0.18),
        ("a value of 17.3 is off", 0.173),
        ("{{ measured.a | number('.3f') }} {% if 0.78 %} {# 0.78 #}", 0.78),
        ("```\nloss 0.343\n```", 0.343),
        ("`loss 0.343` and ``0.343``", 0.343),
        ("$x = 0.343$ and $$\nx = 0.343\n$$", 0.343),
        ("### 0.343 or 3.12", 0.343),
        ("[a link](https://there.org/0.343) and https://there.org/0.343", 0.343),
        ("<!-- 0.343 -->", 0.343),
        ("[3.12 Generate](x.md), exercise 3.12, lesson 3.12", 3.12),
        ("version 2.6.1 and v2.61 and 2.61x and x2.61", 2.61),
        # The limits that docs/contributing.md names.
        ("a card of 14 GB", 14.03),
        ("a perplexity of 91", 91.263),
        ("3 % of it, or 3 points", 0.031),
        ("ninety-one, twice 45.6", 91.2),
        ("16 bits, 3,000 reviews, 90 %, a half or 0.5, 2.0 and a rate of 0.001", 16),
        ("16 bits, 3,000 reviews, 90 %, a half or 0.5, 2.0 and a rate of 0.001", 3000),
        ("16 bits, 3,000 reviews, 90 %, a half or 0.5, 2.0 and a rate of 0.001", 0.9),
        ("16 bits, 3,000 reviews, 90 %, a half or 0.5, 2.0 and a rate of 0.001", 0.5),
        ("16 bits, 3,000 reviews, 90 %, a half or 0.5, 2.0 and a rate of 0.001", 2.0),
        ("16 bits, 3,000 reviews, 90 %, a half or 0.5, 2.0 and a rate of 0.001", 0.001),
    ],
)
def test_other_numbers_are_not_reported(source: str, value: float):
    assert typed_numbers(source, {"measured.one": value}) == []


def test_a_page_is_compared_with_the_results_of_every_script_that_it_names(tmp_path: Path):
    for name in ("module01_a_page", "module01_other", "module02_third", "module02_fourth"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"x": [{"a b": 1.25}], "ok": True, "no": "1"}))
    source = "{{ measured_by('module01_other').x }} `python figures/module02_third.py`"
    assert results_of("module01/a-page.md", source, tmp_path) == {
        'measured.x[0]["a b"]': 1.25,
        'measured_by("module02_third").x[0]["a b"]': 1.25,
        'measured_by("module01_other").x[0]["a b"]': 1.25,
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    own = {"loss": [0.12345], "update 0.1 times": {"float32": 2.6e-7}, "n": 12_345, "name": "Llama", "ok": True}
    (tmp_path / "module01_a_page.json").write_text(json.dumps({**own, "none": None, "items": 3}), encoding="utf-8")
    (tmp_path / "module02_other.json").write_text("[[1, 2]]", encoding="utf-8")
    (tmp_path / "module02_broken.json").write_text("{", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{ measured.loss[0] | number(".2f") }} of {{ measured.n | number(",") }}', "0.12 of 12,345"),
        ('{{ measured["update 0.1 times"]["float32"] | number(".1e") }}', "2.6e-07"),
        ('{{ measured_by("module02_other")[0][1] }}', "2"),
        ('{{ measured["items"] }} {{ measured.name }}', "3 Llama"),
        ('{{ (100 * measured.loss[0]) | number(".0f") }} %', "12 %"),
        ("| a |\n|---|\n{% for n in [1, 2] %}\n| {{ n }} |\n{% endfor %}\nend\n", "| a |\n|---|\n| 1 |\n| 2 |\nend\n"),
        ('`{% raw %}{% generation %} {{ x }}{% endraw %}` <b> & "x"\n', '`{% generation %} {{ x }}` <b> & "x"\n'),
        ("no expression, $\\frac{a}{b}$\n\n", "no expression, $\\frac{a}{b}$\n\n"),
    ],
)
def test_an_expression_is_replaced_by_its_result(results: Path, source: str, text: str):
    assert lessons.render(source, "module01/a-page.md", results) == text


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("{{ measured.nothing }}", "no key 'nothing'; there are 'loss', 'update 0.1 times', 'n'"),
        ('{{ measured["nothing"] | number(".2f") }}', "no key 'nothing'"),
        ("{{ measured.loss[3] }}", "no entry 3 in a list of 1"),
        ("{% for x in measured.nothing %}{% endfor %}", "no key 'nothing'"),
        ("{% if measured.nothing %}{% endif %}", "no key 'nothing'"),
        ('{{ measured.nothing | default("") }}', "No filter named 'default'"),
        ("{{ measured.nothing | join }}", "no key 'nothing'"),
        ("{{ measured.nothing ~ 1 }}", "no key 'nothing'"),
        ("{{ 1 if measured.n < 0 }}", "an if in an expression needs its else"),
        ("{{ [measured.nothing] }}", "neither a number nor text"),
        ("{{ measurd.loss }}", "'measurd' is undefined"),
        ('{{ measured_by("module02_nobody").x }}', "there is no figures/results/module02_nobody.json"),
        ('{{ measured_by("module02_broken").x }}', "figures/results/module02_broken.json cannot be read as JSON"),
        ("{{ measured.loss | }}", "expected"),
        ('{{ measured.n | number("%d") }}', "Invalid format specifier"),
        ('{{ measured.name | number(".2f") }}', "number('.2f') wants a number, not 'Llama'"),
        ('{{ measured.ok | number(".2f") }}', "number('.2f') wants a number, not True"),
        ('{{ measured.none | number(".2f") }}', "number('.2f') wants a number, not None"),
        ("{{ measured.none }}", "neither a number nor text: None"),
        ("{{ measured.ok }}", "neither a number nor text: True"),
        ("{{ measured.loss }}", "neither a number nor text: [0.12345]"),
        ("{{ measured.items }}", "neither a number nor text: <built-in method"),
        ("{{ measured.n / 0 }}", "division by zero"),
    ],
)
def test_a_wrong_expression_is_one_line_with_page_line_and_expression(results: Path, expression: str, says: str):
    with pytest.raises(CourseError) as raised:
        lessons.render(f"A page,\n\nwith {{{{ measured.n }}}}: {expression}\nand more.", "module01/a-page.md", results)
    line = str(raised.value)
    assert line.startswith("docs/module01/a-page.md, line 3: ") and "\n" not in line
    assert expression.partition("%}")[0] in line and says in line


def test_a_loop_without_its_end_is_one_line(results: Path):
    with pytest.raises(CourseError, match=r"^docs/decide\.md, line 2: .*endfor.*\Z"):
        lessons.render("{% for x in [1] %}\n{{ x }}", "decide.md", results)


def test_of_several_expressions_in_a_line_the_wrong_one_is_named(results: Path):
    with pytest.raises(CourseError) as raised:
        lessons.render("| {{ measured.n }} | {{ measured.nothing }} |", "module01/a-page.md", results)
    assert "line 1: {{ measured.nothing }}: no key" in str(raised.value)


def test_a_page_without_a_script_of_its_own_says_so_when_it_asks_for_its_results(results: Path):
    assert lessons.render("nothing measured", "decide.md", results) == "nothing measured"
    with pytest.raises(CourseError, match="line 1: .* there is no figures/results/decide.json"):
        lessons.render("{{ measured.x }}", "decide.md", results)


def test_a_page_that_cannot_be_rendered_stops_the_build_with_that_line():
    hooks = runpy.run_path(str(ROOT / "docs" / "hooks.py"))
    file = SimpleNamespace(content_string="{{ measured.nothing }}", src_uri="module03/merge-weights.md")
    with pytest.raises(
        BuildError, match=r"^docs/module03/merge-weights.md, line 1: \{\{ measured.nothing \}\}: no key"
    ):
        hooks["on_page_read_source"](page=SimpleNamespace(file=file), config=None)


def test_every_result_is_a_number_that_can_be_shown():
    for path in RESULTS.glob("*.json"):
        page = path.stem.replace("_", "/", 1).replace("_", "-") + ".md"
        assert all(math.isfinite(value) for value in results_of(page, "", RESULTS).values()), path


def test_a_page_takes_as_long_as_its_words_and_its_blocks():
    word, block = (
        "word ",
        '```python title="run"\nprint("twenty words are not prose")\n```\n\n```text title="output"\na b c\n```\n\n',
    )
    assert lessons.minutes_of(word * 1000) == 5
    assert lessons.minutes_of(f"{word * 1000}\n\n{block * 2}") == 8
    unread = "{% set a = 1 %} {{ measured.b }} {# why #} $x y$ $$ a = b $$ <!-- exercise -->"
    assert lessons.minutes_of(f"{word * 1000}\n{unread * 300}") == 5
    assert lessons.minutes_of("") == 1
    assert (
        lessons.render(f"{{{{ minutes }}}} minutes. {word * 998}", "module09/any.md", ROOT)
        == f"5 minutes. {word * 998}"
    )
