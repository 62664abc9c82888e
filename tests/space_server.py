"""A stand-in for the part of the Hub that hosts Spaces, as far as the README's commands ask it.

GET  /api/whoami-v2                             whose token it is
POST /api/repos/create                          a new Space; a free account gets ZeroGPU and nothing else
GET  /api/spaces/OWNER/NAME...                  whether there is one
POST /api/spaces/OWNER/NAME/preupload/main      how each file is to be sent; what .gitignore names is not
POST /spaces/OWNER/NAME.git/info/lfs/objects/batch
POST /api/spaces/OWNER/NAME/commit/main         the files
"""

import base64
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

from tests.studio.push_server import TOKEN, PushHandler, PushServer, Request

BINARY = (".safetensors", ".png", ".webp", ".woff2", ".ico")
FREE_HARDWARE = "zero-a10g"


class SpaceHandler(PushHandler):
    def _answer(self):
        path = self.path.partition("?")[0]
        body = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._body()
        self.hub.received.append(Request(self.command, self.path, dict(self.headers), b""))
        if path.startswith("/lfs/"):
            self.hub.large[path.rpartition("/")[2]] = body
            self._send(200, b"")
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(401, b"", {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif path == "/api/whoami-v2":
            token = {"role": "write", "displayName": "class"}
            self._send_json({"type": "user", "name": "teacher", "auth": {"accessToken": token}})
        elif path.startswith("/api/spaces/") and self.command in ("GET", "HEAD"):
            self._tell_space(path)
        else:
            self._do(path, body)

    def _body(self):
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _tell_space(self, path):
        space = "/".join(path.split("/")[3:5])
        if space not in self.hub.spaces:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        elif "/tree/" in path or "/paths-info/" in path:
            self._send_json([])
        else:
            siblings = [{"rfilename": name} for name in self.hub.files()]
            self._send_json({"id": space, "sha": "0" * 40, "siblings": siblings, "sdk": "gradio"})

    def _do(self, path, body):
        last = path.rpartition("/")[2]
        if last == "create":
            self._create_space(json.loads(body))
        elif last == "validate-yaml":
            self._send_json({"errors": [], "warnings": []})
        elif "/preupload/" in path:
            self._send_json(self._sent_how(json.loads(body)))
        elif last == "batch":
            self._send_json(self._places(json.loads(body)["objects"]))
        elif "/commit/" in path:
            self._take_files([json.loads(line) for line in body.splitlines()])
        else:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})

    def _create_space(self, asked):
        space = f"{asked.get('organization') or 'teacher'}/{asked['name']}"
        hardware = asked.get("hardware") or asked.get("space_hardware") or asked.get("flavor")
        if space in self.hub.spaces:
            self._send(409, json.dumps({"url": f"{self.hub.url}/spaces/{space}"}).encode())
        elif (asked["type"], asked.get("sdk"), hardware) != ("space", "gradio", FREE_HARDWARE):
            self._send(402, b"{}", {"X-Error-Message": "Free accounts create Gradio Spaces on ZeroGPU only."})
        else:
            self.hub.spaces.append(space)
            self._send_json({"url": f"{self.hub.url}/spaces/{space}", "name": space, "id": space})

    def _sent_how(self, asked):
        ignored = ignored_names([file["path"] for file in asked["files"]], asked.get("gitIgnore", ""))
        return {
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(BINARY) else "regular",
                    "shouldIgnore": file["path"] in ignored,
                }
                for file in asked["files"]
            ]
        }

    def _take_files(self, lines):
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                continue
            large = line["key"] == "lfsFile"
            content = self.hub.large[value["oid"]] if large else base64.b64decode(value["content"])
            if not large and value["path"].endswith(BINARY):
                self._send(400, b"{}", {"X-Error-Message": "Binary files are not accepted outside of LFS"})
                return
            place = self.hub.folder / value["path"]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        number = hashlib.sha1(str(len(self.hub.received)).encode(), usedforsecurity=False).hexdigest()
        url = f"{self.hub.url}/spaces/{self.hub.spaces[-1]}/commit/{number}"
        self._send_json({"commitUrl": url, "commitOid": number})


def ignored_names(names, rules):
    """Which names git would leave out, by these rules alone."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        (Path(folder) / ".gitignore").write_text(rules)
        command = ["git", "-C", folder, "check-ignore", "--no-index", "--stdin", "-z"]
        asked = "\0".join(names).encode()
        done = subprocess.run(command, input=asked, capture_output=True, check=False)
    return set(done.stdout.decode().split("\0"))


class SpaceServer(PushServer):
    """A Hub that takes Spaces of a free account.

    Args:
        folder: where it keeps the files of the Space.

    Attributes:
        spaces: that were made, by their names.
    """

    handler = SpaceHandler

    def __init__(self, folder):
        super().__init__(folder)
        self.spaces: list[str] = []

    def files(self):
        """The names of the files that it keeps."""
        return sorted(
            path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()
        )
