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
