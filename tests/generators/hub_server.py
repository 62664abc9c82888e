"""A small server on this machine that speaks as much of the Hub's API as fetching a model takes.

GET  /api/models/OWNER/NAME/revision/COMMIT    what the repository holds
GET  /api/models/OWNER/NAME/tree/COMMIT        its files, one page
HEAD /OWNER/NAME/resolve/COMMIT/FILE           size, ETag and commit
GET  /OWNER/NAME/resolve/COMMIT/FILE           the bytes
"""

import hashlib
import json
import re
from pathlib import Path

from tests.local_server import LocalHandler, LocalServer

API = re.compile(r"/api/models/(?P<repo>[\w.-]+/[\w.-]+)/(?P<what>revision|tree)/(?P<commit>\w+)")
FILE = re.compile(r"/(?P<repo>[\w.-]+/[\w.-]+)/resolve/(?P<commit>\w+)/(?P<file>.+)")


class Handler(LocalHandler):
    hub: "HubServer"

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        path = self.path.partition("?")[0]
        self.hub.requests.append((self.command, path))
        match = API.fullmatch(path) or FILE.fullmatch(path)
        if self.hub.failing:
            self._send(503, b"")
        elif match is None or not any(match["repo"] == repo for repo, _ in self.hub.repositories):
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        elif (match["repo"], match["commit"]) not in self.hub.repositories:
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        else:
            self._serve(match["repo"], match["commit"], match.groupdict())

    def _serve(self, repo, commit, asked):
        folder = self.hub.repositories[repo, commit]
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        sizes = {name: (folder / name).stat().st_size for name in names}
        if asked.get("what") == "revision":
            siblings = [{"rfilename": name, "size": size, "blobId": "0"} for name, size in sizes.items()]
            self._send_json({"id": repo, "modelId": repo, "sha": commit, "siblings": siblings})
        elif asked.get("what") == "tree":
            entries = [
                {"type": "file", "path": n, "size": s, "oid": _etag(folder / n)} for n, s in sizes.items()
            ]
            self._send_json(entries)
        elif asked["file"] in names:
            path = folder / asked["file"]
            headers = {"ETag": f'"{_etag(path)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
            self._send(200, path.read_bytes(), headers)
        else:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})

    def _send_json(self, value):
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


class HubServer(LocalServer):
    """Serves folders as repositories, each at one commit, and remembers what it was asked for.

    Args:
        repositories: (id, commit) to a folder.

    Attributes:
        requests: method and path of each, in order.
        failing: answer everything with 503.
    """

    handler = Handler

    def __init__(self, repositories):
        self.repositories = {key: Path(folder) for key, folder in repositories.items()}
        self.requests: list[tuple[str, str]] = []
        self.failing = False
        super().__init__("hub")

    def files_asked_for(self):
        """Names of the files of which anything was asked."""
        matches = (FILE.fullmatch(path) for _, path in self.requests)
        return {match["file"] for match in matches if match}


def _etag(path):
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
