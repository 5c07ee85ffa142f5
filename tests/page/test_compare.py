"""The Colorize tab in a real browser: what is seen, pressed and saved."""

import io
import zipfile

import numpy as np
import pytest
from conftest import NAMES
from PIL import Image
from support.pages import complaints

from colorization.inference import colorize, gray
from colorization.zoo import load

TITLES = {"pix2pix": "pix2pix", "cwgan": "CWGAN", "unet": "U-Net"}
SRCS = "[...document.querySelectorAll('#viewer .frame img')].map(image => image.src)"
# The widths that the bar of progress has from now on.
WATCH_PROGRESS = """() => {
  const bar = document.querySelector("#viewer .progress div");
  window.widths = [];
  new MutationObserver(() => widths.push(bar.style.width)).observe(bar, { attributes: true });
}"""


@pytest.fixture
def opened(browser, server):
    """The page, freshly opened at a laptop's size; a test fails on anything in its console that is an error."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    errors = complaints(page)
    page.goto(server)
    page.get_by_role("heading", name="Your black-and-white landscape, in color").wait_for()
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def color(photograph, tmp_path):
    """A color photograph."""
    photograph.save(tmp_path / "color.png")
    return tmp_path / "color.png"


def upload(page, file):
    """Upload a file, and wait for the picture in color."""
    page.locator("#upload input[type=file]").set_input_files(file)
    page.get_by_role("img", name=f"{file.stem}, colored by U-Net").wait_for()
    page.locator(".save:not([disabled])").wait_for()


def compare(page):
    """Turn to the comparison of all models, and wait until they are done."""
    view(page, "Compare models")
    page.get_by_role("radio", name="Blind vote").wait_for(state="attached")


def save(page, name):
    """Press a button that saves; gives the download."""
    if not page.locator(".more").get_attribute("open") and name != "Download this picture":
        page.locator(".more").evaluate("details => details.open = true")
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return download.value


def view(page, name):
    page.get_by_role("radio", name=name, exact=True).check(force=True)


def shown(page):
    """The alternative texts of the pictures in the viewer."""
    return [image.get_attribute("alt") for image in page.locator("#viewer .frame img").all()]


def zoom(page):
    return int(page.locator("#viewer .zoom output").inner_text().split()[0])


def natural_sizes(page):
    return page.evaluate(
        "Promise.all([...document.querySelectorAll('#viewer .frame img')].map("
        "async i => { await i.decode(); return [i.naturalWidth, i.naturalHeight]; }))"
    )


def wait_for_other_pictures(page, before):
    page.wait_for_function(f"before => JSON.stringify({SRCS}) !== JSON.stringify(before)", arg=before)


def test_the_page_opens_with_a_photograph_in_both_versions(opened):
    """Nothing is computed or fetched for it, and there is one thing to do."""
    assert shown(opened) == [
        "Longs Peak, about 1941, the black-and-white input",
        "Longs Peak, about 1941, colored by U-Net",
    ]
    assert all(src.startswith("data:") for src in opened.evaluate(SRCS))
    assert opened.locator("#viewer .primary:visible").all_inner_texts() == ["Choose a photograph"]
    assert opened.get_by_text("at most 20 MB and 40 megapixels").is_visible()
    assert not opened.locator("#viewer").get_by_text("skin often turns bluish").is_visible()
    for part in (".toolbar", "#strength", ".save", "#scores", ".moods"):
        assert not opened.locator(f"#viewer {part}").is_visible(), part
    handle = opened.get_by_role("slider", name="Divider between the two pictures")
    handle.press("Home")
    assert handle.get_attribute("aria-valuenow") == "0"


def test_the_result_is_in_the_first_screen(opened, old, photograph):
    upload(opened, old)
    assert shown(opened) == ["old, the black-and-white input", "old, colored by U-Net"]
    assert natural_sizes(opened) == [list(photograph.size)] * 2
    stage = opened.locator("#viewer .stage").bounding_box()
    assert stage["y"] < 200 and stage["y"] + stage["height"] <= 768 and stage["width"] > 900


def test_on_a_phone_the_picture_comes_first(browser, server, old):
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(server)
    upload(page, old)
    page.wait_for_timeout(500)
    stage = page.locator("#viewer .stage").bounding_box()
    assert stage["y"] >= 0 and stage["y"] + stage["height"] <= 844 and stage["height"] >= 0.6 * 844
    top = {name: page.locator(name).bounding_box()["y"] for name in ("#strength", ".save", "#upload", "#examples")}
    assert list(top) == sorted(top, key=top.get) and top["#strength"] < 844, "picture, strength, saving, another one"
    small = page.evaluate("""() => [...document.querySelectorAll("#viewer :is(button, summary, select)")].filter(e =>
      e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 90))""")
    assert small == [], "what a finger can hit"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "the page is wider than the screen"
    context.close()


def test_slider_grid_and_single(opened, color):
    upload(opened, color)
    compare(opened)
    view(opened, "Grid")
    everything = ["color, the black-and-white input", *(f"color, colored by {TITLES[name]}" for name in NAMES)]
    assert shown(opened) == [*everything, "color, the original"]
    view(opened, "Single")
    view(opened, "CWGAN")
    assert shown(opened) == ["color, colored by CWGAN"]
    view(opened, "Slider")
    opened.get_by_role("combobox", name="Left").select_option("Original")
    opened.get_by_role("combobox", name="Right").select_option("pix2pix")
    assert shown(opened) == ["color, the original", "color, colored by pix2pix"]


def test_the_picker_offers_no_original_where_there_is_none(opened, old, color):
    upload(opened, color)
    compare(opened)
    opened.get_by_role("combobox", name="Left").select_option("Original")
    opened.locator("#upload input[type=file]").set_input_files(old)
    opened.get_by_role("img", name="old, colored by U-Net").wait_for()
    opened.get_by_role("radio", name="Blind vote").wait_for(state="attached")
    assert opened.get_by_role("combobox", name="Left").locator("option").all_inner_texts() == [
        "Input",
        *TITLES.values(),
    ]


def test_the_divider_moves_by_mouse_and_by_keyboard(opened, old):
    upload(opened, old)
    handle = opened.get_by_role("slider", name="Divider between the two pictures")
    box = handle.bounding_box()
    assert box["width"] >= 24
    clip = opened.locator("#viewer .frame img").nth(1)
    before = clip.evaluate("image => image.style.clipPath")
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    opened.mouse.down()
    opened.mouse.move(box["x"] + 200, box["y"] + 50, steps=5)
    opened.mouse.up()
    assert handle.bounding_box()["x"] - box["x"] > 150
    assert clip.evaluate("image => image.style.clipPath") != before
    handle.focus()
    handle.press("Home")
    assert handle.get_attribute("aria-valuenow") == "0"
    handle.press("ArrowRight")
    assert handle.get_attribute("aria-valuenow") == "2"


def test_zoom_and_pan_are_in_step_over_all_pictures(opened, color):
    upload(opened, color)
    compare(opened)
    view(opened, "Grid")
    fit = zoom(opened)
    stage = opened.locator("#viewer .stage")
    stage.hover(position={"x": 100, "y": 80})
    opened.mouse.wheel(0, -400)
    assert zoom(opened) > fit
    stage.focus()
    for key in ("+", "ArrowRight", "ArrowDown"):
        opened.keyboard.press(key)
    styles = [image.get_attribute("style") for image in opened.locator("#viewer .frame img").all()]
    assert len(styles) == 5 and len(set(styles)) == 1
    opened.keyboard.press("0")
    assert zoom(opened) == fit
    stage.dblclick(position={"x": 100, "y": 80})
    assert zoom(opened) == 100
    stage.dblclick(position={"x": 100, "y": 80})
    assert zoom(opened) == fit


def test_the_page_scrolls_on_where_nothing_is_zoomed(opened, color):
    upload(opened, color)
    opened.locator(".more summary").click()
    opened.locator("#viewer .stage").hover()
    opened.mouse.wheel(0, 200)
    opened.wait_for_function("window.scrollY > 0")


def test_a_large_photograph_is_sharp_when_one_zooms_in(opened, photograph, tmp_path):
    gray(photograph).resize((3000, 2000)).save(tmp_path / "large.jpg")
    upload(opened, tmp_path / "large.jpg")
    assert max(max(size) for size in natural_sizes(opened)) <= 1600, "the first view is to be quick"
    opened.get_by_role("button", name="Actual pixels").click()
    opened.wait_for_function(
        "[...document.querySelectorAll('#viewer .frame img')].every(image => image.naturalWidth === 3000)"
    )


def test_a_picture_that_comes_late_is_not_shown_of_the_next_photograph(opened, old, photograph, tmp_path):
    gray(photograph).resize((3000, 2000)).save(tmp_path / "large.jpg")
    held = []
    is_wanted = lambda request: '"full ' in (request.post_data or "")  # noqa: E731
    opened.route("**/queue/join*", lambda route: held.append(route) if is_wanted(route.request) else route.continue_())
    upload(opened, tmp_path / "large.jpg")
    with opened.expect_request(is_wanted):
        opened.get_by_role("button", name="Actual pixels").click()
    upload(opened, old)
    opened.evaluate(
        "document.addEventListener('colorization-answer', ({ detail }) => { window.late ||= Boolean(detail.details); })"
    )
    held[0].continue_()
    opened.wait_for_function("window.late")
    opened.wait_for_timeout(1000)  # in which it would be decoded and drawn
    assert [tuple(size) for size in natural_sizes(opened)] == [photograph.size] * 2


def test_the_strength_of_color_acts_by_keyboard(opened, old):
    upload(opened, old)
    before = opened.evaluate(SRCS)
    strength = opened.locator("#strength input[type=range]")
    strength.focus()
    strength.press("End")
    wait_for_other_pictures(opened, before)
    after = opened.evaluate(SRCS)
    assert after[0] == before[0], "the input has no color to be changed"
    assert strength.input_value() == "2"


def test_downloads_are_the_full_picture_named_after_the_photograph(opened, old, photograph, tmp_path):
    upload(opened, old)
    download = save(opened, "Download this picture")
    assert download.suggested_filename == "old-unet.png"
    download.save_as(tmp_path / "unet.png")
    picture = Image.open(tmp_path / "unet.png")
    assert picture.format == "PNG" and set(picture.info) <= {"xmp", "XML:com.adobe.xmp"}
    assert "compositeWithTrainedAlgorithmicMedia" in str(picture.info)
    assert np.array_equal(np.asarray(picture), np.asarray(colorize(load("unet"), gray(photograph))))
    opened.evaluate(WATCH_PROGRESS)
    download = save(opened, "All with a sheet (zip)")
    assert len(opened.evaluate("widths")) >= 4  # one for each version
    assert download.suggested_filename == "old.zip"
    download.save_as(tmp_path / "old.zip")
    with zipfile.ZipFile(tmp_path / "old.zip") as archive:
        names = archive.namelist()
        assert names == [f"old-{name}.jpg" for name in ("input", *NAMES, "comparison")]
        sizes = [Image.open(io.BytesIO(archive.read(name))).size for name in names]
    assert sizes[:-1] == [photograph.size] * 4


def test_scores_stand_beside_the_gray_row_and_the_best_is_marked(opened, color):
    upload(opened, color)
    compare(opened)
    opened.get_by_text("Scores against the original").click()
    table = opened.get_by_role("table")
    table.locator("tbody tr").nth(3).wait_for()
    assert table.get_by_role("rowheader").all_inner_texts() == ["gray copy, the row to beat", *TITLES.values()]
    columns = list(zip(*[row.locator("td").all() for row in table.locator("tbody tr").all()], strict=True))
    for cells, pick in zip(columns, (max, max, min), strict=True):
        values = [float(cell.inner_text().split()[0]) for cell in cells]
        marked = [value for cell, value in zip(cells, values, strict=True) if "best" in cell.inner_text()]
        assert set(marked) == {pick(values)}


def test_a_gray_photograph_has_no_scores(opened, old):
    upload(opened, old)
    compare(opened)
    assert not opened.get_by_text("Scores against the original").is_visible()
    assert not opened.get_by_label("Show error").count()


def test_the_error_picture_comes_on_request(opened, color):
    upload(opened, color)
    compare(opened)
    opened.get_by_label("Show error").check()
    opened.get_by_role("img", name="Error of color, colored by U-Net").wait_for()
    assert opened.locator(".legend").inner_text().split("\n") == ["exact", "64 levels off or more"]
    opened.wait_for_function(f"{SRCS}[1].includes('error')")
    opened.get_by_label("Show error").uncheck()
    assert not opened.locator(".legend").is_visible()
    opened.wait_for_function(f"!{SRCS}[1].includes('error')")


def test_a_bad_file_is_a_sentence_that_stays(opened, old, tmp_path):
    (tmp_path / "text.jpg").write_bytes(b"hello")
    opened.locator("#upload input[type=file]").set_input_files(tmp_path / "text.jpg")
    alert = opened.get_by_role("alert").filter(has_text="This file cannot be colored: this is not a JPEG")
    alert.wait_for()
    assert not opened.get_by_text("Error", exact=True).count()
    upload(opened, old)
    alert.wait_for(state="hidden")


def test_an_example_is_one_click_and_the_second_time_at_once(opened):
    example = opened.get_by_role("button", name="Longs Peak, about 1941")
    assert "Ansel Adams" in example.get_attribute("title")
    example.click()
    opened.get_by_role("img", name="longs_peak, colored by U-Net").wait_for()
    opened.get_by_role("button", name="Misty lake").click()
    opened.get_by_role("img", name="misty_lake, colored by U-Net").wait_for()
    opened.get_by_role("button", name="Longs Peak, about 1941").click()
    opened.get_by_role("img", name="longs_peak, colored by U-Net").wait_for(timeout=15_000)


def test_the_models_tab_tells_the_rounds_apart(opened):
    opened.get_by_role("tab", name="Models").click()
    opened.get_by_text("critic five times per generator step").wait_for()
    opened.get_by_text("gray copy of the input").wait_for()
