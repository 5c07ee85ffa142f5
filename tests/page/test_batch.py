"""Many photographs at once: what is in uploads, and the Batch tab in a real browser."""

import io
import re
import zipfile

import pytest
from conftest import NAMES
from PIL import Image
from support.pages import opened_at

from colorization.inference import gray
from page.tabs.archive import MAX_FILES, items


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


def test_a_batch_gives_a_zip_and_names_what_failed(opened, photograph, tmp_path):
    gray(photograph).save(tmp_path / "old.png")
    (tmp_path / "text.jpg").write_bytes(b"hello")
    file = zipped(tmp_path, {"one/lake.png": png(), "two/lake.png": png(level=30)})
    opened.locator("#uploads input[type=file]").set_input_files([tmp_path / "text.jpg", tmp_path / "old.png", file])
    opened.locator("#uploads tr").nth(2).wait_for()
    opened.get_by_label("pix2pix").check()
    opened.get_by_role("button", name="Color all").click()
    opened.get_by_text("3 of 4 files colored.").wait_for()
    lines = opened.locator("#report li").all_inner_texts()
    assert [line.split()[0] for line in lines] == ["text.jpg", "old.png", "lake.png", "lake.png"]
    assert "this is not a JPEG" in lines[0]
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Download all results (zip)").click()
    download.value.save_as(tmp_path / "colorized.zip")
    with zipfile.ZipFile(tmp_path / "colorized.zip") as archive:
        assert sorted(archive.namelist()) == sorted(
            f"{stem}-{name}{suffix}.png"
            for name in ("pix2pix", "unet")
            for stem, suffix in (("old", ""), ("lake", ""), ("lake", "-2"))
        )
        assert Image.open(io.BytesIO(archive.read("old-unet.png"))).size == photograph.size


def test_a_batch_that_is_stopped_gives_what_it_has_and_frees_the_place(opened, photograph, tmp_path):
    large = gray(photograph).resize((3000, 2000))
    for number in range(12):
        large.save(tmp_path / f"{number}.jpg")
    files = [tmp_path / f"{number}.jpg" for number in range(12)]
    opened.locator("#uploads input[type=file]").set_input_files(files)
    opened.locator("#uploads tr").nth(11).wait_for()
    opened.get_by_role("button", name="Color all").click()
    opened.locator("#report li").filter(has_text="\u2713").first.wait_for()
    opened.get_by_role("button", name="Stop").click()
    head = opened.locator("#report p").filter(has_text=re.compile(r"\d+ of \d+ files colored"))
    head.wait_for()
    assert int(head.inner_text().split()[0]) < 12
    opened.get_by_role("button", name="Download all results (zip)").wait_for()
    opened.wait_for_timeout(1000)  # the sentence comes a moment before the end, and one batch at a time is taken
    opened.get_by_role("button", name="Color all").click()
    opened.locator("#report li").filter(has_text="coloring").first.wait_for()
    opened.get_by_role("button", name="Stop").click()
    head.wait_for()


def test_nothing_chosen_is_a_sentence(opened):
    opened.get_by_role("button", name="Color all").click()
    opened.get_by_text("Choose photographs or a zip first.").wait_for()
    assert len(NAMES) == opened.locator("input[type=checkbox]").count()
