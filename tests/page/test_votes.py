"""Blind votes: counted, bounded, in a file and in a Hub data set; and cast in a real browser."""

import itertools
import json
import os
import re
import subprocess
import sys

import pytest
from conftest import NAMES, ROOT, page
from support.children import wait_for

from colorization.inference import gray
from page.votes import Votes, wilson


@pytest.mark.parametrize(
    ("wins", "total", "expected"),
    [
        (0, 0, (0, 1)),
        (0, 10, (0, 0.2775)),
        (5, 10, (0.2366, 0.7634)),
        (81, 263, (0.2553, 0.3662)),
        (10, 10, (0.7225, 1)),
    ],
)
def test_the_interval_is_wilsons(wins, total, expected):
    assert wilson(wins, total) == pytest.approx(expected, abs=1e-4)


def test_votes_are_counted_over_all_files_and_damaged_lines_are_skipped(tmp_path):
    origins = dict.fromkeys(NAMES, "embedded")
    first, second = Votes(tmp_path), Votes(tmp_path)
    assert first.table() == ""
    for _ in range(3):
        first.add("unet", ["cwgan", "unet", "pix2pix"], 1.0, origins)
    second.add("cwgan", ["unet", "cwgan"], 0.5, origins)
    (tmp_path / "other.jsonl").write_text('{"kept": "unet"\nnull\n{"kept": "unet", "shown": ["cwgan"]}\n[]\n\xff\n')
    kept, shown = first.counts()
    assert kept == {"unet": 3, "cwgan": 1} and shown == {"unet": 4, "cwgan": 4, "pix2pix": 3}
    assert "| U-Net | 3 | 4 | 75% | 30% - 95% |" in second.table()


def test_a_file_holds_a_thousand_votes_and_another_follows(tmp_path):
    votes = Votes(tmp_path)
    for _ in range(1001):
        votes.add("unet", ["unet"], 1.0, {"unet": "embedded"})
    assert votes.counts()[0]["unet"] == 1001 and len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    Votes(tmp_path / "file" / "votes").add("unet", ["unet"], 1.0, {"unet": "embedded"})
    assert "a vote was not noted" in caplog.text


PAGE = """
import pathlib, sys, time
from page.votes import Votes

votes = Votes(pathlib.Path(sys.argv[1]), "tester/votes")
while True:
    print(votes.counts()[0].total(), flush=True)
    time.sleep(0.1)
"""


def test_votes_go_to_a_data_set_of_the_hub_and_are_counted_after_a_restart(hub_env, live_hub, tmp_path):
    """A page that is killed, and one that starts on an empty disk, as a Space does."""
    live_hub.reset()
    origins = dict.fromkeys(NAMES, "embedded")
    for disk, seen in (("first", 2), ("second", 3)):
        Votes(tmp_path / disk).add("unet", ["unet", "cwgan"], 1.0, origins)
        if disk == "first":
            Votes(tmp_path / disk).add("cwgan", ["unet", "cwgan"], 1.0, origins)
        command = [sys.executable, "-c", PAGE, tmp_path / disk]
        process = subprocess.Popen(command, cwd=ROOT, env=hub_env, stdout=subprocess.PIPE, text=True)
        try:
            wait_for(lambda seen=seen: len(published(live_hub)) == seen, 60)
            assert f"{seen}\n" in itertools.islice(process.stdout, 600), "earlier votes are not counted"
        finally:
            process.kill()
            process.wait()
    assert sorted(vote["kept"] for vote in published(live_hub)) == ["cwgan", "unet", "unet"]


def published(hub):
    """The votes in the data set."""
    files = hub.files("datasets", "tester/votes") or {}
    lines = [line for path, data in files.items() if path.startswith("votes/") for line in data.splitlines()]
    return [json.loads(line) for line in lines]


def test_a_vote_is_blind_until_it_is_cast(browser, subprocess_env, photograph, tmp_path):
    gray(photograph).save(tmp_path / "old.png")
    env = subprocess_env | {"COLORIZATION_VOTES_DIR": str(tmp_path / "votes")}
    with page(env, tmp_path) as (url, _):
        opened = browser.new_page(viewport={"width": 1366, "height": 768})
        opened.set_default_timeout(60_000)
        opened.goto(url)
        opened.locator("#upload input[type=file]").set_input_files(tmp_path / "old.png")
        opened.get_by_role("img", name="old, colored by U-Net").wait_for()
        opened.get_by_role("radio", name="Compare models").check(force=True)
        opened.get_by_role("radio", name="Blind vote").check(force=True)
        opened.get_by_text("Which would you keep?").wait_for()
        viewer = opened.locator("#viewer")
        assert not re.search(r"pix2pix|CWGAN|U-Net", viewer.inner_text())
        assert [image.get_attribute("alt") for image in viewer.locator(".frame img").all()] == [
            "Result A",
            "Result B",
            "Result C",
            "old, the black-and-white input",
        ]
        opened.get_by_role("button", name="Keep B").click()
        names = viewer.locator(".frame .name").all_inner_texts()
        assert names.pop() == "Input" and names[1].endswith(", your choice"), "marked, and beside the input"
        names[1] = names[1].removesuffix(", your choice")
        assert viewer.locator(".pane.kept").count() == 1
        assert sorted(names) == ["CWGAN", "U-Net", "pix2pix"]
        opened.get_by_text(f"You kept {names[1]}.").wait_for()
        opened.get_by_role("tab", name="Models").click()
        opened.get_by_text("Votes: 1").wait_for()
        opened.close()
    (file,) = (tmp_path / "votes").glob("*.jsonl")
    (vote,) = map(json.loads, file.read_text().splitlines())
    titles = {"pix2pix": "pix2pix", "cwgan": "CWGAN", "unet": "U-Net"}
    assert [titles[name] for name in vote["shown"]] == names and titles[vote["kept"]] == names[1]
    assert os.fspath(tmp_path) not in file.read_text() and "old" not in file.read_text()
