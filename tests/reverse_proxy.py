"""A reverse proxy on loopback: it serves another server's pages below a path, and nothing beside it."""

import http.client
from urllib.parse import urlsplit

from tests.local_server import LocalHandler, LocalServer

OF_ONE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class ProxyHandler(LocalHandler):
    def _forward(self):
        proxy = self.proxy
        if not (self.path.partition("?")[0] + "/").startswith(proxy.below + "/"):
            proxy.beside.append(self.path)
            self._send(404, b"nothing here")
            return
        path = self.path.removeprefix(proxy.below) if proxy.strips else self.path
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        headers["Host"] = self.headers["Host"] if proxy.keeps_host else proxy.behind
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(proxy.behind)
        try:
            connection.request(self.command, path if path.startswith("/") else f"/{path}", body, headers)
            self._pass_on(connection.getresponse())
        except (ConnectionError, http.client.HTTPException):  # either side has gone
            self.close_connection = True
        finally:
            connection.close()

    def _pass_on(self, answer):
        """As it comes: a stream of answers is no use at its end."""
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while part := answer.read1(65536):
            self.wfile.write(part)
            self.wfile.flush()

    do_GET = do_POST = do_HEAD = do_OPTIONS = do_DELETE = _forward


class ReverseProxy(LocalServer):
    """Serves what is behind it below a path.

    Args:
        behind: the server's address.
        below: the path, such as /demo.
        strips: whether the path is taken away before a request is passed on.
        keeps_host: whether it says by which name it was asked.

    Attributes:
        beside: paths that were asked for outside of the path.
    """

    handler = ProxyHandler

    def __init__(self, behind, below="/demo", *, strips=True, keeps_host=True):
        super().__init__("proxy")
        self.behind = urlsplit(behind).netloc
        self.below, self.strips, self.keeps_host = below, strips, keeps_host
        self.beside = []
