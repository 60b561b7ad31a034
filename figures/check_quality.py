"""How good the checks are: what is kept and run against them, counted for each module. Writes JSON.

python figures/check_quality.py             counts, and the names that wrong answers and leave-one-out get
python figures/check_quality.py --mutants   the mutants too (an hour; what has not changed since is not run again)
python figures/check_quality.py --exercise 1.05   one exercise or more; the others stay as they are counted

The page on verdicts shows the sums; where a figure is missing, it says "not measured".
"""

import argparse
import json
import tempfile
from pathlib import Path

from rich.progress import track

from tunelings.course import MODULES, Course
from tunelings.grading import answers, diagnose, mutate, vectors
from tunelings.grading.code import code_hash

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results" / "check_quality.json"


def kept(tree, exercise):
    return sorted((ROOT / "tests" / "answers" / tree / exercise.module / exercise.name).glob("*.py"))


def names_given(exercise, known):
    """How many of the kept wrong answers get the name in their first line, and how many get another."""
    named = misnamed = 0
    for path in kept("wrong", exercise):
        vector = vectors.vector_of(exercise, answers.read(path), 0)
        first = diagnose.first_failing(vector)
        found = diagnose.name_mistake(vector, known, first) if first else None
        names = {mistake.id for mistake in found.mistakes} if found else set()
        its_own = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# names:").strip()
        named += its_own in names
        misnamed += bool(names) and its_own not in names
    return {"named": named, "misnamed": misnamed}


def mutants_of(exercise, before, run):
    """The mutants and those that survive, kept from the last run while solution and checks are what they were.

    What has changed since is run again, or, without `run`, is not measured: an old figure is not shown for it.
    """
    key = code_hash(exercise)
    if before.get("key") == key:
        return before
    if not run:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        total, alive = mutate.survivors(exercise, Path(folder))
    return {"key": key, "mutants": total, "survivors": len(alive)}


def main():
    options = argparse.ArgumentParser(description="Count what the checks are tested with.")
    options.add_argument("--mutants", action="store_true", help="run the mutants of what has changed")
    options.add_argument("--exercise", action="append", metavar="N.NN", help="only this one, or several")
    chosen = options.parse_args()
    course = Course(ROOT)
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"exercises": {}}
    before = results["exercises"]
    wanted = [course.find(number) for number in chosen.exercise or []] or course.exercises
    for exercise in track(wanted):
        old = before.get(exercise.number, {}).get("mutation", {})
        known = vectors.MistakeVectors(exercise, 0).all()
        results["exercises"][exercise.number] = {
            "module": exercise.module,
            "checks": len(exercise.check_names()),
            "mistakes": len(exercise.card.mistakes),
            "forms": sum(len(mistake.forms) for mistake in exercise.card.mistakes),
            "variants": len(kept("right", exercise)),
            "wrong": len(kept("wrong", exercise)),
            **names_given(exercise, known),
            "leave_one_out": len(diagnose.leave_one_out(known)),
            "mutation": mutants_of(exercise, old, chosen.mutants),
        }
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for module in MODULES:
        entries = [entry for entry in results["exercises"].values() if entry["module"] == module]
        print(
            module, {name: sum(entry[name] for entry in entries) for name in ("checks", "mistakes", "forms", "wrong")}
        )


if __name__ == "__main__":
    main()
