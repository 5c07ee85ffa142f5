"""The viewer under fingers: a phone's screen in a real browser, touched through the DevTools protocol."""

import re

import pytest
from support.pages import changed, points, result, where

from colorization.inference import gray

SETTLED = 200  # ms in which a page that scrolls or zooms by itself would do so
RESTED = 100  # ms that a finger rests before it is lifted; a tap right after a fling ends that, and is no click


class Fingers:
    """Touches of a page, each finger a list of points that it moves through."""

    def __init__(self, page):
        self.page, self.session = page, page.context.new_cdp_session(page)

    def move(self, *fingers, steps=8):
        """Put fingers down at their first points, move them in step to their last ones, and lift them."""
        self._send("touchStart", [start for start, _ in fingers])
        for step in range(1, steps + 1):
            points = [
                (x + (to_x - x) * step / steps, y + (to_y - y) * step / steps) for (x, y), (to_x, to_y) in fingers
            ]
            self._send("touchMove", points)
        self.page.wait_for_timeout(RESTED)
        self._send("touchEnd", [])
        self.page.wait_for_timeout(SETTLED)

    def _send(self, kind, points):
        listed = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})


@pytest.fixture(scope="module")
def phone(browser, server, photograph, tmp_path_factory):
    """The page on a phone, with a photograph in all its versions."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server)
    file = tmp_path_factory.mktemp("phone") / "old.png"
    gray(photograph).save(file)
    page.locator("#upload input[type=file]").set_input_files(file)
    page.get_by_role("img", name="old, colored by U-Net").wait_for()
    page.get_by_role("radio", name="Compare models").check(force=True)
    page.get_by_role("radio", name="Blind vote").wait_for(state="attached")
    yield page
    context.close()


@pytest.fixture(params=["Slider", "Grid"])
def view(phone, request):
    """A view with several pictures, not zoomed."""
    phone.get_by_role("radio", name=request.param, exact=True).check(force=True)
    phone.get_by_role("button", name="Fit the whole picture").tap()
    phone.locator("#viewer .stage").scroll_into_view_if_needed()
    phone.wait_for_timeout(SETTLED)
    return phone


def zoom(page):
    return int(page.locator("#viewer .zoom output").inner_text().split()[0])


def pictures(page):
    """Width, left and top of each picture in its frame; all the same where they are in step."""
    styles = [image.get_attribute("style") for image in page.locator("#viewer .frame img").all()]
    numbers = [re.findall(r"(?:width: |translate\(|, )(-?[\d.]+)px", style)[:3] for style in styles]
    assert len(styles) > 1 and all(other == numbers[0] for other in numbers[1:]), "not in step"
    return [float(number) for number in numbers[0]]


def first_frame(page):
    """The middle and half the size of the first picture's frame."""
    box = page.locator("#viewer .frame").first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] / 2, box["height"] / 2


def page_state(page):
    """How far the page itself is scrolled and zoomed."""
    return page.evaluate("[Math.round(scrollX), Math.round(scrollY), visualViewport.scale]")


@pytest.mark.parametrize("direction", [(1, 0), (0, 1), (0.7, 0.7)])
def test_two_fingers_zoom_all_pictures_in_step_and_not_the_page(view, direction):
    fit, before = zoom(view), page_state(view)
    x, y, half_width, half_height = first_frame(view)
    near, far = 0.2 * min(half_width, half_height), 0.6 * min(half_width, half_height)
    out = [
        ((x + side * near * direction[0], y + side * near * direction[1]),
         (x + side * far * direction[0], y + side * far * direction[1]))
        for side in (-1, 1)
    ]  # fmt: skip
    Fingers(view).move(*out)
    assert zoom(view) == pytest.approx(3 * fit, rel=0.25)
    pictures(view)
    Fingers(view).move(*[(end, start) for start, end in out])
    assert zoom(view) == pytest.approx(fit, rel=0.3)
    assert page_state(view) == before


def test_what_is_between_two_fingers_stays_there(view):
    x, y, half_width, _ = first_frame(view)
    x -= half_width / 2
    Fingers(view).move(((x - 10, y), (x - 30, y)), ((x + 10, y), (x + 30, y)))
    width, left, _ = pictures(view)
    box = view.locator("#viewer .frame").first.bounding_box()
    assert (x - box["x"] - left) / width == pytest.approx(0.25, abs=0.03)


def test_one_finger_moves_zoomed_pictures_in_step_and_not_the_page(view):
    x, y, half_width, _ = first_frame(view)
    Fingers(view).move(((x - 20, y), (x - 80, y)), ((x + 20, y), (x + 80, y)))
    before, (_, left, top) = page_state(view), pictures(view)
    Fingers(view).move(((x + half_width / 2, y), (x + half_width / 2 + 30, y + 20)))
    _, after_left, after_top = pictures(view)
    assert after_left - left == pytest.approx(30, abs=12) and after_top - top == pytest.approx(20, abs=12)
    assert page_state(view) == before


def test_one_finger_scrolls_the_page_where_nothing_is_zoomed(view):
    before, pictures_before = page_state(view)[1], pictures(view)
    x, y, half_width, _ = first_frame(view)
    Fingers(view).move(((x + half_width / 2, y), (x + half_width / 2, y - 120)))
    assert page_state(view)[1] > before + 40
    assert pictures(view) == pictures_before


def test_the_divider_follows_a_finger(phone):
    phone.get_by_role("radio", name="Slider", exact=True).check(force=True)
    phone.get_by_role("button", name="Fit the whole picture").tap()
    handle = phone.get_by_role("slider", name="Divider between the two pictures")
    handle.scroll_into_view_if_needed()
    box, before = handle.bounding_box(), page_state(phone)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    Fingers(phone).move(((x, y), (x + 90, y + 5)))
    assert handle.bounding_box()["x"] - box["x"] == pytest.approx(90, abs=15)
    Fingers(phone).move(((x - 120, y + 60), (x - 60, y + 65)))
    assert handle.bounding_box()["x"] + box["width"] / 2 == pytest.approx(x - 60, abs=15), "anywhere on the picture"
    assert page_state(phone) == before


def test_a_point_is_placed_colored_moved_undone_kept_and_saved_by_touch(browser, server, old):
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server)
    page.locator("#upload input[type=file]").set_input_files(old)
    page.locator(".tile").nth(10).wait_for()
    automatic = result(page)
    page.touchscreen.tap(*where(page, 0.7, 0.3))
    page.locator(".swatch").nth(7).wait_for()
    sheet = page.get_by_role("dialog", name="Color of this place").bounding_box()
    assert (sheet["x"], sheet["width"], sheet["y"] + sheet["height"]) == (0, 390, 844), "below the picture"
    assert sheet["y"] > where(page, 0.7, 0.3)[1], "the place is not covered"
    assert min(swatch.bounding_box()["height"] for swatch in page.locator(".swatch").all()) >= 44
    page.locator(".swatch").nth(1).tap()
    changed(page, automatic)
    placed, given = points(page), result(page)
    assert (placed[0]["x"], placed[0]["y"]) == (pytest.approx(0.7, abs=0.01), pytest.approx(0.3, abs=0.01))
    page.get_by_role("button", name="Done").tap()
    before = page_state(page)
    Fingers(page).move((where(page, 0.7, 0.3), where(page, 0.4, 0.5)))
    changed(page, given)
    assert (points(page)[0]["x"], points(page)[0]["y"]) == (pytest.approx(0.4, abs=0.02), pytest.approx(0.5, abs=0.02))
    assert page_state(page) == before, "the point was moved, and not the page"
    page.get_by_role("button", name="Undo (Ctrl+Z)").tap()
    page.wait_for_function("src => document.querySelectorAll('#viewer .frame img')[1].src === src", arg=given)
    assert points(page) == placed
    page.reload()
    page.locator("#viewer .dab").wait_for()
    page.locator(".save:not([disabled])").wait_for()
    assert points(page) == placed
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this picture").tap()
    assert download.value.suggested_filename == "old-steered.png"
    context.close()
