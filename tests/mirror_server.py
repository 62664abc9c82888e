"""A mirror of the Hub on this machine: models to fetch, data sets to read, models to push, below any address.

It answers below the path of its address alone, as a mirror that shares a host with other things does.
"""

import http
import re
import ssl

from tests.data import hub_server
from tests.studio.push_server import PushHandler, PushServer

DATA_SET = re.compile(r"/(api/)?datasets/")


class MirrorHandler(PushHandler, hub_server.Handler):
    def parse_request(self):
        if not super().parse_request():
            return False
        self.hub.asked.append(self.path)
        if not (self.path + "/").startswith(self.hub.below + "/"):
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return False
        self.path = self.path.removeprefix(self.hub.below) or "/"
        return True

    def _answer(self):
        if DATA_SET.match(self.path):
            answer = hub_server.Handler.do_POST if self.command == "POST" else hub_server.Handler.do_GET
            answer(self)
        else:
            super()._answer()


class MirrorServer(PushServer):
    """A Hub at an address of its own.

    Args:
        folder: where it keeps what is pushed.
        below: the path of its address, such as /mirror/hub.
        certificate: a file of certificate and key, for https.

    Attributes:
        asked: paths of all requests, those outside of `below` too.
    """

    handler = MirrorHandler

    def __init__(self, folder, below="", certificate=None):
        super().__init__(folder)
        self.below = below
        self.asked: list[str] = []
        self.host = self.url.removeprefix("http://")
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'http' if certificate is None else 'https'}://{self.host}{below}"
