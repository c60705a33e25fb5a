"""Headless Chromium for tests: one for each module that asks for `driver`. A plugin of pytest's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import tools
from selenium import webdriver
from selenium.common.exceptions import WebDriverException

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
WIDE, PHONE = (1280, 900), (375, 800)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(tools.path("chromium"))
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        one = webdriver.Chrome(options=options, service=webdriver.ChromeService(tools.path("chromedriver")))
    except WebDriverException as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"chromium does not start here: {str(error.msg).splitlines()[0]}")
    yield one
    one.quit()


def seen_at(driver: webdriver.Chrome, size: tuple[int, int], theme: str) -> None:
    """As a screen of this size shows it, to somebody who prefers this theme."""
    width, height = size
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def violations(page: webdriver.Chrome) -> list[str]:
    """What axe-core finds: rule, first element. A driver's script runs in spite of the policy."""
    page.execute_script(Path(str(tools.path("axe"))).read_text(encoding="utf-8"))
    page.set_script_timeout(60)
    found = page.execute_async_script(
        "axe.run(document).then(arguments[0], (e) => arguments[0]({ error: String(e) }))"
    )
    assert "violations" in found, found
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]]
