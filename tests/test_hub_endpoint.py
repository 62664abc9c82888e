"""HF_ENDPOINT: whatever is asked of the Hub is asked there, and no other address is asked for anything.

In every Python process of these tests an audit hook refuses all connections but those to one address. (It
does not see those of compiled code; the client's own for large files is left out by HF_HUB_DISABLE_XET.)
"""

import base64
import datetime
import http.client
import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from gradio_client import Client

from aigc_demo.generators.catalog import find
from aigc_demo.training.start import Order, train
from tests import forked_commands
from tests.data import hub_server
from tests.data.hub.test_images import READER, parquet, small_set
from tests.generators.test_hub import save_pretrained_gpt2
from tests.local_server import LocalHandler, LocalServer
from tests.mirror_server import MirrorServer
from tests.studio.push_server import TOKEN
from tests.training.conftest import TINY
from tests.ui.conftest import free_port, wait_until_it_answers

ROOT = Path(__file__).resolve().parents[1]
MODEL = find("distilgpt2")
# Python runs a module of this name in every process that finds it.
GUARD = """
import os
import sys


def only_there(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[:2]
    elif event in ("socket.gethostbyname", "socket.sendto"):
        address = arguments[-1]
    else:
        return
    if event == "socket.connect" and isinstance(address, (str, bytes)):
        return  # a socket of this machine alone
    place = ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
    if place not in os.environ["ONLY_THERE"].split():
        with open(os.environ["ELSEWHERE"], "a") as file:
            file.write(f"{event} {place}\\n")
        raise ConnectionRefusedError(place)


open(os.environ["ELSEWHERE"], "a").close()
sys.addaudithook(only_there)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as others made it, and a run of ours."""
    home = tmp_path_factory.mktemp("endpoint")
    save_pretrained_gpt2(home / "gpt2")
    (home / "words.txt").write_text("the cat sees the red dog.\n" * 300)
    list(train(Order("gpt", str(home / "words.txt"), home / "run", steps=2, settings=TINY)))
    return home


def signed_certificate(folder: Path) -> Path:
    """A file of key and certificate for this machine."""
    x509 = pytest.importorskip("cryptography.x509", reason="without cryptography there is no https to test")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1)).add_extension(here, critical=False)
    path = folder / "certificate.pem"
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *private)
        + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return path


class User:
    """Someone whose machine reaches one address.

    Args:
        folder: where their caches are.
        mirror: what they reach.
        slash: whether they end its address with one.
        certificate: what they trust.
    """

    def __init__(self, folder: Path, mirror: MirrorServer, slash: str = "", certificate: Path | None = None):
        self.folder = folder
        (folder / "guard").mkdir()
        (folder / "guard" / "sitecustomize.py").write_text(GUARD)
        kept = {
            name: value
            for name, value in os.environ.items()
            if "proxy" not in name.lower() and not name.startswith("HF_")
        }
        self.environment = {
            **kept,
            "HF_ENDPOINT": mirror.url + slash,
            "HF_HOME": str(folder / "home"),
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
            "PYTHONPATH": os.pathsep.join((str(folder / "guard"), str(ROOT))),
            "ONLY_THERE": mirror.host,
            "ELSEWHERE": str(folder / "elsewhere"),
            "OMP_NUM_THREADS": "1",
            **({} if certificate is None else {"SSL_CERT_FILE": str(certificate)}),
        }

    def types(self, *commands: tuple) -> list[dict]:
        """What command lines end with, in one process: exit status, standard output and error of each."""
        orders = [{"environment": {}, "arguments": list(map(str, command))} for command in commands]
        done = self.runs("-m", "tests.studio.hub_user", json.dumps(orders))
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def runs(self, *arguments: str) -> subprocess.CompletedProcess:
        return forked_commands.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            timeout=120,
            imported=forked_commands.LIBRARIES,
        )

    def asked_elsewhere(self) -> str:
        """The addresses beside the one, for which anything of theirs asked."""
        return (self.folder / "elsewhere").read_text()  # the guard makes the file


@pytest.fixture(
    params=[("", "", False), ("/mirror/hub", "/", True)], ids=["plain", "https, below a path, with a slash"]
)
def mirror_and_user(
    request: pytest.FixtureRequest, home: Path, tmp_path: Path
) -> Iterator[tuple[MirrorServer, User]]:
    below, slash, safe = request.param
    certificate = signed_certificate(tmp_path) if safe else None
    with MirrorServer(tmp_path / "hub", below, certificate) as mirror:
        mirror.repositories[MODEL.location, MODEL.revision] = home / "gpt2"
        yield mirror, User(tmp_path, mirror, slash, certificate)


def test_every_command_asks_the_mirror_alone(
    mirror_and_user: tuple[MirrorServer, User], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, user = mirror_and_user
    monkeypatch.setitem(hub_server.FILES, "someone/pictures", {"data/train.parquet": parquet(small_set())})

    words = ("--prompt", "the ", "--seed", 3, "--set", "max_new_tokens=9")
    answers = user.types(
        ("fetch", "distilgpt2"),
        ("generate", "distilgpt2", *words),
        ("generate", home / "gpt2", *words),
        ("evaluate", "gpt-tiny-world", "--data", "hf:someone/letters:stories", "--split", "all"),
        ("push", home / "run", "team/cats"),
    )
    assert [(answer["status"], answer["err"]) for answer in answers] == [(0, "")] * 5
    results = [json.loads(answer["out"].splitlines()[-1]) for answer in answers]
    fetched, written, locally, measured, pushed = results
    assert Path(fetched["path"]).is_relative_to(user.folder / "home")
    assert written["text"] == locally["text"]
    assert measured["num_bytes"] == len("One story.\n\nAnother\none.\n\n")
    assert pushed["url"] == f"{mirror.url}/team/cats"
    assert "team/cats" in [name for name, _ in mirror.repositories]
    images = json.loads(user.runs("-c", READER, "hf:someone/pictures").stdout)
    assert images[1] == [[255, 0, 0], [0, 0, 255], [0, 255, 0]]

    assert user.asked_elsewhere() == ""
    assert [path for path in mirror.asked if not path.startswith(mirror.below)] == []


def test_the_page_fetches_from_the_mirror_and_asks_nobody_else(home: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "page.log"
    with MirrorServer(tmp_path / "hub", "/mirror") as mirror:
        mirror.repositories[MODEL.location, MODEL.revision] = home / "gpt2"
        user = User(tmp_path, mirror)
        own = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
        user.environment |= {**own, "AIGC_DEMO_RUNS": str(tmp_path / "runs")}
        for host in ("127.0.0.1", "localhost"):
            user.environment["ONLY_THERE"] += f" {host}:{port}"
        with log.open("w") as lines:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py")],
                cwd=tmp_path,
                env=user.environment,
                stdout=lines,
                stderr=lines,
            )
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_until_it_answers(url, process, log)
            answer = Client(url, verbose=False).predict(
                prompt="the ", models=["distilgpt2"], max_new_tokens=9, api_name="/generate_text"
            )
        finally:
            process.terminate()
            process.wait(20)
    assert "distilgpt2" in json.dumps(answer)
    assert any("model.safetensors" in path for path in mirror.asked), log.read_text()
    assert user.asked_elsewhere() == ""


@pytest.mark.parametrize("address", ["", "hub.example.edu"])
def test_an_address_that_is_none_is_said_in_a_sentence(home: Path, tmp_path: Path, address: str) -> None:
    """Of the client's own, one would read that there is no network."""
    with MirrorServer(tmp_path / "hub") as mirror:
        user = User(tmp_path, mirror)
    user.environment["HF_ENDPOINT"] = address
    answers = user.types(
        ("fetch", "distilgpt2"),
        ("evaluate", "gpt-tiny-world", "--data", "hf:someone/letters", "--split", "all"),
        ("push", home / "run", "team/cats"),
    )
    for answer in answers:
        assert (answer["status"], answer["out"]) == (2, "")
        assert answer["err"].startswith("HF_ENDPOINT holds no address"), answer["err"]
        assert answer["err"].count("\n") == 1


SECRET, NOT_HERE = "s3cret", "http://hub.example.invalid"
SILENT = "http://u:s3cret@127.0.0.1:9"


def asks_the_hub(user: User, home: Path) -> list[dict]:
    """One command of each kind that asks the Hub."""
    return user.types(
        ("fetch", "distilgpt2"),
        ("generate", "distilgpt2", "--prompt", "the "),
        ("evaluate", "gpt-tiny-world", "--data", "hf:someone/letters:stories", "--split", "all"),
        ("push", home / "run", "team/cats"),
    )


def asks_once(user: User, home: Path) -> list[dict]:
    return user.types(("fetch", "distilgpt2"))


@pytest.mark.parametrize(
    ("ask", "proxies", "sentence"),
    [
        (asks_the_hub, {"ALL_PROXY": f"socks5://u:{SECRET}@127.0.0.1:9"}, "and ALL_PROXY names no proxy"),
        (
            asks_the_hub,
            {"all_proxy": SILENT, "HTTPS_PROXY": "ftp://x"},
            "through the proxy that all_proxy names",
        ),
        (asks_once, {"http_proxy": f"socks4://u:{SECRET}@127.0.0.1:9"}, "and http_proxy names no proxy"),
        (asks_once, {"HTTP_PROXY": f"http://u:{SECRET}@[::1"}, "and HTTP_PROXY names no proxy"),
    ],
    ids=["socks5", "silent, and another broken", "socks4", "no address"],
)
def test_a_proxy_in_the_way_is_named_and_its_password_is_not(
    home: Path, tmp_path: Path, ask: Callable, proxies: dict[str, str], sentence: str
) -> None:
    with MirrorServer(tmp_path / "hub") as mirror:
        user = User(tmp_path, mirror)
    user.environment |= {**proxies, "HF_ENDPOINT": NOT_HERE}
    answers = ask(user, home)
    for answer in answers:
        assert (answer["status"], answer["out"]) == (2, "")
        assert sentence in answer["err"] and answer["err"].count("\n") == 1, answer["err"]
        assert SECRET not in answer["err"]


@pytest.mark.parametrize(
    ("ask", "proxies"),
    [
        (asks_the_hub, {"ALL_PROXY": "socks4://127.0.0.1:9", "HTTP_PROXY": SILENT, "NO_PROXY": "[::1]"}),
        (asks_once, {"HTTPS_PROXY": "socks5://127.0.0.1:9", "all_proxy": ""}),
    ],
    ids=["all", "of another scheme"],
)
def test_a_mirror_on_this_machine_is_asked_directly(
    home: Path, tmp_path: Path, ask: Callable, proxies: dict[str, str]
) -> None:
    with MirrorServer(tmp_path / "hub") as mirror:
        mirror.repositories[MODEL.location, MODEL.revision] = home / "gpt2"
        user = User(tmp_path, mirror)
        user.environment |= proxies
        assert [answer["status"] for answer in ask(user, home)] in ([0] * 4, [0])
    assert user.asked_elsewhere() == ""


def test_a_cache_that_takes_nothing_is_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with MirrorServer(tmp_path / "hub") as mirror:
        mirror.repositories[MODEL.location, MODEL.revision] = home / "gpt2"
        user = User(tmp_path, mirror)
        user.environment["HF_HOME"] = str(tmp_path / "file" / "home")
        (answer,) = asks_once(user, home)
    assert (answer["status"], answer["out"]) == (1, "")
    sentence = answer["err"].splitlines()[-1]  # the Hub's client warns before
    assert sentence.startswith(str(tmp_path / "file")) and "cannot be written" in sentence


class ForwardingHandler(LocalHandler):
    """A proxy for plain http, which wants a password and knows one host."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"u:{SECRET}".encode()).decode()
        self.forwarder.asked.append(self.path)
        if self.headers.get("Proxy-Authorization") != wanted:
            self._send(407, b"", {"Proxy-Authenticate": "Basic"})
            return
        asked = urlsplit(self.path)
        path = asked.path + (f"?{asked.query}" if asked.query else "")
        headers = {name: value for name, value in self.headers.items() if "proxy" not in name.lower()}
        connection = http.client.HTTPConnection(self.forwarder.target)
        connection.request(self.command, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    do_HEAD = do_GET


class Forwarder(LocalServer):
    handler = ForwardingHandler

    def __init__(self, target: str):
        super().__init__("forwarder")
        self.target = target
        self.asked: list[str] = []


@pytest.mark.parametrize(("password", "status"), [(SECRET, 0), ("other", 2)])
def test_a_proxy_that_works_is_used_and_one_that_refuses_is_named(
    home: Path, tmp_path: Path, password: str, status: int
) -> None:
    with MirrorServer(tmp_path / "hub") as mirror, Forwarder(mirror.host) as forwarder:
        mirror.repositories[MODEL.location, MODEL.revision] = home / "gpt2"
        user = User(tmp_path, mirror)
        address = forwarder.url.removeprefix("http://")
        user.environment |= {
            "HTTP_PROXY": f"http://u:{password}@{address}",
            "ALL_PROXY": "socks5://127.0.0.1:9",  # as many set the three of them
            "ONLY_THERE": address,
            "HF_ENDPOINT": NOT_HERE,
        }
        (answer,) = user.types(("fetch", "distilgpt2"))
    assert answer["status"] == status, answer
    assert user.asked_elsewhere() == ""
    assert forwarder.asked != []
    if status:
        assert mirror.asked == []
        assert "through the proxy that HTTP_PROXY names" in answer["err"]
