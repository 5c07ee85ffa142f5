"""A data set on its way to the Hub, and mistakes that leave nothing behind."""

import pytest
from huggingface_hub import DatasetCard
from support.preparing import save

from train.prepare import dataset as module
from train.prepare.dataset import PrepareOptions, prepare
from train.publish.push import PushError


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """What would have been pushed, while the Hub itself is elsewhere."""
    pushed = []

    def push(repo_id, folder, **options):
        pushed.append((repo_id, {f.name for f in folder.iterdir()}, folder, options))
        return "0" * 40

    monkeypatch.setattr(module, "check_push", lambda ids, kind: pushed.append((ids, kind)))
    monkeypatch.setattr(module, "push", push)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return pushed


@pytest.mark.parametrize("kept", [True, False])
def test_a_push_is_checked_first_and_leaves_no_copy_but_the_output(crops, tmp_path, hub, kept):
    save(tmp_path / "in", crops[:3])
    prepare(PrepareOptions(tmp_path / "in", tmp_path / "out" if kept else None, push="me/hills", private=True))
    check, (repo_id, files, folder, options) = hub
    assert check == (["me/hills"], "dataset") and repo_id == "me/hills"
    assert {"README.md", "skipped.csv", "train-00000-of-00001.parquet"} <= files
    assert options == {"message": "3 pictures", "repo_type": "dataset", "private": True}
    assert (folder == tmp_path / "out") == kept == folder.exists() and not list((tmp_path / "temporary").iterdir())
    if kept:
        card = DatasetCard.load(folder / "README.md")
        assert 'load_dataset("me/hills"' in card.text and "# me/hills" in card.text


def test_what_could_not_be_pushed_is_kept(crops, tmp_path, hub, monkeypatch):
    def refuse(*_, **__):
        raise PushError("the line is down")

    monkeypatch.setattr(module, "push", refuse)
    save(tmp_path / "in", crops[:3])
    with pytest.raises(PushError, match=r"the line is down; the data set is kept in .*hf upload me/hills") as raised:
        prepare(PrepareOptions(tmp_path / "in", push="me/hills"))
    (scratch,) = (tmp_path / "temporary").iterdir()
    assert (scratch / "dataset/README.md").is_file() and str(scratch) in str(raised.value)


def test_a_push_that_cannot_work_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    def refuse(*_):
        raise PushError("no token")

    monkeypatch.setattr(module, "check_push", refuse)
    with pytest.raises(PushError, match="no token"):
        prepare(PrepareOptions(tmp_path / "not there", push="me/hills"))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"output": None}, "nowhere to put the data set"),
        ({"source": "none"}, "none is no folder here"),
        ({"source": "empty"}, r"empty gave no usable picture \(nothing\)"),
        ({"source": "gray"}, r"gray gave no usable picture \(2 gray\): check it, or lower --min-colorfulness"),
        ({"output": "in"}, "in is there already: name a new folder"),
        ({"output": "in/a/0.png"}, "0.png is there already"),
        ({"shards": 0}, "--shards is 0, expected 1 or more"),
        ({"short_side": 0}, "--short-side is 0, expected 1 or more"),
        ({"push": "hills"}, "--push is hills, expected NAMESPACE/NAME"),
        ({"private": True}, "--private is for a data set on the Hub"),
        ({"validation": ("c",)}, "--validation c: there are only the sources a, b"),
        ({"validation": ("a", "b")}, "names every source: leave one for training"),
        ({"source": "named", "validation": ("a",)}, "has folders named train: skip --validation"),
    ],
)
def test_mistakes_are_named_and_leave_nothing_behind(crops, tmp_path, given, reason):
    save(tmp_path / "in/a", crops[:2])
    save(tmp_path / "in/b", crops[2:3])
    save(tmp_path / "gray", [crop.convert("L") for crop in crops[:2]])
    save(tmp_path / "named/train", crops[:1])
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    given = {"source": "in", "output": "out"} | given
    paths = {key: tmp_path / given.pop(key) for key in ("source", "output") if given[key]}
    with pytest.raises(ValueError, match=reason):
        prepare(PrepareOptions(**({"output": None} | paths | {k: v for k, v in given.items() if k != "output"})))
    assert sorted(tmp_path.rglob("*")) == before
