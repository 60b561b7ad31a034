"""1.09: a run that is saved, forgotten and resumed, compared bit for bit with one that was never stopped.

Every comparison with the uninterrupted run is exact (`terms=0`): the same operations on the same bits.

Long: two functions, and the runs, crashes and damaged files that show what they promise.
"""

import contextlib
import copyreg
import os
import pickle
import sys
import tempfile

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau

from tunelings import expect
from tunelings.handson.awkward import models
from tunelings.inputs import randint, randn, seed

SAVED, END = 5, 9
PARTS = ("model", "optimizer", "scheduler")
REFUSED = "an error with the file's name"

# Pickling an object writes `__slotnames__` into its class. Done here once, so that no answer is blamed for it.
for kind in (nn.Parameter, nn.Sequential, nn.Linear, nn.BatchNorm1d, nn.Tanh, nn.Dropout):
    copyreg._slotnames(kind)
for kind in (torch.optim.AdamW, torch.optim.SGD, CosineAnnealingLR, ReduceLROnPlateau):
    copyreg._slotnames(kind)


def new_run(offset):
    """A model with BatchNorm and Dropout, an optimizer with moments and two groups, a schedule."""
    torch.manual_seed(seed(offset))
    body = [nn.Linear(5, 7), nn.BatchNorm1d(7, momentum=0.3), nn.Tanh(), nn.Dropout(0.3)]
    model = nn.Sequential(*body, nn.Linear(7, 2)).double()
    groups = [
        {"params": model[:4].parameters(), "lr": 0.05},
        {"params": model[4].parameters(), "lr": 0.02, "weight_decay": 0.3},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.7, 0.93), eps=1e-2)
    return model, optimizer, CosineAnnealingLR(optimizer, T_max=17, eta_min=1e-3)


def train(run, start, stop):
    """Steps `start` to `stop - 1`, each on its own batch of 6; the learning rates that they used."""
    model, optimizer, scheduler = run
    rates = []
    for step in range(start, stop):
        rates += learning_rates(optimizer)
        loss = ((model(randn(6, 5, offset=100 + step)) - randn(6, 2, offset=200 + step)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return rates


def uninterrupted(stop):
    """A run of `stop` steps in which nothing is saved."""
    run = new_run(offset=1)
    return run, train(run, 0, stop)


def save(answer, path, run, step):
    """Save, and look that the file stands under its name."""
    with expect.untouched("the run that is saved", dict(zip(PARTS, run, strict=True))):
        answer.save_checkpoint(path, *run, step)
    there = sorted(os.listdir(os.path.dirname(path) or "."))
    expect.true(os.path.isfile(path), "the files in the folder after saving", actual=there, expected=path)


def resumed(answer, tmp_path):
    """A run that was saved at step 5 and loaded into freshly built objects; nothing is trained after it."""
    path = tmp_path / "run.pt"
    run, _ = uninterrupted(SAVED)
    save(answer, path, run, SAVED)
    fresh = new_run(offset=2)  # Seeds torch anew, as another process would.
    answer.load_checkpoint(path, *fresh)
    return fresh


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def learning_rates(optimizer):
    return [float(group["lr"]) for group in optimizer.param_groups]


def size_of_moments(optimizer):
    """The sum of all |first moments|; 0 where there are none."""
    return sum(float(state["exp_avg"].abs().sum()) for state in optimizer.state.values() if "exp_avg" in state)


def next_draws():
    """What torch draws next, without drawing it."""
    with torch.random.fork_rng(devices=[]):
        return torch.cat([torch.rand(2), torch.randn(2), torch.randperm(50)[:2].float()])


def attempt(answer, path, run):
    """The step that loading gives, or in words what it raises."""
    try:
        return answer.load_checkpoint(path, *run)
    except NotImplementedError:
        raise
    except (ValueError, FileNotFoundError) as error:
        named = os.path.basename(path) in str(error)
        return REFUSED if named else f"{type(error).__name__} without the file's name"
    except Exception as error:
        return f"{type(error).__name__} is raised"


def test_resumed_training_equals_uninterrupted_training(answer, tmp_path):
    before, _ = uninterrupted(SAVED)
    expect.note("saved_draws", next_draws())
    expect.note("saved_moments", size_of_moments(before[1]))
    whole, _ = uninterrupted(END)
    run = resumed(answer, tmp_path)
    expect.note("draws", next_draws())
    expect.note("moments", size_of_moments(run[1]))
    expect.note("modes", [int(module.training) for module in run[0].modules()])
    expect.note("rates", train(run, SAVED, END))
    expect.note("whole_rates", uninterrupted(END)[1][2 * SAVED :])
    expect.close(weights(run[0]), weights(whole[0]), what="the weights four steps after resuming", terms=0)


def test_the_buffers_of_batch_norm_come_back(answer, tmp_path):
    (whole, *_), _ = uninterrupted(SAVED)
    model, *_ = resumed(answer, tmp_path)
    expect.close(model[1].running_mean, whole[1].running_mean, what="BatchNorm's running mean", terms=0)
    expect.close(model[1].running_var, whole[1].running_var, what="BatchNorm's running variance", terms=0)
    expect.equal(int(model[1].num_batches_tracked), SAVED, what="the batches that BatchNorm has counted")
    x = randn(4, 5, offset=3)
    whole.eval()
    model.eval()
    with torch.no_grad():
        expect.close(model(x), whole(x), what="the output in eval mode after loading", terms=0)


def test_the_step_comes_back_from_a_text_path_and_from_a_path(answer, tmp_path):
    (tmp_path / "moved").mkdir()
    for step in (SAVED, 0, 1_234_567):
        for kind in (type(tmp_path), str):
            path, moved = kind(tmp_path / f"v2.step-{step}"), kind(tmp_path / "moved" / f"v3.step-{step}")
            save(answer, path, new_run(offset=1), step)
            os.replace(path, moved)
            loaded = answer.load_checkpoint(moved, *new_run(offset=2))
            expect.equal(loaded, step, what=f"what load_checkpoint returns for step {step}")
            expect.kind(loaded, int, what=f"what load_checkpoint returns for step {step}")


def test_a_path_may_be_a_bare_name_in_the_current_folder(answer, tmp_path):
    with contextlib.chdir(tmp_path):
        save(answer, "run.pt", new_run(offset=1), SAVED)
        loaded = [attempt(answer, "run.pt", new_run(offset=2)) for _ in range(2)]
    what = 'what load_checkpoint returns, twice, for "run.pt" in the current folder'
    expect.equal(loaded, [SAVED] * 2, what=what)


def test_the_random_numbers_go_on_where_they_were(answer, tmp_path):
    uninterrupted(SAVED)
    draws = next_draws()
    resumed(answer, tmp_path)
    expect.close(next_draws(), draws, what="the numbers that torch draws after loading", terms=0)


class Unsaveable:
    """An object at which every serializer stops, as at a full disk; `look` is called at that moment."""

    def __init__(self, look):
        self.look = look

    def __reduce_ex__(self, protocol):
        self.look()
        raise OSError("no space left on device")


class WithExtraState(nn.Sequential):
    """A model whose `state_dict()` holds one object more."""

    extra = None

    def get_extra_state(self):
        return self.extra


def with_object(run, thing):
    """The same run with `thing` in the states of its model, its optimizer and its scheduler."""
    model, optimizer, scheduler = run
    model = WithExtraState(*model)
    model.extra = optimizer.param_groups[0]["extra"] = scheduler.extra = thing
    return model, optimizer, scheduler


def file_now(path, good):
    """What is at the path, where `good` are the bytes of the last good checkpoint."""
    if not path.exists():
        return "no file"
    return "the last good checkpoint" if path.read_bytes() == good else "a broken file"


@contextlib.contextmanager
def at_each_rename(look):
    """Call `look` whenever a file is about to get a new name, by whatever way Python comes to it."""
    before = sys.getprofile()

    def profile(frame, event, function):
        if event == "c_call" and any(function is one for one in (os.replace, os.rename, os.link)):
            look()

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def temporary_names(answer, path):
    """The names beside `path` whenever a file there gets a new one, in a save at step 6."""
    path.parent.mkdir()
    seen = set()
    with at_each_rename(lambda: seen.update(os.listdir(path.parent))):
        save(answer, path, new_run(offset=1), SAVED + 1)
    return seen - {path.name}


def test_a_save_that_crashes_half_way_leaves_the_last_good_checkpoint(answer, tmp_path):
    temporary = temporary_names(answer, tmp_path / "first" / "run.pt")
    expect.note("one_name_for_all", bool(temporary & temporary_names(answer, tmp_path / "second" / "walk.ckpt")))
    cases = {"run.pt": "run.pt", "run.tmp": "run.tmp", "run": "run"}
    cases |= {name: "a path with the name of the answer's temporary file" for name in sorted(temporary - cases.keys())}
    for name, shown in cases.items():
        path, (run, _) = tmp_path / name, uninterrupted(SAVED)
        expect.case(path=name)
        save(answer, path, run, SAVED)
        good = path.read_bytes()
        seen = []
        failing = with_object(run, Unsaveable(lambda p=path, g=good, s=seen: s.append(file_now(p, g))))
        try:
            answer.save_checkpoint(path, *failing, SAVED + 1)
            result = "no error"
        except NotImplementedError:
            raise
        except Exception:
            result = "an error"
        what = f"what is at {shown} while the new file is half written"
        expect.equal(seen[-1] if seen else file_now(path, good), "the last good checkpoint", what=what)
        loaded = attempt(answer, path, new_run(offset=2))
        expect.equal(loaded, SAVED, what=f"the step that {shown} holds after a save that failed halfway")
        expect.equal(result, "an error", what="what comes out of a save that failed halfway")


def test_the_last_good_checkpoint_stands_until_the_new_one_takes_its_name(answer, tmp_path):
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "checkpoints.v1" / "run.pt"
    elsewhere.mkdir()
    path.parent.mkdir()
    run, _ = uninterrupted(SAVED)
    save(answer, path, run, SAVED)
    good, seen, other_folder = path.read_bytes(), [], []

    def look():
        seen.append(file_now(path, good))
        above = [name for name in os.listdir(tmp_path) if name not in (elsewhere.name, path.parent.name)]
        other_folder.extend(sorted(os.listdir(elsewhere) + above))

    default, tempfile.tempdir = tempfile.tempdir, str(elsewhere)  # Where tempfile puts what is given no folder.
    try:
        with contextlib.chdir(elsewhere), at_each_rename(look):
            save(answer, path, run, END)
    finally:
        tempfile.tempdir = default
    without = [state for state in seen if state != "the last good checkpoint"]
    expect.equal(without, [], what="what is at the path before a rename, if not the last good checkpoint")
    expect.equal(other_folder[:1], [], what="files written to another folder than the path's")


def test_the_old_file_is_replaced_and_never_written_into(answer, tmp_path):
    path, second_name = tmp_path / "run.pt", tmp_path / "old.pt"
    run, _ = uninterrupted(SAVED)
    save(answer, path, run, SAVED)
    try:
        os.link(path, second_name)
    except OSError:
        return  # A file system without hard links: here it cannot be seen.
    train(run, SAVED, END)
    save(answer, path, run, END)
    steps = [attempt(answer, name, new_run(offset=2)) for name in (second_name, path)]
    # The second name (a hard link) keeps the old file: a write into it shows there too.
    expect.equal(steps, [SAVED, END], what="the steps in the old file, kept by a hard link, and in the new")


class Hostile:
    """Makes a folder where it is unpickled; another could run any command."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


def test_nothing_in_the_file_is_executed(answer, tmp_path):
    marks = [tmp_path / f"executed-{number}" for number in range(3)]
    files = [tmp_path / name for name in ("pickle.pt", "torch.pt", "own.pt")]
    files[0].write_bytes(pickle.dumps({"model": Hostile(marks[0]), "step": 3}, protocol=2))
    torch.save({"model": Hostile(marks[1]), "step": 3}, files[1])
    try:  # The third is a file of the answer's own form with such an object in it, if it writes one.
        answer.save_checkpoint(files[2], *with_object(new_run(offset=1), Hostile(marks[2])), 3)
    except NotImplementedError:
        raise
    except Exception:
        files[2].write_bytes(b"")
    if marks[2].exists():
        marks[2].rmdir()
    for file in files:
        attempt(answer, file, with_object(new_run(offset=2), None))
    executed = [int(mark.exists()) for mark in marks]
    expect.equal(executed, [0, 0, 0], what="calls made by loading a pickle, a torch file and the answer's own file")


def test_a_missing_or_foreign_file_is_refused_by_its_name(answer, tmp_path):
    save(answer, tmp_path / "good.pt", new_run(offset=1), SAVED)
    whole = (tmp_path / "good.pt").read_bytes()
    torch.save(new_run(offset=1)[0].state_dict(), tmp_path / "weights-alone.pt")
    torch.save(randn(3, offset=4), tmp_path / "one-tensor.pt")
    torch.save(7, tmp_path / "one-number.pt")
    contents = {
        "text.pt": b"epoch,loss\n1,0.53\n",
        "empty.pt": b"",
        "pickle.pt": pickle.dumps({"epoch": 3}, protocol=2),
        "cut-short.pt": whole[: len(whole) // 2],
        "one-byte-short.pt": whole[:-1],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name in ("missing.pt", *contents, "weights-alone.pt", "one-tensor.pt", "one-number.pt"):
        outcome = attempt(answer, tmp_path / name, new_run(offset=2))
        expect.equal(outcome, REFUSED, what=f"what happens with {name}")


def test_saving_changes_nothing_in_the_run(answer, tmp_path):
    for came_in in ("train", "eval"):
        run, _ = uninterrupted(SAVED)
        run[0].train(came_in == "train")
        run[0][1].train(came_in == "eval")
        draws = next_draws()
        given = dict(zip(PARTS, run, strict=True))
        with expect.untouched(f"the run that is saved, in {came_in} mode", given):
            save(answer, tmp_path / "run.pt", run, SAVED)
        expect.close(next_draws(), draws, what="the numbers that torch draws after saving", terms=0)


def plateau_run(offset):
    """An awkward model, SGD with momentum, and a scheduler that goes by the losses it has seen."""
    torch.manual_seed(seed(offset))
    model = models.awkward_model(3, p=0.3, dtype=torch.float32)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.07, momentum=0.8, nesterov=True)
    return model, optimizer, ReduceLROnPlateau(optimizer, factor=0.4, patience=1)


def train_on_plateau(run, losses, offset):
    model, optimizer, scheduler = run
    rates = []
    for number, seen in enumerate(losses):
        loss = (model(models.token_batch(offset=offset + number)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step(seen)
        rates += learning_rates(optimizer)
    return rates


def test_a_run_with_another_optimizer_and_schedule_is_wound_back(answer, tmp_path):
    first, then = [0.9, 0.5, 0.7], [0.6, 0.55, 0.52, 0.51]
    whole, run = plateau_run(offset=5), plateau_run(offset=5)
    train_on_plateau(whole, first, offset=300)
    rates = train_on_plateau(whole, then, offset=310)
    torch.manual_seed(seed(5))
    train_on_plateau(run, first, offset=300)
    save(answer, tmp_path / "plateau.pt", run, 3)
    train_on_plateau(run, [0.8, 0.6, 0.7, 0.4], offset=320)
    run[0].frozen.data.fill_(0.75)
    run[1].param_groups[0]["momentum"] = 0.1
    answer.load_checkpoint(tmp_path / "plateau.pt", *run)
    resumed_rates = train_on_plateau(run, then, offset=310)
    expect.close(resumed_rates, rates, what="the rates of a scheduler that watches the loss", terms=0)
    expect.close(weights(run[0]), weights(whole[0]), what="the weights of an awkward model under SGD", terms=0)


def test_loading_leaves_train_and_eval_modes_as_they_are(answer, tmp_path):
    save(answer, tmp_path / "run.pt", plateau_run(offset=1), SAVED)
    for training in (True, False):
        run = plateau_run(offset=2)
        run[0].train(training)
        run[0].batch_norm.train(not training)  # Such as one that is frozen.
        modes = [int(module.training) for module in run[0].modules()]
        answer.load_checkpoint(tmp_path / "run.pt", *run)
        after = [int(module.training) for module in run[0].modules()]
        expect.equal(after, modes, what="the modes (1 train, 0 eval) of all modules after loading")


def odd_dtypes(offset):
    model = nn.Linear(3, 2, dtype=torch.bfloat16)
    model.weight.data = randn(2, 3, offset=offset, dtype=torch.bfloat16)
    model.register_buffer("fine", randn(3, offset=offset + 1) / 3)
    model.register_buffer("count", 2**53 + 1 + randint(0, 99, (2,), offset=offset + 2) * 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.07)
    return model, optimizer, CosineAnnealingLR(optimizer, T_max=7)


def test_every_dtype_comes_back_exactly(answer, tmp_path):
    run, fresh = odd_dtypes(offset=10), odd_dtypes(offset=20)
    with expect.untouched("the run that is saved", dict(zip(PARTS, run, strict=True))):
        save(answer, tmp_path / "dtypes.pt", run, 1)
    answer.load_checkpoint(tmp_path / "dtypes.pt", *fresh)
    for name, value in run[0].state_dict().items():
        loaded = expect.tensor(fresh[0].state_dict()[name], what=f"{name}, loaded", dtype=value.dtype)
        expect.close(loaded, value, what=f"{name} ({value.dtype}), loaded", terms=0)
        expect.equal(loaded, value, what=f"{name} ({value.dtype}), loaded, to the last bit")


def test_a_save_that_cannot_take_its_name_raises(answer, tmp_path):
    """A folder of that name stands there, so the last step, the rename, must fail."""
    path = tmp_path / "run.pt"
    path.mkdir()
    (path / "notes.txt").write_text("kept")
    try:
        answer.save_checkpoint(path, *new_run(offset=1), SAVED)
        result = "no error"
    except NotImplementedError:
        raise
    except Exception:
        result = "an error"
    expect.equal(result, "an error", what="what comes out where a folder has the checkpoint's name")
    expect.equal(os.listdir(path), ["notes.txt"], what="what the folder of that name holds afterwards")
