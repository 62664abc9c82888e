"""The small Hub of tests/generators, to which models can be pushed too.

GET  /api/models/OWNER/NAME                     whether there is such a repository, and who sees it
POST /api/repos/create                          a new one
POST /api/validate-yaml                         the first lines of a card
POST /api/models/OWNER/NAME/preupload/BRANCH    how each file is to be sent
POST /OWNER/NAME.git/info/lfs/objects/batch     where large files go, which are PUT there
POST /api/models/OWNER/NAME/commit/BRANCH       the files
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass

from tests.generators.hub_server import Handler, HubServer

TOKEN = "hf_Tests0nly"
MODEL = re.compile(r"/api/models/([\w.-]+/[\w.-]+)")
COMMIT = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/commit/main")


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class PushHandler(Handler):
    def do_POST(self):
        self._answer()

    def do_PUT(self):
        self._answer()

    def _answer(self):
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)) if self._sends() else self._chunks()
        self.hub.received.append(Request(self.command, self.path, dict(self.headers), body))
        head = f"{path} {body[:200].decode('utf-8', 'replace')}"
        fault = next((fault for part, fault in self.hub.faults.items() if part in head), None)
        if fault is not None:
            self._fail(fault)
        elif not path.startswith("/lfs/") and self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif match := MODEL.fullmatch(path):
            self._tell(match[1])
        elif self.command in ("POST", "PUT"):
            self._take(path, body)
        else:
            super()._answer()

    def _sends(self):
        return "chunked" not in self.headers.get("Transfer-Encoding", "")

    def _chunks(self):
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _fail(self, fault):
        if fault == "hang up":
            self.close_connection = True
            self.connection.close()
        else:
            self._send(fault, b"{}", {"X-Error-Message": "no"})

    def _tell(self, repo):
        if repo in self.hub.visible:
            private = not self.hub.visible[repo]
            self._send_json({"id": repo, "modelId": repo, "private": private, "siblings": []})
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _take(self, path, body):
        if path.startswith("/lfs/"):
            self.hub.large[path.rpartition("/")[2]] = body
            self._send(200, b"")
        elif match := COMMIT.fullmatch(path):
            self._commit(match[1], [json.loads(line) for line in body.splitlines()])
        else:
            asked = json.loads(body)
            steps = {
                "validate-yaml": lambda: {"errors": [], "warnings": []},
                "create": lambda: self._create(asked),
                "main": lambda: self._modes(asked["files"]),
                "batch": lambda: self._places(asked["objects"]),
            }
            self._send_json(steps[path.rpartition("/")[2]]())

    def _create(self, asked):
        repo = f"{asked['organization']}/{asked['name']}"
        self.hub.visible.setdefault(repo, asked["visibility"] == "public")
        return {"url": f"{self.hub.url}/{repo}"}

    def _modes(self, files):
        large = "lfs" if self.hub.takes_large else "regular"
        kinds = {True: large, False: "regular"}
        return {
            "files": [
                {
                    "path": f["path"],
                    "uploadMode": kinds[f["path"].endswith(".safetensors")],
                    "shouldIgnore": False,
                }
                for f in files
            ]
        }

    def _places(self, objects):
        return {
            "objects": [
                {**one, "actions": {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}}
                for one in objects
            ]
        }

    def _commit(self, repo, lines):
        number = hashlib.sha1(repr(lines).encode(), usedforsecurity=False).hexdigest()
        folder = self.hub.folder / number
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                continue
            content = (
                self.hub.large[value["oid"]]
                if line["key"] == "lfsFile"
                else base64.b64decode(value["content"])
            )
            (folder / value["path"]).parent.mkdir(parents=True, exist_ok=True)
            (folder / value["path"]).write_bytes(content)
        self.hub.repositories[repo, number] = folder
        self._send_json({"commitUrl": f"{self.hub.url}/{repo}/commit/{number}", "commitOid": number})


class PushServer(HubServer):
    """A Hub that takes models.

    Args:
        folder: where it keeps them.

    Attributes:
        received: all that it was sent.
        visible: whether everybody sees a repository, by its name.
        faults: status to answer with, or "hang up", by a part of the path or of what is sent.
        takes_large: whether weights go by the way of large files.
        large: contents of large files, by their SHA-256.
    """

    handler = PushHandler

    def __init__(self, folder):
        super().__init__({})
        self.folder = folder
        self.received: list[Request] = []
        self.visible: dict[str, bool] = {}
        self.faults: dict[str, int | str] = {}
        self.takes_large = False
        self.large: dict[str, bytes] = {}
