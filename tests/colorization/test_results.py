"""Names of results and their record: what is there stands for the very file that it was made of, and for no other."""

import json
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from colorization.results import RECORDS, Content, Making, Results

MODELS = ("pix2pix", "unet")


@pytest.fixture
def folder(tmp_path):
    for name in ("roll1/Scan0001.jpg", "roll2/Scan0001.jpg", "drift/a.tif", "drift/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def results(folder, models=MODELS, overwrite=False, **settings):
    return Results(folder / "out", {name: Making(name, "w", settings) for name in models}, overwrite)


def make(folder, name, models=MODELS, wanted=None, suffix=".jpg", **options):
    """Do as a run does with one file; returns the name of its result, and the models that made it."""
    run, source = results(folder, models, **options), folder / name
    reserved = run.reserve(source, None, Path(wanted or source.stem), suffix)
    for model in reserved.missing:
        target = folder / "out" / model / reserved.place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        run.complete(model, reserved.place, source, Content.of(source))
    return reserved.place.as_posix(), reserved.missing


def test_another_source_gets_another_name_and_the_same_is_done_once(folder):
    assert make(folder, "roll1/Scan0001.jpg") == ("Scan0001.jpg", [*MODELS])
    assert make(folder, "roll2/Scan0001.jpg") == ("Scan0001-2.jpg", [*MODELS])
    assert make(folder, "roll1/Scan0001.jpg") == ("Scan0001.jpg", [])
    assert make(folder, "roll2/Scan0001.jpg") == ("Scan0001-2.jpg", [])
    assert (folder / "out/unet/Scan0001-2.jpg").read_bytes() == b"roll2/Scan0001.jpg"


def test_a_png_beside_a_tif(folder):
    assert make(folder, "drift/a.tif", suffix=".png")[0] == "a.png"
    assert make(folder, "drift/a.png", suffix=".png") == ("a-2.png", [*MODELS])
    assert make(folder, "drift/a.tif", suffix=".png") == ("a.png", [])


@pytest.mark.parametrize("future", [False, True])
def test_a_replaced_file_is_made_again_once_whatever_its_date(folder, future):
    source = folder / "roll1/Scan0001.jpg"
    make(folder, "roll1/Scan0001.jpg")
    date = 4_000_000_000 if future else 100
    for content, again in ((b"another scan of the same name", [*MODELS]), (b"another scan of the same name", [])):
        source.write_bytes(content)
        os.utime(source, (date, date))
        assert make(folder, "roll1/Scan0001.jpg") == ("Scan0001.jpg", again)
    source.touch()
    assert make(folder, "roll1/Scan0001.jpg")[1] == [], "another date is no other content"


def test_other_settings_and_other_models_are_made(folder):
    assert make(folder, "roll1/Scan0001.jpg", models=["unet"], strength=1.0)[1] == ["unet"]
    assert make(folder, "roll1/Scan0001.jpg", strength=1.0)[1] == ["pix2pix"]
    assert make(folder, "roll1/Scan0001.jpg", strength=1.3) == ("Scan0001.jpg", [*MODELS])
    assert make(folder, "roll1/Scan0001.jpg", strength=1.3)[1] == []
    other = Results(folder / "out", {"unet": Making("unet", "other weights", {"strength": 1.3})})
    assert other.reserve(folder / "roll1/Scan0001.jpg", None, Path("Scan0001"), ".jpg").missing == ["unet"]
    assert make(folder, "roll1/Scan0001.jpg", overwrite=True, strength=1.3)[1] == [*MODELS]


def test_a_result_that_is_gone_is_made_again(folder):
    make(folder, "roll1/Scan0001.jpg")
    (folder / "out/unet/Scan0001.jpg").unlink()
    assert make(folder, "roll1/Scan0001.jpg") == ("Scan0001.jpg", ["unet"])


def test_a_file_that_nothing_records_is_not_overwritten(folder):
    (folder / "out/unet").mkdir(parents=True)
    (folder / "out/unet/Scan0001.jpg").write_bytes(b"somebody's work")
    reserved = results(folder).reserve(folder / "roll1/Scan0001.jpg", None, Path("Scan0001"), ".jpg")
    assert reserved.place == Path("Scan0001-2.jpg") and "there is a Scan0001.jpg" in reserved.notes[0]
    assert (folder / "out/unet/Scan0001.jpg").read_bytes() == b"somebody's work"
    assert make(folder, "roll2/Scan0001.jpg", overwrite=True)[0] == "Scan0001.jpg", "that is what --overwrite says"


def test_models_of_one_run_have_one_name(folder):
    make(folder, "roll1/Scan0001.jpg", models=["unet"])
    assert make(folder, "roll2/Scan0001.jpg") == ("Scan0001-2.jpg", [*MODELS])
    assert make(folder, "roll1/Scan0001.jpg") == ("Scan0001.jpg", ["pix2pix"])


def test_files_that_were_moved_are_the_same(folder):
    make(folder, "roll1/Scan0001.jpg")
    (folder / "roll1").rename(folder / "renamed")
    assert make(folder, "renamed/Scan0001.jpg") == ("Scan0001.jpg", [])
    everything = folder.rename(folder.parent / "another disk")
    assert make(everything, "renamed/Scan0001.jpg") == ("Scan0001.jpg", [])


def test_names_that_some_systems_take_for_equal(folder):
    """A folder of results is copied to a Mac, to Windows or to a stick."""
    for name in ("b.jpg", "B.jpg", unicodedata.normalize("NFC", "풍경.jpg"), unicodedata.normalize("NFD", "풍경.jpg")):
        (folder / "roll1" / name).write_bytes(name.encode())
    assert [make(folder, f"roll1/{name}")[0] for name in ("b.jpg", "B.jpg")] == ["b.jpg", "B-2.jpg"]
    names = [unicodedata.normalize(form, "풍경") for form in ("NFC", "NFD")]
    assert [make(folder, f"roll1/{name}.jpg")[0] for name in names] == [f"{names[0]}.jpg", f"{names[1]}-2.jpg"]


@pytest.mark.parametrize("stem", ["가" * 83 + "abc", "x" * 255, "No. " + "나" * 80])
def test_long_names_fit(folder, stem):
    (folder / "roll1" / stem).write_bytes(b"1")
    (folder / "roll2" / stem).write_bytes(b"2")
    for roll in ("roll1", "roll2"):
        place = make(folder, f"{roll}/{stem}", wanted=stem, suffix=".png")[0]
        assert len(place.encode()) <= 255 and place.endswith(".png") and place[:20] == stem[:20]


def test_many_at_once_get_names_of_their_own(folder):
    """Threads here, processes elsewhere: the file system decides who was first."""
    sources = []
    for number in range(24):
        (folder / f"roll{number}").mkdir(exist_ok=True)
        sources.append(f"roll{number}/Scan.jpg")
        (folder / sources[-1]).write_bytes(str(number).encode())
    with ThreadPoolExecutor(8) as threads:
        first = list(threads.map(lambda name: make(folder, name), sources))
        again = list(threads.map(lambda name: make(folder, name), sources))
    assert len({name for name, _ in first}) == 24
    assert [name for name, _ in again] == [name for name, _ in first] and not any(missing for _, missing in again)


def test_a_failed_result_gives_its_name_back(folder):
    run = results(folder)
    reserved = run.reserve(folder / "roll1/Scan0001.jpg", None, Path("Scan0001"), ".jpg")
    run.release(reserved.place, folder / "roll1/Scan0001.jpg", None)
    assert make(folder, "roll2/Scan0001.jpg")[0] == "Scan0001.jpg"


def test_a_damaged_record_is_nobodys(folder):
    make(folder, "roll1/Scan0001.jpg")
    for file in (folder / "out" / RECORDS).rglob("*.json"):
        assert json.loads(file.read_bytes())["result"] == "Scan0001.jpg"
        file.write_bytes(b"{")
    assert make(folder, "roll1/Scan0001.jpg") == ("Scan0001-2.jpg", [*MODELS])


def test_standard_input_is_told_by_its_content(folder):
    run = results(folder, ["unet"])
    for data, place in ((b"one", "stdin.png"), (b"two", "stdin-2.png"), (b"one", "stdin.png")):
        content = Content.of_bytes(data)
        reserved = run.reserve(None, content, Path("stdin"), ".png")
        assert str(reserved.place) == place
        (folder / "out/unet").mkdir(parents=True, exist_ok=True)
        (folder / "out/unet" / place).write_bytes(data)
        run.complete("unet", reserved.place, None, content)
    assert reserved.missing == []
