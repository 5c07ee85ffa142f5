"""The page by axe-core, in light and dark, in two languages; what is gradio's own is listed here."""

import pytest

# Rules that gradio's own parts break, and where: we cannot mend them from here.
GRADIOS_OWN = {
    "image-redundant-alt": ('alt="Settings"', 'alt="설정"', "/curves.png"),  # in the footer; captions in a gallery
    "aria-prohibited-attr": ('class="empty',),  # an image that is not there yet
}
TABS = {"Colorize": "컬러화", "Batch": "여러 장", "Video": "동영상", "Models": "모델"}


@pytest.fixture(scope="module")
def axe():
    module = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    return module.Axe()


def violations(axe, page):
    """Each violation as the rule's name and the elements."""
    found = axe.run(page).response["violations"]
    return {
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        for node in violation["nodes"]
        if not any(mark in node["html"] for mark in GRADIOS_OWN.get(violation["id"], ()))
    }


@pytest.mark.parametrize(
    ("locale", "scheme"), [("en-US", "light"), pytest.param("ko-KR", "dark", marks=pytest.mark.slow)]
)
def test_axe_finds_nothing(axe, browser, server, locale, scheme):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale=locale, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(server)
    page.locator("#examples button").first.wait_for()
    assert violations(axe, page) == set()
    page.locator("#examples button").nth(3).click()
    page.locator(".save:not([disabled])").wait_for()
    page.locator("details").evaluate_all("all => all.forEach(details => details.open = true)")
    page.locator("#scores table").wait_for()
    page.locator(".tile").nth(10).wait_for()
    assert page.locator("[data-save]").first.is_visible()
    assert violations(axe, page) == set(), "result, its moods, and all that can be saved"
    page.locator("#viewer .stage").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.locator(".swatch").nth(7).click()
    assert violations(axe, page) == set(), "a point of color and the colors of its place"
    page.keyboard.press("Escape")
    page.locator("#viewer .switch input[value=all]").check(force=True)
    page.locator(".modes input[value=blind]").wait_for(state="attached")
    for mode in ("slider", "grid", "single", "blind"):
        page.locator(f"#viewer .modes input[value={mode}]").check(force=True)
        assert violations(axe, page) == set(), mode
    for english, korean in TABS.items():
        page.get_by_role("tab", name=korean if locale == "ko-KR" else english).click()
        page.wait_for_timeout(1000)
        assert violations(axe, page) == set(), english
    context.close()
