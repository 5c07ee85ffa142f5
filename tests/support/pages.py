"""The page in a browser, at one of its tabs."""

from contextlib import contextmanager


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
