"""Which files there are to color: by content, without results, and with one line for what is left out."""

import contextlib
import io
import os
import tempfile
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from colorization.decode import decode
from colorization.files import find
from colorization.results import Content, Making, Results

MAX_BYTES = 1_000_000


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def picture(kind="png", level=90):
    buffer = io.BytesIO()
    Image.new("L", (64, 48), level).save(buffer, kind)
    return buffer.getvalue()


def names(found):
    return [str(source.wanted) for source in found.sources]


def test_content_decides_and_names_with_dots_stay_whole(folder):
    for name in ("1923.05.12", "No. 12", "No. 13", "old", "photo.unknown"):
        (folder / name).write_bytes(picture("jpeg"))
    for kind, name in (("gif", "a.mp4"), ("tiff", "b.dat"), ("webp", "c"), ("bmp", "d"), ("avif", "e.bin")):
        (folder / name).write_bytes(picture(kind))
    (folder / "BMW.txt").write_text("BMW and other cars, none of them a bitmap")
    (folder / "notes.txt").write_text("1923")
    found = find([folder], folder.parent / "out", MAX_BYTES)
    wanted = ["1923.05.12", "No. 12", "No. 13", "a", "b.dat", "c", "d", "e.bin", "old", "photo.unknown"]
    assert names(found) == wanted and not any(source.is_video for source in found.sources)
    assert found.summary() == ""
    assert names(find([folder / "No. 12", folder / "1923.05.12"], None, MAX_BYTES)) == ["No. 12", "1923.05.12"]


def test_what_a_folder_holds_beside_pictures_is_one_line(folder):
    for name in ("a.heic", "b.HEIC", "c.jp2", "d.psd", "e.dng", "f.mts", "g.vob", "h.nef", "i.pdf"):
        (folder / name).write_bytes(b"not a picture of any kind")
    (folder / "raw.cr2").write_bytes(picture("tiff"))
    (folder / "scan.jpg").write_bytes(picture("jpeg"))
    found = find([folder], folder.parent / "out", MAX_BYTES)
    assert names(found) == ["scan"]
    kinds = ["2 .heic", "1 .cr2", "1 .dng", "1 .jp2", "1 .mts", "1 .nef", "1 .pdf", "1 .psd", "1 .vob"]
    assert sorted(found.summary().removeprefix("left out: ").split(", ")) == sorted(kinds)


def test_a_damaged_picture_is_not_passed_over(folder):
    (folder / "bad.jpg").write_bytes(bytes(1000))
    (folder / "bad.mp4").write_bytes(bytes(1000))
    assert [(str(s.wanted), s.is_video) for s in find([folder], None, MAX_BYTES).sources] == [
        ("bad", False),
        ("bad", True),
    ]


def test_what_systems_keep_beside_files_is_passed_over(folder):
    (folder / "@eaDir/scan.jpg").mkdir(parents=True)
    (folder / "__MACOSX").mkdir()
    for name in ("._scan.jpg", ".DS_Store", "@eaDir/scan.jpg/SYNOPHOTO_THUMB_XL.jpg", "__MACOSX/scan.jpg", "Thumbs.db"):
        (folder / name).write_bytes(picture("jpeg"))
    (folder / ".hidden").mkdir()
    (folder / ".hidden/scan.jpg").write_bytes(picture("jpeg"))
    (folder / "scan.jpg").write_bytes(picture("jpeg"))
    (folder / "scan.jpg.hints.json").write_text("{}")
    found = find([folder], None, MAX_BYTES)
    assert names(found) == ["scan"] and not found.summary()


def test_pipes_devices_and_links(folder):
    os.mkfifo(folder / "pipe.jpg")
    (folder / "scan.jpg").write_bytes(picture("jpeg"))
    (folder / "twin.jpg").hardlink_to(folder / "scan.jpg")
    (folder / "link.jpg").symlink_to("scan.jpg")
    (folder / "nothing.jpg").symlink_to("gone.jpg")
    (folder / "null.jpg").symlink_to("/dev/null")
    (folder / "loop").symlink_to(".")
    (folder / "below").mkdir()
    (folder / "below/up").symlink_to("..")
    found = find([folder], None, MAX_BYTES)
    assert names(found) == ["link", "scan", "twin"]
    assert found.left_out == {"links to folders": 2, "links to nothing": 1, "that are no regular files": 2}


def test_folders_that_may_not_be_read_are_counted():
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # the folder of tests is this user's alone
        folder = Path(name)
        (folder / "private").mkdir(mode=0)
        (folder / "scan.jpg").write_bytes(picture("jpeg"))
        folder.chmod(0o755)
        out, into = os.pipe()
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                if os.getuid() == 0:  # root may read everything
                    os.setgid(65534)
                    os.setuid(65534)
                found = find([folder], None, MAX_BYTES)
                os.write(into, f"{len(found.sources)} {found.summary()}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(out, 1000).decode() == f"1 left out: 1 folders that may not be read ({folder / 'private'})"


def recorded(output, place, source):
    """A result as a run leaves it."""
    making = Making("unet", "0", {})
    results = Results(output, {"unet": making})
    reserved = results.reserve(source, None, place, ".png")
    (output / "unet" / reserved.place).parent.mkdir(parents=True, exist_ok=True)
    (output / "unet" / reserved.place).write_bytes(picture())
    results.complete("unet", reserved.place, source, Content.of(source))


@pytest.mark.parametrize("where", [".", "out", ".."])
def test_only_results_are_skipped(folder, where):
    """The output may be the input, or lie in it, or the input in it; pictures that are no results count."""
    (folder / "scan.jpg").write_bytes(picture("jpeg"))
    output = folder / where
    output.mkdir(exist_ok=True)
    recorded(output, folder.relative_to(folder.parent) / "scan", folder / "scan.jpg")
    (output / "mine.png").write_bytes(picture())
    for other in (output, folder.parent / "elsewhere"):  # also for a run with another output
        found = find([folder], other, MAX_BYTES)
        expected = {".": ["mine", "scan"], "out": ["out/mine", "scan"], "..": ["scan"]}[where]
        assert names(found) == expected
    assert names(find([output / "unet"], None, MAX_BYTES)) == []


def test_results_of_the_first_version_which_kept_no_record(folder):
    (folder / "scan.jpg").write_bytes(picture("jpeg"))
    (folder / "unet").mkdir()
    (folder / "unet/scan.jpg").write_bytes(picture("jpeg"))
    found = find([folder], folder, MAX_BYTES)
    assert names(found) == ["scan"] and found.summary() == "left out: 1 folders of results"


def test_decomposed_korean_names_are_kept(folder):
    name = unicodedata.normalize("NFD", "설악산 풍경")
    (folder / f"{name}.jpg").write_bytes(picture("jpeg"))
    assert names(find([folder], None, MAX_BYTES)) == [name]


def test_a_real_heic_counts_if_it_can_be_read(folder, shared):
    file = next((shared / "corpus/images").glob("*heif_L_8*"))
    (folder / "phone").write_bytes(file.read_bytes())
    pytest.importorskip("pillow_heif")
    assert names(find([folder], None, MAX_BYTES)) == ["phone"]
    assert decode(file.read_bytes()).picture.size == (29, 100)
