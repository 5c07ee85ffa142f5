"""Many photographs at once: what is in uploads, and the Batch tab in a real browser."""

import io
import os
import re
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image
from support.pages import choose, opened_at

from colorization.guidance import Guidance
from colorization.inference import gray
from page.tabs.archive import MAX_FILES, items

BROKEN = "[...document.images].some(image => image.src && image.complete && !image.naturalWidth)"


def png(size=(64, 48), level=90):
    buffer = io.BytesIO()
    Image.new("L", size, level).save(buffer, "png")
    return buffer.getvalue()


def zipped(folder, members, name="photographs.zip"):
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return folder / name


def test_folders_of_a_zip_are_skipped_and_names_are_no_paths(tmp_path):
    members = {"a/lake.png": png(), "__MACOSX/a/._lake.png": b"x", ".DS_Store": b"x", "../../../hill.png": png()}
    file = zipped(tmp_path, {"a/": b"", **members, "C:\\windows\\dune.png": png()})
    assert [(item.name, item.problem) for item in items([file])] == [
        ("lake.png", ""),
        ("hill.png", ""),
        ("dune.png", ""),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "cp437"])
def test_names_of_zips_that_do_not_say_how_they_are_written(tmp_path, encoding):
    """As Windows writes them: in its own encoding, without the flag of UTF-8."""
    name = "Größe.png" if encoding == "cp437" else "사진/설악산 풍경.png"
    raw = name.encode(encoding)
    stand_in = "".join(chr(ord("a") + at % 26) for at in range(len(raw)))
    file = zipped(tmp_path, {stand_in: png()})
    file.write_bytes(file.read_bytes().replace(stand_in.encode(), raw))
    [item] = items([file])
    assert (item.name, item.problem) == (PurePosixPath(name).name, "")


def test_zips_inside_zips_are_not_opened(tmp_path):
    inner = zipped(tmp_path, {"lake.png": png()}, "inner.zip").read_bytes()
    file = zipped(tmp_path, {"inner.zip": inner, "lake.png": png()})
    assert [item.problem for item in items([file])] == ["zips inside zips are not opened", ""]


def test_a_bomb_costs_no_more_than_a_photograph(tmp_path):
    file = zipped(tmp_path, {"bomb.png": bytes(300_000_000), "lake.png": png()})
    assert file.stat().st_size < 400_000
    bomb, lake = items([file])
    assert bomb.problem == "it has more than 20 MB" and not bomb.data and not lake.problem


def test_numbers_and_bytes_are_bounded(tmp_path):
    many = list(items([zipped(tmp_path, {f"{number}.png": png((8, 8)) for number in range(60)})]))
    assert len(many) == MAX_FILES + 1 and not many[-2].problem and "at most 50 files" in many[-1].problem
    files = []
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(bytes(19_000_000))
        files.append(tmp_path / f"{number}.png")
    assert [bool(item.problem) for item in items(files)] == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[: len(data) // 2], "the zip is damaged"),
        (lambda data: data.replace(b"PK\x01\x02", b"PK\x01\x03"), "the zip is damaged"),
        (lambda data: b"PK\x05\x06" + bytes(18), "the zip holds no files"),
    ],
)
def test_a_damaged_zip_is_a_sentence(tmp_path, damage, reason):
    file = zipped(tmp_path, {"lake.png": png()})
    file.write_bytes(damage(file.read_bytes()))
    assert [reason in item.problem for item in items([file])] == [True]


@pytest.fixture
def opened(browser, server):
    with opened_at(browser, server, "Batch") as page:
        page.get_by_role("button", name="Color all").wait_for()
        yield page


def choose_files(opened, files):
    """Choose files, and wait until they are there."""
    opened.locator("#uploads input[type=file]").set_input_files(files)
    opened.locator("#uploads tr").nth(len(files) - 1).wait_for()


def set_to_work(page, photograph, folder, count):
    """Have so many large photographs colored, and wait for the first result only."""
    large = gray(photograph).resize((3000, 2000))
    files = [folder / f"{number}.jpg" for number in range(count)]
    for file in files:
        large.save(file)
    color_all(page, files)
    page.locator("#results li img").first.wait_for()


def color_all(opened, files):
    """Choose files, and press the button."""
    choose_files(opened, files)
    opened.get_by_role("button", name="Color all").click()


def zip_of(opened, file):
    """The zip that the page gives."""
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Download all results (zip)").click()
    download.value.save_as(file)
    return zipfile.ZipFile(file)


def test_a_batch_gives_full_size_files_a_zip_and_what_failed(opened, photograph, tmp_path):
    gray(photograph).resize((2000, 1500)).save(tmp_path / "old.png")
    (tmp_path / "text.jpg").write_bytes(b"hello")
    file = zipped(tmp_path, {"one/lake.png": png(), "two/lake.png": png(level=30)})
    opened.get_by_role("button", name="Color all").click()
    opened.get_by_text("Choose photographs or a zip first.").wait_for()
    opened.get_by_label("pix2pix").check()
    choose_files(opened, [tmp_path / "text.jpg", tmp_path / "old.png", file])
    assert not opened.get_by_text("Choose photographs or a zip first.").count()
    opened.get_by_role("button", name="Color all").click()
    opened.get_by_text("3 of 4 files colored.").wait_for()
    names = [name.get_attribute("title") for name in opened.locator("#results .about span").all()]
    assert names == ["text.jpg", *2 * ["old.png"], *4 * ["lake.png"]]
    assert "this is not a JPEG" in opened.locator("#results li").first.inner_text()
    sizes = {(box["width"], box["height"]) for box in (c.bounding_box() for c in opened.locator("#results li").all())}
    assert len(sizes) == 1  # nothing moves when the next one comes
    assert not opened.get_by_role("button", name="Share").count()
    with opened.expect_download() as download:
        opened.get_by_role("link", name="Download old-unet.jpg").click()
    with Image.open(download.value.path()) as picture:
        assert picture.size == (2000, 1500) and not picture.getexif()
    with zip_of(opened, tmp_path / "colorized.zip") as archive:
        names = [f"{stem}-{name}" for stem in ("lake", "old") for name in ("pix2pix", "unet")]
        names = [f"{name}{suffix}.jpg" for name in names for suffix in ("", "-2")[: 1 + name.startswith("lake")]]
        assert sorted(archive.namelist()) == sorted(names)
    opened.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / "batch.png")
    for name in ("pix2pix", "U-Net"):
        opened.get_by_label(name, exact=True).uncheck()
    opened.get_by_role("button", name="Color all").click()
    opened.get_by_text("Choose at least one model.").wait_for()
    assert opened.locator("#results li").count() == 7


def test_a_result_is_changed_in_the_viewer_and_the_zip_has_what_was_chosen(opened, photograph, tmp_path):
    for name in ("a", "b"):
        gray(photograph).save(tmp_path / f"{name}.png")
    opened.get_by_label("PNG").check()
    color_all(opened, [tmp_path / "a.png", tmp_path / "b.png"])
    opened.get_by_text("2 of 2 files colored.").wait_for()
    opened.get_by_role("button", name="b.png, U-Net: open in the viewer").click()
    strength = opened.locator("#strength input")
    opened.get_by_role("button", name="Download this picture").and_(opened.locator(":enabled")).wait_for()
    strength.fill("0")
    opened.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / "batch-in-viewer.png")
    opened.get_by_role("button", name="Back to the batch").click()
    opened.get_by_text("U-Net, strength 0").wait_for()
    with zip_of(opened, tmp_path / "colorized.zip") as archive:
        assert sorted(archive.namelist()) == ["a-unet.png", "b-unet.png"]
        chroma = [
            np.ptp(np.asarray(Image.open(io.BytesIO(archive.read(f"{name}-unet.png")))).astype(int), axis=2).mean()
            for name in "ab"
        ]
        assert chroma[0] > 3 and chroma[1] < 1
    opened.get_by_role("button", name="b.png, U-Net: open in the viewer").click()
    opened.get_by_role("button", name="Back to the batch").wait_for()
    assert strength.input_value() == "0"


def test_a_reload_brings_back_the_batch_and_says_what_is_gone(opened, photograph, tmp_path):
    for name in ("a", "b"):
        gray(photograph).save(tmp_path / f"{name}.png")
    opened.get_by_label("PNG").check()
    opened.locator("#batch-strength input[type=number]").fill("0.5")
    color_all(opened, [tmp_path / "a.png", tmp_path / "b.png"])
    opened.get_by_text("2 of 2 files colored.").wait_for()
    opened.reload()
    opened.get_by_text("2 of 2 files colored.").wait_for()
    assert opened.get_by_text("U-Net, strength 0.5").count() == 2 and not opened.evaluate(BROKEN)
    assert opened.locator("#uploads tr").count() == 2 and opened.get_by_role("radio", name="PNG").is_checked()
    assert opened.locator("#batch-strength input[type=number]").input_value() == "0.5"
    opened.get_by_role("button", name="b.png, U-Net: open in the viewer").click()
    opened.get_by_role("button", name="Download this picture").and_(opened.locator(":enabled")).wait_for()
    opened.locator("#strength input").fill("0")
    opened.reload()
    opened.get_by_role("img", name="b, colored by U-Net").wait_for()
    opened.get_by_role("button", name="Back to the batch").click()
    opened.get_by_text("U-Net, strength 0").and_(opened.locator("small")).filter(has_text=re.compile("0$")).wait_for()
    with zip_of(opened, tmp_path / "colorized.zip") as archive:
        assert sorted(archive.namelist()) == ["a-unet.png", "b-unet.png"]
        assert np.ptp(np.asarray(Image.open(io.BytesIO(archive.read("b-unet.png")))), axis=2).max() < 2
    opened.evaluate(
        """() => {
          const key = "landscape-colorization-batch";
          sessionStorage[key] = sessionStorage[key].replaceAll("a-unet.png", "gone.png");
        }"""
    )
    opened.reload()
    opened.get_by_text("this one is not here anymore: color it again").wait_for()
    assert opened.locator("#results .open").count() == 1
    opened.get_by_role("button", name="Color all").click()
    opened.locator("#results .open").nth(1).wait_for()


def test_who_leaves_a_batch_at_work_is_asked_and_told(opened, photograph, tmp_path):
    set_to_work(opened, photograph, tmp_path, 6)
    questions = []
    opened.on("dialog", lambda dialog: (questions.append(dialog.type), dialog.accept()))
    opened.reload()
    opened.get_by_text("what is missing here must be colored again").wait_for()
    assert questions == ["beforeunload"] and 1 <= opened.locator("#results .open").count() < 6


def test_one_mood_for_all(opened, photograph, tmp_path):
    gray(photograph).save(tmp_path / "old.png")
    choose(opened.get_by_label("Mood", exact=True), "Sunset")
    color_all(opened, [tmp_path / "old.png"])
    opened.get_by_text("U-Net, Sunset").wait_for()
    with zip_of(opened, tmp_path / "colorized.zip") as archive:
        assert sorted(archive.namelist()) == ["old-unet.hints.json", "old-unet.jpg"]
        assert Guidance.from_json(archive.read("old-unet.hints.json")) == Guidance(mood="sunset")


def test_a_batch_that_is_stopped_gives_what_it_has_and_frees_the_place(opened, photograph, tmp_path):
    set_to_work(opened, photograph, tmp_path, 12)
    opened.get_by_role("button", name="Stop").click()
    head = opened.locator("#results [role=status]").filter(has_text=re.compile(r"\d+ of \d+ files colored"))
    head.wait_for()
    assert int(head.inner_text().split()[0]) < 12
    opened.get_by_role("button", name="Download all results (zip)").wait_for()
    opened.wait_for_timeout(1000)  # the sentence comes a moment before the end, and one batch at a time is taken
    opened.get_by_role("button", name="Color all").click()
    opened.get_by_text("Coloring 0.jpg ...").wait_for()
    opened.get_by_role("button", name="Stop").click()
    head.wait_for()
