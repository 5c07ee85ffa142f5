"""The folder of uploads and results of one page, and of pages that were killed."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT

from page.guard.files import KEEP_SECONDS, Files, own_folder

PAGE = """
import sys, time
from page.guard.files import own_folder
print(own_folder(sys.argv[1]), flush=True)
time.sleep(60)
"""


@pytest.fixture
def another(tmp_path):
    """Starts a process that takes a folder as the page does; gives the process and the folder."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", PAGE, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_what_a_killed_page_left_is_removed_by_the_next_and_a_living_ones_folder_is_not(another, tmp_path):
    killed, left = another()
    _, used = another()
    for folder in (left, used):
        (folder / "upload").mkdir()
        (folder / "upload" / "family.jpg").write_bytes(b"a photograph")
    killed.kill()
    killed.wait()
    mine = own_folder(str(tmp_path))
    assert not left.exists(), "its page was killed"
    assert (used / "upload" / "family.jpg").exists(), "its page is alive"
    assert mine.is_dir() and len({mine, left, used}) == 3


def test_a_link_with_such_a_name_is_left_alone(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    (tmp_path / "landscape-colorization-x").symlink_to(tmp_path / "home")
    own_folder(str(tmp_path))
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["letter.txt"]


def test_a_result_is_whole_while_others_get_the_same(photograph, tmp_path, monkeypatch):
    """Two visitors choose the same example: what one downloads is not cut off by the other."""
    from page import pictures

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    file = Path(pictures.view(photograph, "example")["path"])
    size = file.stat().st_size
    with ThreadPoolExecutor(3) as visitors:
        others = [visitors.submit(pictures.view, photograph, "example") for _ in range(60)]
        while not all(other.done() for other in others):
            assert len(file.read_bytes()) == size
    assert {other.result()["path"] for other in others} == {str(file)}
    assert [*file.parent.iterdir()] == [file]


def test_an_example_stays_as_long_as_an_upload(tmp_path, monkeypatch):
    """However long ago the page was installed."""
    import gradio as gr

    from page.tabs import examples

    shutil.copytree(examples.HISTORIC, tmp_path / "installed")
    for file in (tmp_path / "installed").rglob("*.jpg"):
        os.utime(file, (1e9, 1e9))
    monkeypatch.setattr(examples, "HISTORIC", tmp_path / "installed")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    files = Files(tmp_path / "files")
    picked = Path(examples.picked(gr.EventData(None, {"index": 0}))["file"])
    files.sweep()
    assert picked.exists()
    os.utime(picked, (picked.stat().st_mtime - KEEP_SECONDS,) * 2)
    files.sweep()
    assert not picked.exists()
