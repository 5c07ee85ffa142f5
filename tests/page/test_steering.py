"""Points of color and moods in a real browser: placed, moved, undone, kept and saved by mouse and keys."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from support.pages import LEFT, changed, complaints, points, result, where

from colorization.guidance import Point
from colorization.inference import gray
from colorization.lab import rgb_to_lab


@pytest.fixture(scope="module")
def file(photograph, tmp_path_factory):
    """A black-and-white photograph."""
    file = tmp_path_factory.mktemp("steering") / "old.png"
    gray(photograph).save(file)
    return file


@pytest.fixture(scope="module")
def context(browser):
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture
def page(context, server, file):
    """The page with a photograph in color, and no point yet; a test fails on errors in its console."""
    page = context.new_page()
    errors = complaints(page)
    page.goto(server)
    page.locator("#upload input[type=file]").set_input_files(file)
    page.locator(".tile").nth(10).wait_for()
    yield page
    page.close()
    assert [text for text in errors if not LEFT.search(text)] == []


def click(page, x, y):
    page.mouse.click(*where(page, x, y))
    page.locator(".swatch").nth(7).wait_for()


def give(page, x, y, number=0):
    """Give a place one of the suggestions, and wait for the picture."""
    before = result(page)
    click(page, x, y)
    page.locator(".swatch").nth(number).click()
    changed(page, before)


def pixels(page):
    """The result as it is shown, RGB."""
    data = page.evaluate(
        """async () => {
          const image = document.querySelectorAll('#viewer .frame img')[1];
          await image.decode();
          const canvas = document.createElement('canvas');
          canvas.width = image.naturalWidth;
          canvas.height = image.naturalHeight;
          canvas.getContext('2d').drawImage(image, 0, 0);
          return canvas.toDataURL();
        }"""
    )
    import base64

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))


def distance(page, point):
    """Of the color at a point from the color that was asked for, in a and b."""
    picture = pixels(page)
    row, column = (int(u * size) for u, size in zip((point["y"], point["x"]), picture.shape[:2], strict=True))
    shown = rgb_to_lab((picture[row, column] / 255).reshape(3, 1, 1)).ravel()[1:]
    return float(np.hypot(*(shown - Point(0, 0, point["color"]).ab)))


def test_a_click_offers_eight_colors_and_the_picture_follows_the_chosen_one(page):
    click(page, 0.36, 0.78)
    swatches = page.locator(".swatch")
    assert swatches.count() == 8
    assert len({swatch.evaluate("s => getComputedStyle(s).backgroundColor") for swatch in swatches.all()}) == 8
    assert all(swatch.get_attribute("aria-label") for swatch in swatches.all())
    before = result(page)
    swatches.nth(2).click()
    changed(page, before)
    (point,) = points(page)
    assert (point["x"], point["y"]) == (pytest.approx(0.36, abs=0.01), pytest.approx(0.78, abs=0.01))
    assert distance(page, point) < 6
    page.get_by_role("button", name="Done").click()
    assert page.get_by_role("dialog").count() == 0


def test_gray_is_a_color_too(page):
    click(page, 0.8, 0.2)
    before = result(page)
    page.get_by_role("button", name="Leave gray").click()
    changed(page, before)
    (point,) = points(page)
    assert point["color"] == "#808080" and distance(page, point) < 5


def test_the_wheel_gives_any_color(page):
    click(page, 0.75, 0.5)
    wheel = page.get_by_role("slider", name="Color wheel")
    box = wheel.bounding_box()
    before = result(page)
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"])
    changed(page, before)
    (point,) = points(page)
    a, b = Point(0, 0, point["color"]).ab
    assert a > 25 and abs(b) < 10, "to the right lies red"
    wheel.press("ArrowUp")
    assert np.hypot(*Point(0, 0, points(page)[0]["color"]).ab) > np.hypot(a, b) + 2
    assert re.fullmatch(r"(pink|red), strength \d+ of 80", wheel.get_attribute("aria-valuetext"))


def test_a_point_on_the_gray_side_is_uncovered(page):
    give(page, 0.2, 0.5)
    page.wait_for_function("Number(document.querySelector('.handle').getAttribute('aria-valuenow')) < 25")


def test_points_are_moved_recolored_removed_undone_and_redone(page):
    automatic = result(page)
    give(page, 0.75, 0.3)
    first = result(page)
    page.keyboard.press("Escape")
    x, y = where(page, 0.75, 0.3)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=6)
    page.mouse.up()
    (moved,) = points(page)
    assert moved["x"] > 0.78 and moved["y"] > 0.34
    changed(page, first)
    page.locator("#viewer .dab").click()
    page.locator(".swatch").nth(5).click()
    (recolored,) = points(page)
    assert recolored["color"] != moved["color"] and recolored["x"] == moved["x"]
    page.get_by_role("button", name="Remove").click()
    assert points(page) == []
    for expected in (recolored, moved):
        page.keyboard.press("Control+z")
        assert points(page) == [expected]
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    assert (points(page)[0]["x"], points(page)[0]["y"]) == (pytest.approx(0.75, abs=0.01), pytest.approx(0.3, abs=0.01))
    page.keyboard.press("Control+z")
    page.wait_for_function("src => document.querySelectorAll('#viewer .frame img')[1].src === src", arg=automatic)
    assert points(page) == [] and page.get_by_role("button", name="Undo (Ctrl+Z)").is_disabled()
    page.keyboard.press("Control+Shift+z")
    assert len(points(page)) == 1
    give(page, 0.6, 0.8)
    page.get_by_role("button", name="Clear all points and the mood").click()
    assert points(page) == []
    page.keyboard.press("Control+z")
    assert len(points(page)) == 2


def test_an_undo_overtakes_a_picture_that_is_still_being_decoded(page):
    give(page, 0.3, 0.7)
    given = result(page)
    click(page, 0.7, 0.3)
    page.evaluate(
        """() => {
          window.held = [];
          HTMLImageElement.prototype.decode = () => new Promise((resolve) => window.held.push(resolve));
        }"""
    )
    page.locator(".swatch").nth(1).click()
    page.wait_for_function("held.length === 1")
    page.keyboard.press("Control+z")
    page.wait_for_function("held.length === 2", timeout=20_000)
    page.evaluate("held.forEach((resolve) => resolve())")
    page.wait_for_timeout(200)
    assert result(page) == given


def test_a_point_by_keys_alone(page):
    page.locator("#viewer .stage").focus()
    page.keyboard.press("Enter")
    dab = page.locator("#viewer .dab")
    assert dab.get_attribute("aria-label") == "New point, 50 % from the left, 50 % from the top, no color yet"
    for key in ("Shift+ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    before = result(page)
    page.keyboard.press("Enter")
    page.locator(".swatch").nth(7).wait_for()
    page.wait_for_function("document.activeElement.classList.contains('swatch')")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    changed(page, before)
    page.keyboard.press("Escape")
    page.wait_for_function("document.activeElement.classList.contains('dab')")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert re.fullmatch(r"Point 1, 56 % from the left, 45 % from the top, [a-z ]+", label)
    page.keyboard.press("ArrowLeft")
    assert points(page)[0]["x"] == pytest.approx(0.55)
    page.keyboard.press("Delete")
    assert points(page) == []


def test_moods_are_ordered_seen_small_chosen_and_combined(page):
    tiles = page.locator(".tile")
    names = tiles.all_inner_texts()
    assert len(names) == 11 and names[0] == "Automatic" and len(set(names)) == 11
    pictures = tiles.locator("img").evaluate_all("images => images.map(i => [i.src, i.naturalWidth, i.naturalHeight])")
    assert len({src for src, *_ in pictures}) == 11 and all(width > 100 for _, width, _ in pictures)
    automatic = result(page)
    page.get_by_role("radio", name="Automatic").focus()
    page.keyboard.press("ArrowRight")
    changed(page, automatic)
    mood = result(page)
    give(page, 0.75, 0.3)
    assert len(points(page)) == 1 and page.get_by_role("radio", name=names[1]).is_checked()
    both = result(page)
    strength = page.locator("#strength input")
    strength.focus()
    strength.press("End")
    changed(page, both)
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Automatic").check(force=True)
    assert len(points(page)) == 1 and result(page) not in (mood, automatic)


def test_the_work_is_still_there_after_a_reload_and_after_a_way_back(page, server):
    give(page, 0.75, 0.3)
    page.get_by_role("radio", name="Sunset").check(force=True)
    page.wait_for_timeout(1500)
    kept, automatic = points(page), page.locator(".tile img").first.get_attribute("src")
    for _ in range(2):
        page.reload()
        page.locator(".tile").nth(10).wait_for()
        page.wait_for_function("document.querySelectorAll('#viewer .frame img')[1].src.startsWith('data:')")
        assert points(page) == kept and page.get_by_role("radio", name="Sunset").is_checked()
        page.wait_for_function("src => document.querySelectorAll('#viewer .frame img')[1].src !== src", arg=automatic)
        page.goto(f"{server}config")
        page.go_back()


def test_the_zip_has_the_guidance_and_so_has_a_file_of_its_own(page, tmp_path, photograph):
    give(page, 0.75, 0.3)
    page.keyboard.press("Escape")
    page.get_by_text("Save as ...").click()
    saved = {}
    for name in ("All with a sheet (zip)", "My points and mood (JSON)", "Download this picture"):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        saved[download.value.suggested_filename] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[download.value.suggested_filename])
    assert list(saved) == ["old.zip", "old.hints.json", "old-steered.png"]
    hints = json.loads(saved["old.hints.json"].read_text())
    assert hints["version"] == 1 and [point["color"] for point in hints["points"]] == [points(page)[0]["color"]]
    with zipfile.ZipFile(saved["old.zip"]) as archive:
        assert {"old-steered.jpg", "old-unet.jpg", "old.hints.json", "old-comparison.jpg"} <= set(archive.namelist())
        assert json.loads(archive.read("old.hints.json")) == hints
        assert archive.read("old-steered.jpg") != archive.read("old-unet.jpg")
    assert Image.open(saved["old-steered.png"]).size == photograph.size
    page.get_by_role("button", name="Clear all points and the mood").click()
    page.locator("#upload input[type=file]").set_input_files(saved["old.hints.json"])
    page.locator("#viewer .dab").wait_for(state="attached")
    assert points(page)[0]["color"] == hints["points"][0]["color"]


def test_a_steered_photograph_is_sharp_when_one_zooms_in(page, photograph, tmp_path):
    gray(photograph).resize((3000, 2000)).save(tmp_path / "large.jpg")
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "large.jpg")
    page.get_by_role("img", name="large, colored by U-Net").wait_for()
    give(page, 0.75, 0.3)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Actual pixels").click()
    page.wait_for_function("document.querySelectorAll('#viewer .frame img')[1].naturalWidth === 3000")
    page.get_by_role("button", name="Fit the whole picture").click()
    before = result(page)
    page.get_by_role("radio", name="Sunset").check(force=True)
    changed(page, before)


def test_the_border_of_a_print_takes_no_color(page, photograph, tmp_path):
    page_ = Image.new("L", (photograph.width + 160, photograph.height + 160), 214)
    page_.paste(photograph.convert("L"), (80, 80))
    page_.save(tmp_path / "album.png")
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "album.png")
    page.get_by_role("img", name="album, colored by U-Net").wait_for()
    page.mouse.click(*where(page, 0.97, 0.5))
    page.get_by_role("alert").filter(has_text="border around the picture, which stays gray").wait_for()
    assert points(page) == []
    give(page, 0.75, 0.5)
    assert page.get_by_role("alert").count() == 0 and distance(page, points(page)[0]) < 8


def test_steered_colors_are_scored_and_compared(page, photograph, tmp_path):
    photograph.rotate(3).save(tmp_path / "color.png")  # which no other test has had compared
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "color.png")
    page.get_by_role("img", name="color, colored by U-Net").wait_for()
    give(page, 0.75, 0.3)
    page.keyboard.press("Escape")
    page.get_by_text("Scores against the original").click()
    rows = page.locator("#scores tbody tr")
    rows.nth(2).wait_for()
    assert [row.locator("th").inner_text() for row in rows.all()] == [
        "gray copy, the row to beat",
        "U-Net",
        "Your colors",
    ]
    page.get_by_role("radio", name="Compare models").check(force=True)
    page.get_by_role("radio", name="Grid", exact=True).check(force=True)
    page.locator("#viewer .frame").nth(5).wait_for()
    assert page.locator("#viewer .frame .name").all_inner_texts() == [
        *("Input", "pix2pix", "CWGAN", "U-Net", "Your colors", "Original")
    ]
    assert page.locator("#viewer .dab").count() == 1, "on the picture that is steered"
