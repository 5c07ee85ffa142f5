"""What a visitor reads whose browser asks for Korean."""

import csv
import json
import pickle
import re

import httpx2
import pytest
from conftest import ROOT

from colorization.decode import DecodeError, decode
from colorization.moods import MOODS
from colorization.sentence import Sentence
from page.guard.middleware import JSON_BYTES
from page.language.i18n import to_korean
from page.language.korean import KOREAN
from page.language.korean_scripts import KOREAN_SCRIPTS

# Texts, labels and titles that are seen now, without Korean in them.
FOREIGN = """() => [...document.querySelectorAll("body *")].filter(e => e.checkVisibility({ visibilityProperty: true }))
  .flatMap(e => [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent.trim()))
  .filter(text => /[A-Za-z]{3}/.test(text) && !/[\uac00-\ud7a3]/.test(text))"""
NAMES = {"pix2pix", "CWGAN", "U-Net", "1. pix2pix", "2. CWGAN", "3. U-Net", "PSNR (dB)", "SSIM", "delta E 2000"}
NAMES |= {"JPEG", "PNG"}


@pytest.fixture
def opened(browser, server):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ko-KR")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server)
    page.locator("#examples button").first.wait_for()
    yield page
    context.close()


def foreign(page):
    """What is seen in English, but for the models' names, file names and times."""
    page.wait_for_timeout(800)
    texts = set(page.evaluate(FOREIGN)) - NAMES
    return {text for text in texts if not re.fullmatch(r"(old|notes)?\.?(png|jpg)?|(\S+ [\d.]+ s(, )?)+", text)}


@pytest.fixture
def files(photograph, tmp_path):
    """A photograph and a file that is none."""
    photograph.save(tmp_path / "old.png")
    (tmp_path / "notes.jpg").write_bytes(b"hello")
    return [tmp_path / "old.png", tmp_path / "notes.jpg"]


def test_a_photograph_a_refusal_and_a_vote(opened, files):
    assert opened.evaluate("document.documentElement.lang") == "ko"
    assert foreign(opened) == set()
    opened.locator("#upload input[type=file]").set_input_files(files[1])
    opened.get_by_role("alert").filter(has_text="이 파일에는 색을 입힐 수 없습니다: JPEG").wait_for()
    assert foreign(opened) == set()
    opened.locator("#upload input[type=file]").set_input_files(files[0])
    opened.locator(".save:not([disabled])").wait_for()
    opened.locator("details").evaluate_all("all => all.forEach(details => details.open = true)")
    opened.locator("#scores table").wait_for()
    assert foreign(opened) == set(), "result"
    opened.locator("#viewer .switch input[value=all]").check(force=True)
    opened.locator(".modes input[value=blind]").wait_for(state="attached")
    for mode in ("grid", "single", "blind", "slider"):
        opened.locator(f"#viewer .modes input[value={mode}]").check(force=True)
        assert foreign(opened) == set(), mode


def test_the_other_tabs(opened, files):
    opened.get_by_role("tab", name=KOREAN["Batch"]).click()
    assert foreign(opened) == set()
    opened.locator("#uploads input[type=file]").set_input_files(files)
    opened.locator("#uploads tr").nth(1).wait_for()
    opened.get_by_role("button", name=KOREAN["Color all"]).click()
    opened.get_by_text("1/2개 파일을 컬러화했습니다.").wait_for()
    seen = foreign(opened)
    assert seen <= {"old.png", "notes.jpg"}
    opened.get_by_role("tab", name=KOREAN["Video"]).click()
    assert foreign(opened) == set()
    opened.get_by_role("button", name=KOREAN["Color the video"]).click()
    opened.get_by_text(KOREAN["Choose a video first."]).wait_for()
    opened.get_by_role("tab", name=KOREAN["Models"]).click()
    opened.get_by_text(KOREAN["critic five times per generator step"]).wait_for()
    assert foreign(opened) == set()


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (
            Sentence("the file has {} MB, at most {} MB are accepted: make it smaller", 25, 20),
            "25 MB입니다. 최대 20 MB",
        ),
        (Sentence("Frame {} of {}, {} s left", 3, "1,800", 40), "3/1,800 프레임, 40초 남음"),
        (Sentence("The queue is full: {} are ahead of you. Try again in a minute.", 20), "앞에 20건이 있습니다"),
        (Sentence("This file cannot be colored: {}.", DecodeError("the file is empty")), "없습니다: 파일이"),
        (Sentence("Note: {}.", "the name {} of a stranger"), "참고: the name {} of a stranger."),
        (Sentence("its sound ({}) is kept as AAC{}: {}", "mp3", "", Sentence("it cannot be copied ({})", "x")), "(x)"),
        ("words that nobody has translated {}", "words that nobody has translated {}"),
    ],
)
def test_values_are_kept_also_from_another_process(english, korean):
    assert korean in to_korean(english)
    sent = Sentence.from_parts(json.loads(json.dumps(Sentence(english).parts)))
    assert sent == english and to_korean(sent) == to_korean(english)
    assert to_korean(pickle.loads(pickle.dumps(Sentence(english)))) == to_korean(english)


def test_every_refusal_of_a_photograph_has_its_korean(shared):
    sentences = {Sentence("the JPEG has over {} scans, which no camera writes: save it again", 100)}
    with (shared / "corpus/manifest_images.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            if "clear-error" in row["expect"]:
                try:
                    decode((shared / "corpus" / row["file"]).read_bytes())
                except DecodeError as error:
                    sentences.add(str(error))
    assert len(sentences) > 5 and not [text for text in sentences if to_korean(text) == text]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("ko-KR,ko;q=0.9", "요청이 너무 큽니다: 최대"), ("en-US", "The request is too large: at most")],
)
def test_the_servers_own_refusals_are_in_the_visitors_language(server, language, sentence):
    headers = {"accept-language": language}
    answer = httpx2.post(f"{server}gradio_api/queue/join", content=bytes(JSON_BYTES + 1), headers=headers)
    assert answer.status_code == 413 and sentence in answer.json()["detail"]


def test_every_word_of_the_scripts_has_its_korean():
    script, html = (
        "".join(file.read_text(encoding="utf-8") for file in (ROOT / "page").rglob(f"*.{kind}"))
        for kind in ("js", "html")
    )
    asked = re.findall(r'\bt\((?:[^()"]* \? )?"([^"]+)"(?: : "([^"]+)")?', script)
    asked += [re.findall(r'\[\d+, "([a-z]+)"\]', script), re.findall(r'data-(?:text|label)="([^"]+)"', html)]
    words = {word for found in asked for word in found if word} | {
        name.capitalize().replace("-", " ") for name in MOODS
    }
    assert len(words) > 100 and not [word for word in words if word not in KOREAN_SCRIPTS]


def test_templates_that_are_raised_are_those_that_are_translated():
    """A sentence with values whose template differs from the Korean one by a letter would be shown in English."""
    files = [file for folder in ("colorization", "page") for file in (ROOT / folder).rglob("*.py")]
    calls = r'(?:Sentence|DecodeError|VideoError)\(\s*((?:"[^"]*"\s*)+),'
    found = set()
    for text in (file.read_text(encoding="utf-8") for file in files):
        found |= {"".join(re.findall(r'"([^"]*)"', match)) for match in re.findall(calls, text)}
        found |= set(re.findall(r'text = "([^"]*\{\}[^"]*)"', text))
    assert len(found) > 40 and not {template for template in found if "{}" in template} - KOREAN.keys()
