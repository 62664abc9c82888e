"""The page where people start it: behind proxies, as a second user, at other addresses, on odd consoles.

A start takes seconds, so each brings several conditions that have nothing to do with each other.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from aigc_demo.core.errors import InputError
from aigc_demo.ui.serving import server_address
from aigc_demo.ui.serving.server_address import BelowPath, root_path, server_name
from tests.reverse_proxy import ReverseProxy
from tests.ui.conftest import ROOT, free_port, wait_until_it_answers
from tests.ui.test_browser import at_rest, generate, opened, settings, tokens
from tests.ui.train.test_browser import image_shown, start, trained, wait_for

NOBODY, SOCKS = "http://127.0.0.1:9", "socks5://u:s3cret@127.0.0.1:9"
SOMEBODY, ANOTHER = 12345, 12346
# Another user, who reads what we read (the interpreter may lie in our home) and writes nothing of ours.
AS_SOMEBODY = ("setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups")
READS_ALL = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


@contextmanager
def started(
    folder: Path,
    environment: dict[str, str],
    *,
    host: str = "127.0.0.1",
    command: tuple[str, ...] = ("app.py",),
    user: tuple[str, ...] = (),
) -> Iterator[tuple[str, Path]]:
    """A page of its own: where it answers, and its log, which is read at its end."""
    port, log = free_port(), folder / "page.log"
    settings = {
        **{name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"},
        "PYTHONPATH": str(ROOT),
        "GRADIO_SERVER_PORT": str(port),
        "AIGC_DEMO_RUNS": str(folder / "runs"),
        "OMP_NUM_THREADS": "1",
        **environment,
    }
    if not settings["HOME"]:
        del settings["HOME"]
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [*user, sys.executable, *command], cwd=ROOT, env=settings, stdout=lines, stderr=lines
        )
    url = f"http://{host}:{port}/"
    try:
        assert wait_until_it_answers(url, process, log) == 200
        yield url, log
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


needs_ipv6 = pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")


@needs_ipv6
def test_behind_proxies_at_an_ipv6_address_on_a_console_of_ascii(tmp_path: Path) -> None:
    environment = {
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), NOBODY),
        **dict.fromkeys(("ALL_PROXY", "all_proxy"), SOCKS),
        "NO_PROXY": "[::1],fd00::/8,intranet.example",
        "GRADIO_SERVER_NAME": "::1",
        "LC_ALL": "C",
        "PYTHONIOENCODING": "ascii",
        "TMPDIR": str(tmp_path),
    }
    with started(tmp_path, environment, host="[::1]") as (url, log):
        answer = Client(url, verbose=False).predict(
            prompt="the ", models=["gpt-tiny-world"], max_new_tokens=3, api_name="/generate_text"
        )
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(url.replace("[::1]", "127.0.0.1"), timeout=5)
    assert "gpt-tiny-world" in str(answer)
    logged = log.read_text("ascii")
    assert f"Running on local URL:  {url[:-1]}" in logged
    assert "s3cret" not in logged and "Traceback" not in logged


def test_a_second_user_without_a_home_on_a_console_of_windows(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "gradio").mkdir(mode=0o755)  # as the first user's page made it, which is not there any more
    can_be_another = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv") is not None
    uid = SOMEBODY if can_be_another else os.geteuid()
    taken = shared / f"aigc-demo-{uid}"
    taken.mkdir(mode=0o777)
    taken.chmod(0o777)  # somebody who was there first waits for files in it
    runs = tmp_path / "runs"
    runs.mkdir()
    if can_be_another:
        os.chown(taken, ANOTHER, ANOTHER)
        os.chown(runs, SOMEBODY, SOMEBODY)
    environment = {"HOME": "", "TMPDIR": str(shared), "PYTHONIOENCODING": "cp1252"}
    user = (*AS_SOMEBODY, *READS_ALL) if can_be_another else ()
    with started(tmp_path, environment, user=user) as (url, log):
        boundary = "some-boundary"
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
            f"mine\r\n--{boundary}--\r\n"
        )
        request = urllib.request.Request(
            f"{url}gradio_api/upload",
            body.encode(),
            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        with urllib.request.urlopen(request, timeout=20) as sent:
            (uploaded,) = re.findall(r'"([^"]+)"', sent.read().decode())
        place = Path(uploaded)
        assert place.read_text() == "mine"
        own = shared / place.relative_to(shared.resolve()).parts[0]
        found = own.lstat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (uid, 0o700)
        assert own != taken and list(taken.iterdir()) == []
    assert "Traceback" not in log.read_text("cp1252")
    assert not (ROOT / "~").exists()


@needs_ipv6
def test_at_all_addresses_below_a_path_on_a_console_of_gbk(tmp_path: Path) -> None:
    environment = {
        "GRADIO_SERVER_NAME": "::",
        "GRADIO_ROOT_PATH": "demo",
        "PYTHONIOENCODING": "gbk",
        "HOME": "/dev/null/home",
    }
    with started(tmp_path, environment, host="[::1]") as (url, log):
        for below in ("", "demo/"):
            for path in ("config", "theme.css", "gradio_api/info"):
                with urllib.request.urlopen(url + below + path, timeout=20) as answer:
                    assert answer.status == 200
    assert "Traceback" not in log.read_text("gbk")


def test_the_page_works_below_a_path(chromium, tmp_path: Path) -> None:
    """Behind a proxy that takes the path away and one that does not, by a path without its slash."""
    environment = {"GRADIO_ROOT_PATH": "demo/", "HF_HUB_OFFLINE": "1"}
    command = ("-m", "tests.ui.tiny_page", str(tmp_path))
    with started(tmp_path, environment, command=command) as (url, _):
        with ReverseProxy(url, strips=True) as proxy:
            _write_and_switch(chromium, proxy)
        with ReverseProxy(url, strips=False) as proxy:
            _train_what_draws(chromium, proxy)


def _write_and_switch(chromium, proxy: ReverseProxy) -> None:
    asked = []
    with opened(chromium, f"{proxy.url}/demo/") as page:
        page.on("request", lambda request: asked.append(request.url))
        settings(page, 12)
        generate(page)
        assert [tokens(page, side).count() for side in ("left", "right")] == [12, 12]
        page.click("[data-language='zh-CN']")
        page.wait_for_function("() => document.querySelector('#generate').textContent.trim() === '生成'")
        (cookie,) = [one for one in page.context.cookies() if one["name"] == "lang"]
        assert (cookie["value"], cookie["path"]) == ("zh-CN", "/demo/")
    assert asked and [url for url in asked if not url.startswith(f"{proxy.url}/demo/")] == []
    assert [path for path in proxy.beside if path != "/favicon.ico"] == []


def _train_what_draws(chromium, proxy: ReverseProxy) -> None:
    with trained(chromium, f"{proxy.url}/demo") as page:
        page.click("#recipe input")
        page.get_by_role("option", name="dcgan").click()
        page.get_by_text("Pictures of your own").wait_for()
        at_rest(page)
        name = start(page, 10)
        wait_for(page, "finished")
        image = image_shown(page, "#samples")
        assert f"{proxy.url}/demo/run-pictures/{name}/" in image.evaluate("part => part.src")
        page.click("#delete-run")
        at_rest(page)


@pytest.mark.parametrize(
    ("given", "root"),
    [
        (None, ""),
        ("", ""),
        ("/", ""),
        ("demo", "/demo"),
        ("/demo", "/demo"),
        (" /demo/ ", "/demo"),
        ("//demo//", "/demo"),
        ("/a/b/", "/a/b"),
        ("https://example.edu/demo/", "https://example.edu/demo"),
        ("http://example.edu", "http://example.edu"),
    ],
)
def test_the_path_has_one_form(given: str | None, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_ROOT_PATH", raising=False)
    if given is not None:
        monkeypatch.setenv("GRADIO_ROOT_PATH", given)
    assert root_path() == root


@pytest.mark.parametrize(
    "given",
    [
        "http://[::1", "http://", "https://host:99999/x", "http://host/demo?x=1", "https://host/demo#x", "..",
        "/a/../b", "/demo?x=1", "/demo#x", "/de mo", "ftp://host/demo", "/a\\b", "/a\nb",
    ],
)  # fmt: skip
def test_what_is_no_path_is_one_sentence(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_ROOT_PATH", given)
    with pytest.raises(InputError, match="give a path such as /demo"):
        root_path()


@pytest.mark.parametrize("root", ["/demo", "http://example.edu/demo"])
def test_what_is_inside_sees_no_path_of_a_proxy(root: str) -> None:
    def shown(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.url.path} {request.scope['raw_path'].decode()}")

    below = BelowPath(Starlette(routes=[Route("/{path:path}", shown)]), root)
    client = TestClient(below, follow_redirects=False)
    assert client.get("/demo/a%20b").text == "/a b /a%20b"
    assert client.get("/a").text == "/a /a"
    assert client.get("/demonstration").text == "/demonstration /demonstration"
    assert client.get("/demo/").text == "/ /"
    there = client.get("/demo?x=1&y")
    assert (there.status_code, there.headers["location"]) == (307, "/demo/?x=1&y")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (None, "127.0.0.1"),
        ("", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        pytest.param("::1", "[::1]", marks=needs_ipv6),
        pytest.param(" [::1] ", "[::1]", marks=needs_ipv6),
        pytest.param("::", "[::]", marks=needs_ipv6),
    ],
)
def test_addresses_are_written_as_in_a_browser(
    given: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    if given is not None:
        monkeypatch.setenv("GRADIO_SERVER_NAME", given)
    assert server_name() == name


@pytest.mark.parametrize(
    "given", ["192.0.2.1", "2001:db8::1", "[::1", "no host", "a" * 70 + ".example", "ü" * 90]
)
def test_an_address_of_another_machine_is_said_in_a_sentence(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", given)
    with pytest.raises(InputError) as raised:
        server_name()
    assert raised.value.key == "server_name"


def test_gradio_asks_itself_at_an_address_that_every_system_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows connects nobody to the address that stands for all."""

    def start(*arguments, **settings):
        return settings["server_name"], 7860, f"http://{settings['server_name']}:7860/", None

    monkeypatch.setattr(server_address, "_start_server", start)
    monkeypatch.setattr(server_address.gradio.http_server, "start_server", start)
    monkeypatch.setattr(server_address.gradio.http_server, "LOCALHOST_NAME", "::")
    monkeypatch.setenv("GRADIO_SERVER_NAME", "::")
    server_address.listen_on_ipv6()
    server = server_address.gradio.http_server
    assert server.LOCALHOST_NAME == "127.0.0.1"
    assert server.start_server(server_name="[::]")[2] == "http://[::1]:7860/"
    assert server.start_server(server_name="[2001:db8::1]")[2] == "http://[2001:db8::1]:7860/"
