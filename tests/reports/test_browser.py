"""The pages in a real browser: headless Chromium opens them, clicks, presses keys and reads."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from browser import PHONE, WIDE, seen_at, violations
from classroom import right, write, wrong
from command import grader
from conftest import DEADLINE, GRADIENTS, ROOT, sampled, solution
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from grader.suite import fixtures

pytestmark = pytest.mark.tools("chromium", "chromedriver")


MARKUP = "</pre></script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name: a hostile submission, a class; `page_of` adds the solutions of an exercise."""
    folder = tmp_path_factory.mktemp("pages")
    made = {name: folder / f"{name}.html" for name in ("hostile", "class", "feedback")}
    source = (
        solution("ex1")
        .replace("return counts * dcounts\n", f'raise ValueError("""{MARKUP}""")\n')
        .replace("return (1.0 / probs) * dlogprobs", f"return -dlogprobs / probs  # {MARKUP}")
    )
    files = {"hostile.py": f'print("""{MARKUP}""")\n{source}'}
    submission = write(folder, files) / "hostile.py"
    ran = grader("report", "ex1", "--submission", str(submission), "--html", str(made["hostile"]), cwd=folder)
    assert ran.returncode == 1, ran.stderr
    room = write(folder / "in", {"a.py": right("a"), "b.py": wrong("b"), "<img src=x>.py": wrong("c")})
    ran = grader("batch", str(room), "--exercise", "ex1", "--out", str(folder / "out"), cwd=folder)
    assert ran.returncode == 1, ran.stderr
    ran = grader("report", "--class", str(folder / "out"), "--html", str(made["class"]), cwd=folder)
    assert ran.returncode == 0, ran.stderr
    ran = grader("solution", "ex2", "--yes", "--notebook", str(folder / "my.ipynb"), cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    ran = grader("feedback", str(folder / "my.ipynb"), "--html", str(made["feedback"]), cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return made


def page_of(name: str, pages: dict[str, Path]) -> Path:
    if name not in pages:
        pages[name] = pages["class"].with_name(f"{name}.html")
        ran = grader("report", name, "--solutions", "--html", pages[name], cwd=ROOT)
        assert ran.returncode == 0, ran.stderr
    return pages[name]


Open = Callable[..., webdriver.Chrome]


@pytest.fixture
def opened(driver: webdriver.Chrome, pages: dict[str, Path]) -> Iterator[Open]:
    """opened("ex1"): the page, at this size and in this theme; at the end nothing was complained of."""

    def one(name: str, size: tuple[int, int] = WIDE, theme: str = "light") -> webdriver.Chrome:
        seen_at(driver, size, theme)
        driver.get("about:blank")
        driver.get(page_of(name, pages).as_uri())
        return driver

    driver.get_log("browser")
    yield one
    assert driver.get_log("browser") == []
    loaded = driver.execute_script("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert [name for name in loaded if not name.startswith("data:")] == []
    driver.execute_script("if (location.protocol === 'file:') localStorage.clear()")


def nodes(page: webdriver.Chrome) -> list[Any]:
    return page.find_elements(By.CSS_SELECTOR, ".graph .node")


def shown(page: webdriver.Chrome) -> list[str]:
    found = page.find_elements(By.CSS_SELECTOR, "article.item")
    return [str(a.get_attribute("id")) for a in found if a.is_displayed()]


def focused(page: webdriver.Chrome) -> str | None:
    return page.switch_to.active_element.get_attribute("data-tensor")


def contrast(page: webdriver.Chrome, selector: str) -> float:
    """The least contrast of an element's text with what is behind it, by WCAG's formula."""
    script = """
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (colour) => {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
      return Array.from(canvas.getImageData(0, 0, 1, 1).data);
    };
    const light = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) =>
        v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (one) => {
      for (; one; one = one.parentElement) {
        const colour = rgb(getComputedStyle(one).backgroundColor);
        if (colour[3] === 255) return colour;
      }
    };
    return Array.from(document.querySelectorAll(arguments[0]), (one) => {
      const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    });
    """
    found = page.execute_script(script, selector)
    assert found, selector
    return float(min(found))


@pytest.mark.parametrize("name", sampled(GRADIENTS, 16))
def test_the_graph_has_a_node_for_each_tensor(name: str, opened: Open) -> None:
    described = fixtures.describe(ROOT, name)
    tensors = set(described.tensors) & set(described.shapes)
    found = nodes(opened(name))
    assert len(found) == len(tensors)
    assert {node.get_attribute("data-tensor") for node in found} == tensors


def test_clicking_a_node_shows_its_item_alone(opened: Open) -> None:
    page = opened("hostile")
    assert shown(page) == ["ex1.dprobs"], "the first that did not pass"
    items = [node for node in nodes(page) if node.get_attribute("href")]
    assert len(items) == 26
    for node in items:
        tensor = node.get_attribute("data-tensor")
        node.find_element(By.CSS_SELECTOR, ".name").click()
        assert shown(page) == [f"ex1.d{tensor}"]
        assert node.get_attribute("aria-current") == "true"
    assert len(page.find_elements(By.CSS_SELECTOR, "a.node[aria-current]")) == 1


def test_the_table_leads_to_every_item(opened: Open) -> None:
    page = opened("ex4")
    links = page.find_elements(By.CSS_SELECTOR, "table.items a")
    assert len(links) == 14
    links[-1].click()
    assert shown(page) == ["ex4.training"]
    assert len(page.find_elements(By.CSS_SELECTOR, ".curve polyline")) == 2


def test_an_address_with_an_item_opens_it(opened: Open) -> None:
    page = opened("ex1")
    page.execute_script("location.hash = '#ex1.dh'")
    assert shown(page) == ["ex1.dh"]
    page.refresh()
    assert shown(page) == ["ex1.dh"]


def test_the_keyboard_is_enough(opened: Open) -> None:
    page = opened("ex1")
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    while focused(page) is None:
        page.switch_to.active_element.send_keys(Keys.TAB)
    assert focused(page) == "logprobs", "the first item of the backward pass"
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert focused(page) == "probs"
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    assert focused(page) == "counts_sum_inv"
    page.switch_to.active_element.send_keys(Keys.ARROW_UP)
    assert focused(page) == "probs"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert shown(page) == ["ex1.dprobs"]
    assert page.switch_to.active_element.get_attribute("id") == "ex1.dprobs"
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert focused(page) == "probs"


def test_a_hostile_submission_stays_text(opened: Open) -> None:
    page = opened("hostile")
    assert page.execute_script("return window.hacked") is None
    assert len(page.find_elements(By.TAG_NAME, "script")) == 1
    assert page.find_elements(By.CSS_SELECTOR, "img, iframe, object, embed") == []
    article = page.find_element(By.ID, "ex1.dprobs")
    assert MARKUP in article.text, "the learner's line"
    page.find_element(By.CSS_SELECTOR, 'a.node[data-tensor="norm_logits"] .name').click()
    assert f"ValueError: {MARKUP}" in page.find_element(By.ID, "ex1.dnorm_logits").text
    assert MARKUP in page.find_element(By.CSS_SELECTOR, "section > pre.code").text


def test_the_pages_policy_runs_and_loads_nothing_else(driver: webdriver.Chrome, opened: Open) -> None:
    page = opened("ex2")
    script = """
    const done = arguments[0], blocked = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      blocked.push(event.effectiveDirective);
      if (blocked.length === 3) done(blocked.sort());
    });
    document.body.insertAdjacentHTML("beforeend", "<img src='http://127.0.0.1:9/x'><p style='color: red'>");
    const script = document.createElement("script");
    script.textContent = "window.hacked = 1";
    document.body.append(script);
    """
    page.set_script_timeout(20)
    assert page.execute_async_script(script) == ["img-src", "script-src-elem", "style-src-attr"]
    assert page.execute_script("return window.hacked") is None
    driver.get_log("browser")  # it has complained of all three
    page.get("about:blank")


@pytest.mark.parametrize("name", sampled(["ex1", "ex4", "hostile", "class"], 4))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_are_readable_in_both_themes(name: str, theme: str, opened: Open) -> None:
    page = opened(name, theme=theme)
    for selector in (".chip", "p", "h1", "th", "td", "a", "dt", "caption"):
        if page.find_elements(By.CSS_SELECTOR, selector):
            assert contrast(page, selector) >= 4.5, selector


@pytest.mark.parametrize("name", ["ex1", "class"])
def test_the_button_changes_the_theme(name: str, opened: Open) -> None:
    page = opened(name, theme="dark")
    ground = "return getComputedStyle(document.body).backgroundColor"
    dark = page.execute_script(ground)
    button = page.find_element(By.ID, "theme")
    assert button.text == "Light theme"
    button.click()
    assert button.text == "Dark theme"
    light = page.execute_script(ground)
    assert light != dark
    button.click()
    assert page.execute_script(ground) == dark
    end = time.monotonic() + DEADLINE
    while opened(name, theme="light").execute_script(ground) != dark:  # the choice is kept
        assert time.monotonic() < end


@pytest.mark.parametrize("name", sampled(["class", "ex1", "ex4", "hostile"], 4))
def test_a_phone_never_scrolls_sideways(name: str, opened: Open) -> None:
    page = opened(name, PHONE)
    width = "return document.documentElement.scrollWidth"
    assert page.execute_script(width) <= PHONE[0]
    for link in page.find_elements(By.CSS_SELECTOR, "table.items a"):
        link.click()
        assert page.execute_script(width) <= PHONE[0]


@pytest.mark.tools("axe")
@pytest.mark.parametrize("name", sampled(["hostile", "class", "feedback", "ex4", "bigrams.ex1"], 3))
@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (PHONE, "dark")])
def test_axe_finds_no_violation(name: str, size: tuple[int, int], theme: str, opened: Open) -> None:
    page = opened(name, size, theme)
    for details in page.find_elements(By.CSS_SELECTOR, "article.shown details"):
        page.execute_script("arguments[0].open = true", details)
    assert violations(page) == []


def test_a_pictures_element_is_told_under_the_pointer_and_the_arrow_keys(opened: Open) -> None:
    page = opened("hostile")
    heats = page.find_element(By.CSS_SELECTOR, "article.shown .heats")
    readout = heats.find_element(By.CSS_SELECTOR, ".readout")
    page.execute_script("arguments[0].focus()", heats)
    heats.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    told = re.fullmatch(r"\[1, 2\]: yours (\S+), autograd’s (\S+), difference (\S+)", readout.text)
    assert told and float(told[1]) == -float(told[2])
    picture = heats.find_element(By.CSS_SELECTOR, ".heat svg")
    ActionChains(page).move_to_element(picture).perform()
    assert re.match(r"\[1[56], 1[34]\]: yours ", readout.text), "the middle of 32 × 27"
    page.find_element(By.CSS_SELECTOR, "article.shown .numbers-view summary").click()
    second = "article.shown .numbers-view tbody tr:nth-child(2) td:nth-child(4)"
    cell = WebDriverWait(page, DEADLINE).until(lambda page: page.find_element(By.CSS_SELECTOR, second))
    assert cell.text.split() == [told[1]]
    yours, wanted = page.find_element(By.CSS_SELECTOR, "article.shown .numbers-view td.off").text.split()
    assert float(yours) == -float(wanted) != 0, "where both differ"


def test_a_tensor_of_three_axes_is_turned_slice_by_slice(opened: Open) -> None:
    page = opened("ex1")
    page.execute_script("location.hash = '#ex1.demb'")
    heats = page.find_element(By.CSS_SELECTOR, "article.shown .heats")
    shown_now = ".heat:not([hidden])"
    assert [f.get_attribute("data-part-of") for f in heats.find_elements(By.CSS_SELECTOR, shown_now)] == [
        "0",
        "0",
    ]
    page.execute_script("arguments[0].focus()", heats)
    heats.send_keys(Keys.PAGE_DOWN, Keys.PAGE_DOWN, Keys.ARROW_DOWN)
    assert [f.get_attribute("data-part-of") for f in heats.find_elements(By.CSS_SELECTOR, shown_now)] == [
        "2",
        "2",
    ]
    assert heats.find_element(By.CSS_SELECTOR, ".readout").text.startswith("[2, 1, 0]: yours ")
    assert heats.find_element(By.TAG_NAME, "select").get_attribute("value") == "2"


def test_the_chosen_node_stays_in_its_box(opened: Open) -> None:
    page = opened("ex1")
    box = page.find_element(By.CSS_SELECTOR, ".graph").rect
    for name in ("demb", "dprobs"):
        page.execute_script(f"location.hash = '#ex1.{name}'")
        script = """
        const node = document.querySelector("a.node[aria-current]").getBoundingClientRect();
        const box = document.querySelector(".graph").getBoundingClientRect();
        return node.top >= box.top && node.bottom <= box.bottom;
        """
        assert page.execute_script(script), (name, box)


def test_a_page_of_outputs_has_words_of_its_own(opened: Open) -> None:
    page = opened("tokenizer.ex1")
    text = page.find_element(By.TAG_NAME, "body").text
    assert "radient" not in text and "backward" not in text and "utograd" not in text
    assert page.find_elements(By.CSS_SELECTOR, ".heat") == []
    page.execute_script("location.hash = '#tokenizer.ex1.encoded'")
    call, yours, wanted = page.find_elements(By.CSS_SELECTOR, "article.shown .cases code")
    assert call.text.startswith("encoded('") and yours.text == wanted.text and yours.text.startswith("[195, ")
    page.execute_script("location.hash = '#tokenizer.ex1.merge'")
    cells = [
        cell.text
        for cell in page.find_elements(By.CSS_SELECTOR, "article.shown .cases tbody tr:first-child code")
    ]
    assert cells == ["merge([5, 6, 6, 7, 9, 1], (6, 7), 99)", "[5, 6, 99, 9, 1]", "[5, 6, 99, 9, 1]"]


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_every_box_of_a_page_of_outputs_can_be_read(size: tuple[int, int], opened: Open) -> None:
    page = opened("micrograd.ex4", size)
    script = "return Array.from(document.querySelectorAll('.node .name'), (t) => t.getScreenCTM().a * 12.5)"
    sizes = page.execute_script(script)
    assert len(sizes) == len(fixtures.describe(ROOT, "micrograd.ex4").items) and min(sizes) > 10


def test_the_pictures_of_an_exercise_are_named_at_its_top(opened: Open) -> None:
    page = opened("micrograd.ex4")
    assert shown(page) == ["micrograd.ex4.radd"]
    page.find_element(By.LINK_TEXT, "The graph of an expression").click()
    assert shown(page) == ["micrograd.ex4.trace"]
    assert page.find_element(By.CSS_SELECTOR, "article.shown .drawn svg").is_displayed()


def test_the_class_page_leads_to_each_students_own_report_and_names_items(
    opened: Open, pages: dict[str, Path]
) -> None:
    page = opened("class")
    for row in page.find_elements(By.CSS_SELECTOR, ".students tbody tr"):
        link = str(row.find_element(By.TAG_NAME, "a").get_attribute("href"))
        report = re.sub(r"<[^>]*>", "", Path(unquote(urlsplit(link).path)).read_text())
        assert row.find_element(By.CSS_SELECTOR, ".right").text in report
    title = "return arguments[0].querySelector('title').textContent"
    strips = page.find_elements(By.CSS_SELECTOR, "svg.strip")
    titles = {str(page.execute_script(title, strip)): strip for strip in strips}
    strip = titles["ex1: 25 of 26 passed; not dnorm_logits"]
    ActionChains(page).move_to_element_with_offset(strip, -115, 0).perform()
    assert page.execute_script(title, strip) == "ex1.dlogprobs: exact"


def test_the_class_page_has_a_row_for_each_student(opened: Open) -> None:
    page = opened("class")
    rows = page.find_elements(By.CSS_SELECTOR, ".students tbody tr")
    assert len(rows) == 3
    assert any("<img src=x>.py" in row.text for row in rows)
    assert "1 of 3" in page.find_element(By.CSS_SELECTOR, "[aria-labelledby=items]").text
