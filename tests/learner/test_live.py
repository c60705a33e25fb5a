"""`grader live`: a real browser looks on while files are saved; and what the server gives to whom."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pexpect
import pytest
from browser import PHONE, WIDE, seen_at, violations
from conftest import DEADLINE, ROOT, sampled, stub_of
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from test_watch import ENVIRON, RIGHT, SOLUTION, WRONG, save, written

from grader.learner import progress
from grader.learner.live.server import Server
from grader.submissions.script import written_at

ARGUMENTS = ["-m", "grader.cli", "live", "ex1", "--no-browser"]
MARKUP = "</pre></script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


class Started:
    """The command in a folder of its own, its address and the learner's file."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.file = folder / "exercises/ex1.py"
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(written("dlogprobs"))
        self.process = subprocess.Popen(
            [sys.executable, *ARGUMENTS],
            cwd=folder,
            env={**ENVIRON, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline()
        self.url = self.line.rpartition(" ")[2].strip()

    def end(self) -> str:
        """End it; what it wrote to standard error."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=DEADLINE)
        return errors


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    started = Started(tmp_path_factory.mktemp("live"))
    yield started
    assert started.end() == ""


@pytest.fixture
def live(one: Started) -> Started:
    """The one command of this module, its file and its progress as at first."""
    with contextlib.suppress(FileNotFoundError):
        progress.path(one.file.parent.parent).unlink()
    save(one.file, written("dlogprobs") + f"# {time.monotonic_ns()}\n")
    return one


Look = Callable[..., webdriver.Chrome]


@pytest.fixture
def look(driver: webdriver.Chrome, live: Started) -> Iterator[Look]:
    """look(): the page, at this size and in this theme; at the end nothing was complained of."""

    def at(size: tuple[int, int] = WIDE, theme: str = "light") -> webdriver.Chrome:
        seen_at(driver, size, theme)
        driver.get("about:blank")
        driver.get(live.url)
        until(driver, lambda: driver.find_element(By.CSS_SELECTOR, "html.listens"))
        until(driver, lambda: state(driver, "dlogprobs") == "exact" and state(driver, "dprobs") == "open")
        return driver

    driver.get_log("browser")
    yield at
    assert driver.get_log("browser") == []
    driver.get("about:blank")


def until(page: webdriver.Chrome, holds: Callable[[], Any]) -> Any:
    """Wait for it; an element that was put in another's place meanwhile is looked for again."""
    ignored = [WebDriverException]
    return WebDriverWait(page, DEADLINE, 0.02, ignored).until(lambda _: holds())


def node(page: webdriver.Chrome, item: str) -> Any:
    return page.find_element(By.CSS_SELECTOR, f'a.node[href="#ex1.{item}"]')


def state(page: webdriver.Chrome, item: str) -> str:
    """An item's kind of verdict, as its node shows it."""
    classes = str(node(page, item).get_attribute("class")).split()
    return next(c for c in classes if c not in ("node", "turned"))


def chosen(page: webdriver.Chrome) -> Any:
    return page.find_element(By.CSS_SELECTOR, "article.shown")


# --- in a browser ------------------------------------------------------------------------------------

browser = pytest.mark.tools("chromium", "chromedriver")


@browser
def test_a_save_turns_a_node_green_before_the_learners_eyes(live: Started, look: Look) -> None:
    page = look()
    page.execute_script("location.hash = '#ex1.dprobs'; window.same = 1")
    heats = until(page, lambda: [chosen(page).find_elements(By.CSS_SELECTOR, ".heat")])
    assert heats == [[]], "no numbers before an attempt"
    save(live.file, WRONG)
    until(page, lambda: state(page, "dprobs") == "wrong")
    assert chosen(page).get_attribute("id") == "ex1.dprobs"
    assert "The sign is wrong" in chosen(page).text and "return -dlogprobs / probs" in chosen(page).text
    save(live.file, RIGHT)
    until(page, lambda: state(page, "dprobs") == "exact")
    assert "turned" in str(node(page, "dprobs").get_attribute("class"))
    assert "turned" not in str(node(page, "dlogprobs").get_attribute("class"))
    assert chosen(page).get_attribute("id") == "ex1.dprobs", "which stays"
    said = page.find_element(
        By.CSS_SELECTOR, ".score"
    ).text  # which item it was at the tests before have left
    assert "dprobs passed" in said and "Next: write ex1.dcounts_sum_inv" in said
    assert page.execute_script("return window.same") == 1, "the page was not loaded again"
    page.execute_script("document.querySelector('article.shown [data-name=attempts]').open = true")
    told = [li.text for li in chosen(page).find_elements(By.CSS_SELECTOR, ".attempts li")]
    assert len(told) == 2 and "exact" in told[0] and "the sign is wrong" in told[1]


@browser
def test_where_all_has_passed_the_page_goes_on_to_the_next_exercise_and_back(
    driver: webdriver.Chrome, tmp_path: Path
) -> None:
    started = Started(tmp_path)
    other = started.file.with_name("ex2.py")
    other.write_text(stub_of("ex2"))
    seen_at(driver, WIDE, "light")
    driver.get(started.url)
    save(started.file, SOLUTION)
    until(driver, lambda: "and 19 more" in driver.find_element(By.CSS_SELECTOR, ".score").text)
    told = driver.find_element(By.CSS_SELECTOR, ".score").text
    assert "ex1 is done" in told and "Next: ex2" in told and "`a`" not in told, "no keys on a page"
    driver.find_element(By.CSS_SELECTOR, ".score button").click()
    task = "article.shown#ex2\\.dlogits.open"
    until(driver, lambda: driver.find_element(By.CSS_SELECTOR, task).is_displayed())
    save(other, (ROOT / "solutions/ex2.py").read_text())
    until(driver, lambda: driver.find_element(By.CSS_SELECTOR, "article.shown.approximate").is_displayed())
    driver.find_element(By.CSS_SELECTOR, ".map button").click()  # ex1; ex3 and ex4 are not in the folder
    until(driver, lambda: node(driver, "dlogprobs").is_displayed())
    driver.get("about:blank")
    assert driver.get_log("browser") == [] and started.end() == ""


@browser
def test_the_keyboard_alone_solves_an_item(live: Started, look: Look) -> None:
    page = look()

    def press(*keys: str) -> None:
        page.switch_to.active_element.send_keys(*keys)

    def at() -> Any:
        return page.switch_to.active_element

    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    while at().get_attribute("data-tensor") is None:
        press(Keys.TAB)
    press(Keys.ARROW_DOWN)
    assert at().get_attribute("data-tensor") == "probs"
    press(Keys.ENTER)
    assert at().get_attribute("id") == "ex1.dprobs"
    while at().get_attribute("data-do") != "hint":
        press(Keys.TAB)
    press(Keys.ENTER)
    until(page, lambda: len(chosen(page).find_elements(By.CSS_SELECTOR, ".hint[open]")) == 1)
    assert at().tag_name == "summary", "at the hint that came"
    while at().get_attribute("data-do") != "hint":
        press(Keys.TAB)
    press(Keys.ENTER)
    until(page, lambda: len(chosen(page).find_elements(By.CSS_SELECTOR, ".hint")) == 2)
    save(live.file, RIGHT)
    until(page, lambda: state(page, "dprobs") == "exact")
    assert chosen(page).get_attribute("id") == "ex1.dprobs"
    press(Keys.ESCAPE)
    assert at().get_attribute("data-tensor") == "probs"
    press(Keys.ARROW_DOWN, Keys.ENTER)
    assert chosen(page).get_attribute("id") == "ex1.dcounts_sum_inv"


@browser
@pytest.mark.parametrize(("size", "theme"), sampled([(PHONE, "dark"), (WIDE, "light"), (PHONE, "light")], 3))
def test_a_phone_and_both_themes(size: tuple[int, int], theme: str, live: Started, look: Look) -> None:
    page = look(size, theme)
    save(live.file, WRONG)
    until(page, lambda: state(page, "dprobs") == "wrong")
    assert page.execute_script("return document.documentElement.scrollWidth") <= size[0]
    ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 384) == (theme == "dark")


@pytest.mark.tools("chromium", "chromedriver", "axe")
@pytest.mark.parametrize(("size", "theme"), sampled([(WIDE, "light"), (PHONE, "dark")], 2))
def test_axe_finds_no_violation(size: tuple[int, int], theme: str, live: Started, look: Look) -> None:
    page = look(size, theme)
    page.execute_script("location.hash = '#ex1.dprobs'")
    chosen(page).find_element(By.CSS_SELECTOR, "[data-do=hint]").click()
    save(live.file, WRONG)
    until(page, lambda: state(page, "dprobs") == "wrong")
    for details in chosen(page).find_elements(By.TAG_NAME, "details"):
        page.execute_script("arguments[0].open = true", details)
    assert violations(page) == []


@browser
def test_a_second_tab_shows_the_same_and_keeps_its_own_item(live: Started, look: Look) -> None:
    page = look()
    first = page.current_window_handle
    page.execute_script("location.hash = '#ex1.dh'")
    page.switch_to.new_window("tab")
    try:
        page.get(live.url)
        save(live.file, RIGHT)
        until(page, lambda: state(page, "dprobs") == "exact")
        page.close()
    finally:
        page.switch_to.window(first)
    until(page, lambda: state(page, "dprobs") == "exact")
    assert chosen(page).get_attribute("id") == "ex1.dh"


@browser
def test_a_hostile_submission_stays_text(live: Started, look: Look) -> None:
    page = look()
    page.execute_script("location.hash = '#ex1.dprobs'")
    save(live.file, written("dlogprobs", dprobs=f'raise ValueError("""{MARKUP}""")'))
    until(page, lambda: state(page, "dprobs") == "stopped")
    assert f"ValueError: {MARKUP}" in chosen(page).text
    assert page.execute_script("return window.hacked") is None
    assert page.find_elements(By.CSS_SELECTOR, "main script, main img, iframe") == []


@browser
def test_a_dropped_connection_comes_back_and_the_end_is_told(driver: webdriver.Chrome) -> None:
    """With the server alone, whose connections can be cut."""
    shown = ["first"]

    def page() -> str:
        from grader.reports.pages.page import waiting

        return waiting("ex1.py", shown[0], server.version)

    seen_at(driver, WIDE, "light")
    with Server(page, lambda what, item: "") as server:
        driver.get(server.url)
        until(driver, lambda: server.streams)
        (old,) = server.streams
        old.shutdown(socket.SHUT_RDWR)
        shown[0] = "second"
        server.tell()
        until(driver, lambda: driver.find_element(By.CSS_SELECTOR, ".score").text == "second")
        until(driver, lambda: server.streams - {old})
        shown[0] = "third"
        server.tell()
        until(driver, lambda: driver.find_element(By.CSS_SELECTOR, ".score").text == "third")
    until(driver, lambda: "has ended" in driver.find_element(By.ID, "status").text)
    assert driver.find_element(By.CSS_SELECTOR, ".score").text == "third", "what stands there stays"
    driver.get_log("browser")  # it has told of the connection
    driver.get("about:blank")


ATTACK = """<!doctype html><title>attack</title><script>
const url = %s, got = [];
const note = (what) => (value) => got.push(what + ": " + value);
const tries = [
  fetch(url).then((a) => a.text()).then(note("read")).catch(() => 0),
  fetch(url, { mode: "no-cors" }).then((a) => a.text()).then((t) => t && got.push(t)).catch(() => 0),
  fetch(url + "act", { method: "POST", mode: "no-cors", body: '{"do": "hint", "item": "ex1.dprobs"}' })
    .catch(() => 0),
  new Promise((done) => {
    const e = new EventSource(url + "events"); e.onmessage = note("event"); e.onerror = done;
  }),
  new Promise((done) => {
    const s = document.createElement("script"); s.src = url; s.onerror = done;
    s.onload = () => { got.push("script"); done(); }; document.head.append(s);
  }),
  new Promise((done) => {
    const f = document.createElement("iframe"); f.src = url;
    f.onload = () => {
      try { if (f.contentDocument.querySelector("article")) got.push("frame"); } catch { /* not theirs */ }
      done();
    };
    document.documentElement.append(f);
  }),
];
Promise.all(tries).then(() => { document.title = "got " + got.length + " " + got.join("; "); });
</script>"""


@browser
def test_an_attack_page_on_another_origin_gets_nothing(driver: webdriver.Chrome, live: Started) -> None:
    """Even one that knows the address."""

    class Attack(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write((ATTACK % json.dumps(live.url)).encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Attack) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        driver.get(f"http://127.0.0.1:{other.server_address[1]}/")
        until(driver, lambda: driver.title.startswith("got"))
        title = driver.title
        driver.get("about:blank")
        driver.get_log("browser")
        other.shutdown()
    assert title.strip() == "got 0"
    assert progress.read(live.file.parent.parent)["rungs"] == {}


# --- without one -------------------------------------------------------------------------------------


def asked(url: str, method: str, path: str, headers: dict[str, str], body: str = "") -> tuple[int, str]:
    """A status and a body; headers: Host too, which is the address's where it is not among them."""
    host = url.split("/")[2]
    line = http.client.HTTPConnection(host, timeout=DEADLINE)
    line.putrequest(method, path, skip_host=True)
    for name, value in {"Host": host, "Content-Length": str(len(body)), **headers}.items():
        line.putheader(name, value)
    line.endheaders(body.encode())
    answer = line.getresponse()
    told = answer.status, answer.read().decode()
    line.close()
    return told


HINT = json.dumps({"do": "hint", "item": "ex1.dprobs"})


def test_only_who_has_the_token_and_comes_from_here_is_answered(live: Started) -> None:
    root = "/" + live.url.split("/", 3)[3]
    own = live.url.rpartition("/")[0].rpartition("/")[0]
    port = own.rpartition(":")[2]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", own) and len(root) > 30
    code, page = asked(live.url, "GET", root, {})
    assert code == 200 and "ex1.dprobs" in page and root.strip("/") not in page
    refused = [
        ("GET", "/", {}),
        ("GET", root[:-2] + "/", {}),
        ("GET", "/" + "x" * 32 + "/", {}),
        ("GET", root + "../etc/passwd", {}),
        ("GET", root, {"Host": f"evil.example:{port}"}),  # a name that was made to lead here
        ("GET", root, {"Host": f"localhost:{port}"}),
        ("GET", root, {"Origin": "http://evil.example"}),
        ("GET", root, {"Origin": "null"}),
        ("GET", root, {"Sec-Fetch-Site": "cross-site"}),
        ("GET", root + "events", {"Origin": f"http://127.0.0.1:{int(port) + 1}"}),
        ("POST", root + "act", {}),  # a browser names the origin of what it posts
        ("POST", root + "act", {"Origin": "http://evil.example"}),
        ("POST", root + "act", {"Origin": own, "Content-Length": "99999"}),
        ("POST", root, {"Origin": own}),
    ]
    for method, path, headers in refused:
        body = HINT if method == "POST" and "Content-Length" not in headers else ""
        assert asked(live.url, method, path, headers, body) == (404, ""), (method, path, headers)
    assert asked(live.url, "POST", root + "act", {"Origin": own}, "[]") == (400, "")
    assert progress.read(live.file.parent.parent)["rungs"] == {}
    assert asked(live.url, "POST", root + "act", {"Origin": own}, HINT) == (200, "")
    assert progress.read(live.file.parent.parent)["rungs"] == {"ex1.dprobs": 1}
    other = json.dumps({"do": "edit", "item": "../../etc/passwd"})
    assert asked(live.url, "POST", root + "act", {"Origin": own}, other) == (200, "There is no such item.")
    other = json.dumps({"do": "go", "item": "../../etc/passwd"})
    assert asked(live.url, "POST", root + "act", {"Origin": own}, other) == (
        200,
        "There is no such exercise.",
    )


def test_it_listens_on_loopback_only(live: Started) -> None:
    port = int(live.url.split("/")[2].rpartition(":")[2])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    own = [
        fields[1].split(":")[0]
        for fields in listening
        if int(fields[1].split(":")[1], 16) == port and fields[3] == "0A"
    ]
    assert own == ["0100007F"]


def test_the_editor_opens_the_learners_file_at_the_line(tmp_path: Path) -> None:
    editor, told = tmp_path / "code", tmp_path / "told"
    editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{told}.new"; mv "{told}.new" "{told}"\n')
    editor.chmod(0o755)
    started = Started(tmp_path, EDITOR=str(editor), VISUAL="")
    root, own = "/" + started.url.split("/", 3)[3], started.url.rpartition("/")[0].rpartition("/")[0]
    edit = json.dumps({"do": "edit", "item": "ex1.dprobs"})
    assert asked(started.url, "POST", root + "act", {"Origin": own}, edit) == (200, "")
    end = time.monotonic() + DEADLINE
    while not told.exists():
        assert time.monotonic() < end
    lines = started.file.read_text().splitlines()
    at = next(n for n, line in enumerate(lines, 1) if line.startswith("def dprobs("))
    option, place = told.read_text().splitlines()
    assert option == "--goto" and re.fullmatch(rf"{re.escape(str(started.file))}:(\d+)", place)
    assert at <= int(place.rpartition(":")[2]) <= at + 20
    assert started.end() == "" and started.process.returncode == 1
    with pytest.raises(OSError):
        asked(started.url, "GET", root, {})  # it ended with the command


def test_a_cell_s_line_is_found_in_its_file() -> None:
    data = (ROOT / "exercises/ex1.ipynb").read_bytes()
    sources = [c["source"] for c in json.loads(data)["cells"]]
    number = next(n for n, lines in enumerate(sources, 1) if lines[0].startswith("dprobs ="))
    at = written_at(data, number, 2)
    assert json.loads(data.decode().split("\n")[at - 1]) == sources[number - 1][1]
    assert written_at(json.dumps(json.loads(data)).encode(), number, 2) == 1  # all in one line


def test_without_an_editor_the_place_is_told(live: Started) -> None:
    root, own = "/" + live.url.split("/", 3)[3], live.url.rpartition("/")[0].rpartition("/")[0]
    edit = json.dumps({"do": "edit", "item": "ex1.dprobs"})
    code, said = asked(live.url, "POST", root + "act", {"Origin": own}, edit)
    assert (
        code == 200
        and re.search(r"EDITOR=code.* exercises/ex1\.py, line \d+", said)
        or os.environ.get("EDITOR")
    )


def test_an_editor_of_the_terminal_has_it_until_it_ends(tmp_path: Path) -> None:
    """Its Ctrl-C too; then another may be opened."""
    editor = tmp_path / "vim"
    script = [
        "#!/bin/sh",
        'trap "echo interrupted" INT',
        'echo "at $1"',
        "until read word; do :; done",
        "echo read",
    ]
    editor.write_text("\n".join(script) + "\n")
    editor.chmod(0o755)
    file = tmp_path / "exercises/ex1.py"
    file.parent.mkdir()
    file.write_text(written("dlogprobs"))
    environ = {**ENVIRON, "VISUAL": str(editor)}
    words = {"cwd": str(tmp_path), "env": environ, "encoding": "utf-8", "timeout": DEADLINE}
    child = pexpect.spawn(sys.executable, ARGUMENTS, **words)
    child.expect(r"(http://\S+)/")
    url = f"{child.match[1]}/"
    child.expect_exact("Ctrl-C ends it.")
    own, root = url.rpartition("/")[0].rpartition("/")[0], "/" + url.split("/", 3)[3]
    edit = json.dumps({"do": "edit", "item": "ex1.dprobs"})
    code, said = asked(url, "POST", root + "act", {"Origin": own}, edit)
    assert code == 200 and "is open in the terminal" in said
    child.expect(r"at \+\d+")
    assert "open in the terminal already" in asked(url, "POST", root + "act", {"Origin": own}, edit)[1]
    child.send("\x03")
    child.expect_exact("interrupted")
    assert asked(url, "GET", root, {})[0] == 200
    child.send("words\n")
    child.expect_exact("read")
    end = time.monotonic() + DEADLINE
    while "already" in asked(url, "POST", root + "act", {"Origin": own}, edit)[1]:
        assert time.monotonic() < end  # until the first has ended
    child.kill(signal.SIGTERM)
    child.send("\n")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
