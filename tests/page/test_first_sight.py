"""What visitors trip over, in a real browser: another photograph, drop, paste, reload, saving, faded scans."""

import base64
import io

import av
import numpy as np
import pytest
import tifffile
from PIL import Image
from support.pages import LEFT, complaints

from colorization.inference import gray

RESULT = "document.querySelectorAll('#viewer .frame img')[1]"
BROKEN = (
    "[...document.images].filter(image => image.src && image.complete && !image.naturalWidth).map(image => image.src)"
)


@pytest.fixture(scope="module")
def context(browser):
    context = browser.new_context(
        viewport={"width": 1366, "height": 768}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def opened(context, server):
    """The page; a test fails on errors in its console."""
    page = context.new_page()
    errors = complaints(page)
    page.goto(server)
    page.get_by_role("button", name="Choose a photograph").wait_for()
    yield page
    page.close()
    assert [text for text in errors if not LEFT.search(text)] == []


@pytest.fixture
def other(photograph, tmp_path):
    """Another one, of another shape, as a scanner writes it."""
    gray(photograph).rotate(90, expand=True).save(tmp_path / "other.tiff")
    return tmp_path / "other.tiff"


def upload(page, file):
    page.locator("#upload input[type=file]").set_input_files(file)
    colored(page, file.stem)


def colored(page, stem):
    page.get_by_role("img", name=f"{stem}, colored by U-Net").wait_for()
    page.locator(".save:not([disabled])").wait_for()


def drag(page, selector, file, *kinds):
    """Events of dragging a real file, on an element."""
    data = page.evaluate_handle(
        """([name, coded]) => {
          const bytes = Uint8Array.from(atob(coded), character => character.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], name));
          return data;
        }""",
        [file.name, base64.b64encode(file.read_bytes()).decode()],
    )
    for kind in kinds:
        page.dispatch_event(selector, kind, {"dataTransfer": data})


def test_another_photograph_is_dropped_or_chosen_and_the_result_stays_until_it_is_there(opened, old, other):
    upload(opened, old)
    opened.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => window.seen.push(document.querySelectorAll("#viewer .frame img").length))
            .observe(document.querySelector("#viewer .stage"), { childList: true, subtree: true });
        }"""
    )
    drag(opened, "#viewer .stage", other, "dragenter", "dragover", "drop")
    colored(opened, "other")
    with opened.expect_file_chooser() as chooser:
        opened.get_by_role("button", name="Another photograph").click()
    assert opened.get_by_role("img", name="other, colored by U-Net").is_visible(), "nothing is chosen yet"
    chooser.value.set_files(old)
    colored(opened, "old")
    assert min(opened.evaluate("seen")) >= 1, "the stage was empty in between"
    assert opened.evaluate(BROKEN) == []


def test_the_whole_page_takes_a_drop(opened, old):
    overlay = opened.get_by_text("Drop the photograph anywhere")
    drag(opened, "footer", old, "dragenter")
    assert overlay.is_visible()
    drag(opened, "footer", old, "dragleave")
    assert not overlay.is_visible()
    address = opened.url
    drag(opened, "footer", old, "dragenter", "dragover", "drop")
    assert not overlay.is_visible()
    colored(opened, "old")
    assert opened.url == address


def test_a_photograph_is_pasted(opened, old):
    opened.evaluate(
        """async coded => {
          const bytes = Uint8Array.from(atob(coded), character => character.charCodeAt(0));
          const blob = new Blob([bytes], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(old.read_bytes()).decode(),
    )
    opened.keyboard.press("Control+v")
    colored(opened, "image")


def test_a_reload_brings_back_the_work_and_says_when_it_cannot(opened, old):
    upload(opened, old)
    before = opened.evaluate(f"{RESULT}.src")
    opened.locator("#strength input").press("End")
    opened.wait_for_function(f"before => {RESULT}.src !== before", arg=before)
    opened.reload()
    colored(opened, "old")
    assert opened.locator("#strength input").input_value() == "2"
    opened.wait_for_function(f"before => {RESULT}.src !== before", arg=before)
    opened.evaluate(
        """() => {
          const key = Object.keys(sessionStorage).find(key => sessionStorage[key].includes("old.png"));
          sessionStorage[key] = sessionStorage[key].replace("old.png", "gone.png");
        }"""
    )
    opened.reload()
    opened.get_by_role("alert").filter(has_text="kept here for half an hour after its last use").wait_for()
    assert opened.get_by_role("button", name="Choose a photograph").is_visible()
    upload(opened, old)
    assert not opened.get_by_role("alert").filter(has_text="half an hour").is_visible()


def test_a_refused_file_leaves_the_result_and_no_broken_image(opened, old, tmp_path):
    upload(opened, old)
    (tmp_path / "text.tif").write_bytes(b"hello")
    opened.locator("#upload input[type=file]").set_input_files(tmp_path / "text.tif")
    opened.get_by_role("alert").filter(has_text="This file cannot be colored").wait_for()
    assert opened.get_by_role("img", name="old, colored by U-Net").is_visible()
    assert opened.evaluate(BROKEN) == []


def test_what_has_the_focus_is_seen(opened, old):
    upload(opened, old)
    for selector in ("#strength input", "#contrast input", ".handle", ".save"):
        element = opened.locator(f"#viewer {selector}")
        element.focus()
        opened.keyboard.press("Shift")  # as a keyboard is used
        width = element.evaluate("element => getComputedStyle(element).outlineWidth")
        assert float(width.removesuffix("px")) >= 2, selector


def test_korean_breaks_between_words(opened):
    breaks = opened.locator(".opening p, .gradio-container").evaluate_all(
        "all => all.map(e => getComputedStyle(e).wordBreak)"
    )
    assert set(breaks) == {"keep-all"}


def test_contrast_is_restored_on_request_and_the_page_says_so(opened, photograph, tmp_path):
    gray(photograph).point([80 + level // 3 for level in range(256)] * 3).save(tmp_path / "faded.png")
    upload(opened, tmp_path / "faded.png")
    box = opened.get_by_label("Restore the contrast of a faded scan")
    sentence = opened.get_by_text("The lightness is no longer exactly that of your photograph.")
    assert not box.is_checked() and not sentence.is_visible()
    before = opened.evaluate(f"{RESULT}.src")
    box.check()
    opened.wait_for_function(f"before => {RESULT}.src !== before", arg=before)
    assert sentence.is_visible()
    assert opened.get_by_role("link", name="Bringing Old Photos Back to Life").is_visible(), "scratches stay"
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Download this picture").click()
    download.value.save_as(tmp_path / "saved.png")
    assert np.asarray(Image.open(tmp_path / "saved.png").convert("L")).max() > 240
    box.uncheck()
    opened.wait_for_function(f"before => {RESULT}.src === before", arg=before)


def test_every_kind_of_file_can_be_saved(opened, old, photograph, tmp_path):
    Image.fromarray(np.asarray(gray(photograph).convert("L")).astype(np.uint16) * 257).save(tmp_path / "scan.tif")
    upload(opened, tmp_path / "scan.tif")
    opened.get_by_text("Save as ...").click()
    with opened.expect_download() as download:
        opened.get_by_role("button", name="TIFF, 16 bits").click()
    assert download.value.suggested_filename == "scan-unet.tif"
    assert tifffile.imread(download.value.path()).dtype == np.uint16
    upload(opened, old)
    assert not opened.get_by_role("button", name="TIFF, 16 bits").is_visible(), "there are only 8"
    opened.get_by_label("With a line that says where the colors come from").check()
    saved = {}
    for name in ("JPEG", "Color layer for Photoshop (PNG)", "Side by side", "Diagonal", "Moving, MP4", "Moving, GIF"):
        with opened.expect_download() as download:
            opened.get_by_role("button", name=name, exact=True).click()
        download.value.save_as(tmp_path / "saved")
        saved[name] = (download.value.suggested_filename, (tmp_path / "saved").read_bytes())
    pictures = {name: Image.open(io.BytesIO(data)) for name, (_, data) in saved.items() if "MP4" not in name}
    assert [file for file, _ in saved.values()] == [
        *("old-unet.jpg", "old-unet-color-layer.png", "old-before-after.jpg", "old-before-after.jpg"),
        *("old-before-after.mp4", "old-before-after.gif"),
    ]
    width, height = photograph.size
    assert pictures["JPEG"].size == pictures["Color layer for Photoshop (PNG)"].size == (width, height)
    assert pictures["Side by side"].width == width and pictures["Side by side"].height > 2 * height
    assert pictures["Diagonal"].width == width and pictures["Diagonal"].height > height, "the credit line"
    assert pictures["Moving, GIF"].is_animated
    with av.open(io.BytesIO(saved["Moving, MP4"][1])) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (width, height - 1)
