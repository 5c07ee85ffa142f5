"""The page in a browser, at one of its tabs, and its console."""

import re
from contextlib import contextmanager

LEFT = re.compile("AbortError|errored out")  # what gradio logs of streams when a page is left


@contextmanager
def opened_at(browser, url, tab, size=(1366, 768), seconds=60):
    """A freshly opened page, with a tab chosen; gives playwright's page."""
    page = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    try:
        page.set_default_timeout(1000 * seconds)
        page.goto(url)
        page.get_by_role("tab", name=tab).click()
        yield page
    finally:  # else what it asked for would go on beside the tests after it
        page.close()


def complaints(page):
    """What a browser's page writes to its console as errors, from now on."""
    texts = []
    page.on("console", lambda message: texts.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: texts.append(str(error)))
    page.set_default_timeout(60_000)
    return texts


def choose(picker, name):
    """Choose from a list of gradio's; what is typed is taken only once the list has been narrowed to it."""
    picker.click()
    picker.page.get_by_role("option", name=name, exact=True).click()


def where(page, x, y):
    """A place of the photograph, in [0, 1], on the screen."""
    box = page.locator("#viewer .frame img").first.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def result(page):
    """What is shown of the result."""
    return page.locator("#viewer .frame img").nth(1).get_attribute("src")


def changed(page, before):
    """Wait until the result is another one."""
    page.wait_for_function("before => document.querySelectorAll('#viewer .frame img')[1].src !== before", arg=before)


def points(page):
    """The points of color that are shown."""
    return page.locator("#viewer .dab").evaluate_all("dabs => dabs.map(dab => ({ ...dab.point, index: dab.index }))")
