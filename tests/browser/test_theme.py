"""Light, dark, or what the system has: T, a button, and the next visit."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.pages import settled, show
from tests.browser.served import Site
from tests.browser.visits import Visits


def is_dark(page: Page) -> bool:
    """Whether the letters are lighter than what they stand on."""
    found: bool = page.evaluate("""() => {
      const light = (color) => {
        const pen = new OffscreenCanvas(1, 1).getContext("2d");
        pen.fillStyle = color;
        pen.fillRect(0, 0, 1, 1);
        return pen.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((sum, each) => sum + each, 0);
      };
      const style = getComputedStyle(document.documentElement);
      return light(style.color) > light(style.backgroundColor);
    }""")
    return found


def test_t_turns_the_colours_and_the_next_visit_has_them(yard: Site, visits: Visits) -> None:
    page = visits.open(yard.url).page
    show(page, "#/about")
    button = page.get_by_role("button", name="Colours: ")
    expect(button).to_have_accessible_name("Colours: auto")
    assert not is_dark(page)
    page.emulate_media(color_scheme="dark")
    assert is_dark(page)
    page.keyboard.press("T")
    expect(button).to_have_accessible_name("Colours: light")
    assert not is_dark(page)
    button.click()
    expect(button).to_have_accessible_name("Colours: dark")
    page.emulate_media(color_scheme="light")
    assert is_dark(page)
    page.reload()
    settled(page)
    assert is_dark(page)
    page.keyboard.press("T")
    expect(button).to_have_accessible_name("Colours: auto")
    assert not is_dark(page)
