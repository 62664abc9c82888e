from types import SimpleNamespace

import pytest
from starlette.datastructures import Headers

from aigc_demo.studio.visitors.limits import Limits
from aigc_demo.studio.visitors.visitor import Sessions
from aigc_demo.ui.frame import met, secret_of
from aigc_demo.ui.serving.addresses import CALLER_HEADER, CALLER_WORD, address_of, network


def request(host="192.0.2.7", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(client=SimpleNamespace(host=host), headers=named)


def test_a_header_counts_only_where_the_host_trusts_it():
    forged = request(x_forwarded_for="203.0.113.9")
    assert address_of(forged, Limits()) == "192.0.2.7"
    assert address_of(forged, Limits(proxy_header="x-forwarded-for")) == "203.0.113.9"


def test_what_a_caller_writes_before_the_proxy_does_not_count():
    limits = Limits(proxy_header="x-forwarded-for")
    chain = "198.51.100.1, 203.0.113.9, 192.0.2.50"
    assert address_of(request(x_forwarded_for=chain), limits) == "192.0.2.50"
    two = Limits(proxy_header="x-forwarded-for", proxies=2)
    assert address_of(request(x_forwarded_for=chain), two) == "203.0.113.9"
    assert address_of(request(x_forwarded_for="192.0.2.50"), two) == "192.0.2.7", "shorter than the proxies"


def test_behind_the_proxy_of_a_space_nobody_is_known_unless_its_owner_names_a_header(monkeypatch):
    monkeypatch.setenv("SPACE_ID", "me/demo")
    asked = request(x_forwarded_for="203.0.113.9")
    assert address_of(asked, Limits()) == ""
    assert address_of(asked, Limits(proxy_header="x-forwarded-for")) == "203.0.113.9"


def test_only_the_page_itself_hands_an_address_on():
    assert address_of(request(**{CALLER_HEADER: f"{CALLER_WORD} 203.0.113.9"}), Limits()) == "203.0.113.9"
    for forged in ("203.0.113.9", "word 203.0.113.9", " 203.0.113.9", "ü 203.0.113.9"):
        assert address_of(request(**{CALLER_HEADER: forged}), Limits()) == "192.0.2.7"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("[2001:db8::1]", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "127.0.0.1"),
        ("::2", "::/64"),
        ("192.0.2.7:1234", "192.0.2.7"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("x" * 500, "x" * 64),
        ("", ""),
    ],
)
def test_ipv6_counts_by_its_network(address, counted):
    assert network(address) == counted


def test_no_request_and_no_client_have_no_address():
    assert address_of(None, Limits()) == ""
    assert address_of(SimpleNamespace(client=None, headers={}), Limits()) == ""


def test_a_header_that_a_proxy_adds_below_the_callers_own_counts():
    lines = Headers(raw=[(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"192.0.2.50")])
    asked = SimpleNamespace(client=SimpleNamespace(host="192.0.2.7"), headers=lines)
    assert address_of(asked, Limits(proxy_header="X-Forwarded-For")) == "192.0.2.50"


def test_what_the_server_itself_believes_of_connections_from_here_does_not_count():
    asked = request(host="203.0.113.9", **{"x-forwarded-for": "203.0.113.9"})
    asked.client.port = 0  # as uvicorn leaves it
    assert address_of(asked, Limits()) == "127.0.0.1"


def test_calls_of_assistants_share_no_session():
    sessions = Sessions()
    tool = request(**{CALLER_HEADER: f"{CALLER_WORD} 203.0.113.9"})
    page = request()
    tool.session_hash = page.session_hash = "one"
    met(tool, "anna" * 10, sessions)
    assert secret_of(tool, sessions) == secret_of(page, sessions) == ""
    met(page, "anna" * 10, sessions)
    assert (secret_of(tool, sessions), secret_of(page, sessions)) == ("", "anna" * 10)
    tool.headers["x-aigc-demo-secret"] = "bela" * 10
    assert secret_of(tool, sessions) == "bela" * 10


def test_a_call_without_a_request_or_headers_is_known_by_its_session_alone():
    sessions = Sessions()
    assert secret_of(None, sessions) == ""
    bare = SimpleNamespace(headers=None, session_hash="one")
    met(bare, "anna" * 10, sessions)
    assert secret_of(bare, sessions) == "anna" * 10
