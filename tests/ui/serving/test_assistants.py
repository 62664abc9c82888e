"""The endpoints as tools, called by a real client of the Model Context Protocol."""

import asyncio
import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import types

import httpx
import pytest
from gradio_client import Client
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.ui.serving import assistants
from aigc_demo.ui.words.wording import sentence
from tests.ui.conftest import ROOT, free_port, wait_until_it_answers
from tests.ui.test_api import ENDPOINTS

OURS = "gpt-shakespeare"
NOBODY = "http://127.0.0.1:9"  # the port of the service `discard`, on which nothing listens


@contextlib.asynccontextmanager
async def connected(url, headers=None, host=None):
    """A session with the tools of a page; `host` is the address of this machine that it calls from."""
    transport = httpx.AsyncHTTPTransport(local_address=host)
    async with (
        httpx.AsyncClient(headers=headers, timeout=60, transport=transport) as http,
        streamable_http_client(f"{url}gradio_api/mcp/", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def run(work):
    """What a coroutine returns; in a thread, since the browser tests' driver keeps a loop running here."""
    found = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(work)))
    thread.start()
    thread.join()
    return found[0]


def called(url, name, arguments=None, headers=None, host=None, on_progress=None):
    async def work():
        async with connected(url, headers, host) as session:
            return await session.call_tool(name, arguments or {}, progress_callback=on_progress)

    return run(work())


def value(answer):
    assert not answer.isError, answer
    return json.loads(answer.content[0].text)


@pytest.fixture(scope="module")
def tools(page_url):
    async def work():
        async with connected(page_url) as session:
            return (await session.list_tools()).tools

    return {tool.name: tool for tool in run(work())}


@pytest.fixture(scope="module")
def small_page(tmp_path_factory):
    """A page whose environment names a proxy that does not answer: its calls to itself must not go there."""
    log, port = tmp_path_factory.mktemp("tools") / "page.log", free_port()
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"), NOBODY)
    unset = ("no_proxy", "gradio_server_name")  # gradio's own choice is this machine alone
    kept = {name: found for name, found in os.environ.items() if name.lower() not in unset}
    environment = {
        **kept,
        **proxies,
        "NO_PROXY": "intranet.example",
        "PYTHONPATH": str(ROOT),
        "GRADIO_SERVER_PORT": str(port),
    }
    with log.open("w") as lines:
        command = [sys.executable, "-m", "tests.ui.serving.tools_page"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=lines, stderr=lines)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until_it_answers(url, process, log)
        yield url
    finally:
        process.kill()
        process.wait()


def test_the_tools_are_the_named_endpoints(tools):
    assert {f"/{name}" for name in tools} == ENDPOINTS


def test_every_tool_and_every_parameter_says_what_it_is(tools):
    assert [name for name, tool in tools.items() if len(tool.description) < 40] == []
    silent = [
        (name, parameter)
        for name, tool in tools.items()
        for parameter, facts in tool.inputSchema["properties"].items()
        if len(facts.get("description", "")) < 5
    ]
    assert silent == []
    assert [name for name, tool in tools.items() if "request" in tool.inputSchema["properties"]] == []


def test_what_has_no_default_is_required(tools):
    assert tools["token_ids"].inputSchema["required"] == ["model", "text"]
    assert "required" not in tools["generate_text"].inputSchema
    assert tools["generate_text"].inputSchema["properties"]["temperature"]["default"] == 0.8


def test_the_page_started_its_tools_without_a_warning(page_process, tools):
    assert "gr.State" not in page_process[2].read_text("utf8")
    assert "Error launching MCP" not in page_process[2].read_text("utf8")


def test_a_plain_tool_answers_in_json(page_url):
    found = value(called(page_url, "token_ids", {"model": OURS, "text": "春R"}))
    assert [one["text"] for one in found] == ["春", "R"]


def test_a_streaming_tool_reports_progress_and_ends_with_the_whole_text(page_url):
    ask = {"prompt": "ROMEO:", "models": [OURS], "seed": 3, "max_new_tokens": 30, "temperature": 1.0}
    steps = []

    async def on_progress(progress, total, message):
        steps.append(progress)

    found = value(called(page_url, "generate_text", ask, on_progress=on_progress))
    client = Client(page_url, verbose=False)
    same = client.predict(**ask, api_name="/generate_text")
    client.close()
    assert found["columns"][0]["state"] == "finished"
    assert found["columns"][0]["text"] == same["columns"][0]["text"]
    assert len(found["columns"][0]["token_ids"]) == 30
    assert steps == sorted(steps)
    assert len(steps) >= 2
    assert value(called(page_url, "generate_text", ask))["columns"][0]["text"] == same["columns"][0]["text"]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_error_is_its_one_sentence_in_the_language_asked_for(page_url, language):
    ask = {"model": "nope", "text": "a"}
    answer = called(page_url, "token_ids", ask, headers={"accept-language": language})
    assert answer.isError
    assert [part.text for part in answer.content] == [sentence("unknown_model", {"name": "nope"}, language)]


def test_an_error_of_a_streaming_tool_is_its_one_sentence_too(page_url):
    async def on_progress(progress, total, message):
        pass

    for report in (None, on_progress):
        answer = called(page_url, "generate_text", {"models": ["distilgpt2"]}, on_progress=report)
        text = answer.content[0].text
        assert answer.isError
        assert "python -m aigc_demo fetch distilgpt2" in text
        assert "Traceback" not in text
        assert "\n" not in text
        assert len(text) < 300


@pytest.mark.parametrize("name", ["nonsense", "_load_defaults", "generate_text_1"])
def test_an_unknown_tool_is_refused(page_url, name):
    answer = called(page_url, name)
    assert answer.isError
    assert name in answer.content[0].text


def test_a_missing_argument_is_named(page_url):
    answer = called(page_url, "token_ids", {"model": OURS})
    assert answer.isError
    assert "text" in answer.content[0].text


def test_images_come_as_images_and_go_back_as_base64(page_url):
    ask = {"models": ["dcgan-tiny-world"], "seed": 1, "num_pictures": 2}
    answer = called(page_url, "generate_images", ask)
    assert value(answer)["columns"][0]["images"] == ["picture 1", "picture 2"]
    images = answer.content[1:]
    assert [part.mimeType for part in images] == ["image/png"] * 2
    sizes = [Image.open(io.BytesIO(base64.b64decode(part.data))).size for part in images]
    assert sizes[0][0] == sizes[0][1] > 0
    scores = value(called(page_url, "discriminate", {"images": [part.data for part in images]}))
    assert [0 <= score <= 1 for score in scores] == [True, True]
    refused = called(page_url, "discriminate", {"images": ["https://example.com/picture.png"]})
    assert refused.isError
    assert "\n" not in refused.content[0].text


def test_a_private_listener_is_no_tool(small_page):
    async def work():
        async with connected(small_page) as session:
            return [tool.name for tool in (await session.list_tools()).tools]

    assert sorted(run(work())) == ["caller", "short"]


def test_a_tool_sees_the_address_of_its_caller_and_no_other_that_he_writes(small_page):
    # 127.0.0.2 is this machine as well, and no address that the server takes for its own.
    addresses = value(called(small_page, "caller", host="127.0.0.2"))
    assert addresses == {"host": "127.0.0.2", "forwarded": "127.0.0.2", "address": "127.0.0.2"}
    forged = {"x-forwarded-for": "203.0.113.9", "x-aigc-demo-caller": "word 203.0.113.9"}
    addresses = value(called(small_page, "caller", host="127.0.0.2", headers=forged))
    assert addresses == {"host": "127.0.0.2", "forwarded": "203.0.113.9, 127.0.0.2", "address": "127.0.0.2"}


def test_many_calls_at_once_are_all_answered(small_page):
    async def one(session, number):
        return value(await session.call_tool("short", {"number": number}))

    async def work():
        async with contextlib.AsyncExitStack() as stack:
            sessions = [await stack.enter_async_context(connected(small_page)) for _ in range(48)]
            return await asyncio.gather(*(one(session, number) for number, session in enumerate(sessions)))

    assert run(work()) == list(range(48))


def test_the_transport_whose_calls_are_not_counted_is_refused(small_page):
    for path in ("sse", "messages/?session_id=1"):
        answer = httpx.get(f"{small_page}gradio_api/mcp/{path}", trust_env=False)
        assert (answer.status_code, "streamable HTTP" in answer.text) == (404, True)


def test_calls_beyond_the_most_wait_and_a_body_without_an_end_keeps_nobody_waiting():
    entered, ended = [], []

    async def work():
        doors = {number: asyncio.Event() for number in range(4)}

        async def application(scope, receive, send):
            entered.append((scope["number"], (await receive())["body"]))
            await doors[scope["number"]].wait()
            ended.append(scope["number"])

        async def never():
            await asyncio.Event().wait()

        async def body():
            return {"type": "http.request", "body": b"{}", "more_body": False}

        def request(number, receive):
            scope = {
                "type": "http",
                "path": "/gradio_api/mcp/",
                "method": "POST",
                "headers": [],
                "number": number,
            }
            return asyncio.create_task(calls(scope, receive, None))

        calls = assistants.ToolCalls(application, Limits(), most=2)
        stuck = request(0, never)
        tasks = [request(number, body) for number in (1, 2, 3)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert entered == [(1, b"{}"), (2, b"{}")]
        doors[2].set()
        doors[3].set()
        await asyncio.gather(*tasks[1:])
        assert ended == [2, 3]
        doors[1].set()
        await tasks[0]
        stuck.cancel()
        return True

    assert run(work())


def test_the_callers_address_stands_after_what_he_wrote():
    headers = [(b"x-forwarded-for", b"1.1.1.1"), (b"host", b"a"), (b"x-forwarded-for", b"2.2.2.2")]
    scope = {"headers": headers, "client": ("192.0.2.7", 5)}
    assert assistants.with_caller(scope) == [
        (b"host", b"a"),
        (b"x-forwarded-for", b"1.1.1.1, 2.2.2.2, 192.0.2.7"),
    ]
    assert assistants.with_caller({"headers": headers, "client": None}) == headers


def test_a_image_is_known_by_how_it_begins():
    def of(kind):
        content = io.BytesIO()
        Image.new("RGB", (9, 9)).save(content, kind)
        return base64.b64encode(content.getvalue()).decode("ascii")

    assert assistants.image_type(of("png")) == "image/png"
    assert assistants.image_type(of("webp")) == "image/webp"
    sound = base64.b64encode(b"RIFF\0\0\0\0WAVE" + b"\0" * 60).decode("ascii")
    other = base64.b64encode(b"FORM\0\0\0\0WEBP" + b"\0" * 60).decode("ascii")
    assert [assistants.image_type(one) for one in (sound, other, "a" * 80, "春" * 80, 7, None)] == [None] * 6


def test_where_gradios_tools_are_not_as_expected_its_answers_stay():
    old = types.SimpleNamespace(types=None, postprocess_output_data=None)
    for page in (types.SimpleNamespace(), types.SimpleNamespace(mcp_server_obj=old)):
        assistants.clear_answers(page)
    assert old.postprocess_output_data is None
