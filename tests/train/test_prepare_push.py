"""A data set on its way to the Hub (on loopback), and mistakes that leave nothing behind."""

import pytest
from huggingface_hub import DatasetCard
from support.hub_store import Repo
from support.preparing import save

from train.prepare.dataset import PrepareOptions, prepare
from train.publish.push import PushError

REPO = "tester/hills"


@pytest.fixture
def scratch(monkeypatch, tmp_path):
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.mark.parametrize("kept", [True, False])
def test_a_push_is_one_commit_and_leaves_no_copy_but_the_output(crops, tmp_path, hub, scratch, kept):
    save(tmp_path / "in", crops[:3])
    prepare(PrepareOptions(str(tmp_path / "in"), tmp_path / "out" if kept else None, push=REPO, private=True))
    repo = hub.repos["datasets", REPO]
    assert repo.private and [title for _, title, _ in repo.commits.values()] == ["initial commit", "3 pictures"]
    files = hub.files("datasets", REPO)
    assert {"README.md", "skipped.csv", "train-00000-of-00001.parquet"} == files.keys() - {".gitattributes"}
    card = DatasetCard(files["README.md"].decode())
    assert f'load_dataset("{REPO}"' in card.text and f"# {REPO}" in card.text
    assert not list(scratch.iterdir()) and (tmp_path / "out").exists() == kept
    if kept:
        assert all((tmp_path / "out" / name).read_bytes() == files[name] for name in files.keys() - {".gitattributes"})


def test_a_push_replaces_its_own_files_and_no_others(crops, tmp_path, hub, capsys):
    """Neither those of others by names like its own, nor those of a data set that another tool wrote."""
    save(tmp_path / "in", crops[:6])
    hub.repos["datasets", REPO] = Repo(private=False)
    theirs = {"notes.md": b"mine", "train-extra-00000-of-00001.parquet": b"mine", "README.md": b"# Mine"}
    theirs["train-00000-of-00003.parquet"] = b"mine too"
    hub.repos["datasets", REPO].commit("main", theirs, "by hand")
    prepare(PrepareOptions(str(tmp_path / "in"), push=REPO, shards=2))
    files = hub.files("datasets", REPO)
    del theirs["README.md"]
    assert theirs.items() <= files.items()
    own = {f"train-0000{number}-of-00002.parquet" for number in range(2)}
    assert own <= files.keys()
    said = capsys.readouterr().out
    assert "; what else was there stays: notes.md, train-00000-of-00003.parquet, train-extra-00000-of-00001" in said
    config = DatasetCard(files["README.md"].decode()).data.to_dict()["configs"][0]
    assert set(config["data_files"][0]["path"]) == own, "the files of others are no part of the data set"
    prepare(PrepareOptions(str(tmp_path / "in"), push=REPO, shards=1))
    files = hub.files("datasets", REPO)
    assert not own & files.keys() and "train-00000-of-00001.parquet" in files and theirs.items() <= files.items()


def test_what_could_not_be_pushed_is_kept(crops, tmp_path, hub, scratch):
    hub.fault = lambda method, path, _: 403 if "/commit/" in path else None
    save(tmp_path / "in", crops[:3])
    with pytest.raises(PushError, match=r"403.*; the data set is kept in .*hf upload tester/hills") as raised:
        prepare(PrepareOptions(str(tmp_path / "in"), push=REPO))
    (folder,) = scratch.iterdir()
    assert (folder / "dataset/README.md").is_file() and str(folder) in str(raised.value)


def test_a_push_that_cannot_work_is_refused_before_anything_is_read(tmp_path, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_reader")
    with pytest.raises(PushError, match="the token of tester may only read"):
        prepare(PrepareOptions(str(tmp_path / "not there"), push=REPO))
    assert not hub.repos


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"output": None}, "nowhere to put the data set"),
        ({"source": "none"}, "there is no such folder or file"),
        ({"source": "empty"}, "cannot open the split 'train' of .*empty: there are no pictures"),
        ({"source": "gray"}, r"gray gave no usable picture \(2 gray\): check it, or lower --min-colorfulness"),
        ({"output": "in"}, "in is there already: name a new folder"),
        ({"output": "in/a/0.png"}, "0.png is there already"),
        ({"shards": 0}, "--shards is 0, expected 1 or more"),
        ({"short_side": 0}, "--short-side is 0, expected 1 or more"),
        ({"push": "hills"}, "--push is hills, expected NAMESPACE/NAME"),
        ({"private": True}, "--private is for a data set on the Hub"),
        ({"validation": ("c",)}, "--validation c: there are only the sources a, b"),
        ({"validation": ("a", "b")}, "names every source: leave one for training"),
        ({"source": "named", "validation": ("a",)}, "has the splits train and validation: leave --validation out"),
    ],
)
def test_mistakes_are_named_and_leave_nothing_behind(crops, tmp_path, given, reason):
    save(tmp_path / "in/a", crops[:2])
    save(tmp_path / "in/b", crops[2:3])
    save(tmp_path / "gray", [crop.convert("L") for crop in crops[:2]])
    save(tmp_path / "named/train", crops[:1])
    save(tmp_path / "named/val", crops[1:2])
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    given = {"source": "in", "output": "out"} | given
    paths = {key: tmp_path / given.pop(key) for key in ("source", "output") if given[key]}
    paths["source"] = str(paths["source"])
    with pytest.raises(ValueError, match=reason):
        prepare(PrepareOptions(**({"output": None} | paths | {k: v for k, v in given.items() if k != "output"})))
    assert sorted(tmp_path.rglob("*")) == before
