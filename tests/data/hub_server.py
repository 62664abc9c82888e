"""A small server on the loopback that speaks as much of the Hub's API as the datasets library asks for.

One data set, `someone/letters`, in two configurations, and some that cannot be used.
"""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "1234567890abcdef1234567890abcdef12345678"
CARD = """---
configs:
- config_name: lines
  data_files:
  - {split: train, path: lines/train.jsonl}
  - {split: test, path: lines/test.jsonl}
- config_name: stories
  data_files:
  - {split: train, path: stories/train.jsonl}
---
"""


def rows(*texts: str, column: str = "text") -> str:
    return "".join(json.dumps({column: text}) + "\n" for text in texts)


OLD_FILES = "春天来了，河边的柳树发芽了。\n小明每天早上都去学校。\n" * 20
FILES: dict[str, dict[str, str | bytes]] = {
    "someone/letters": {
        "README.md": CARD,
        "lines/train.jsonl": rows("", " = A title = \n", "", "The first line.\n", "é 春\n"),
        "lines/test.jsonl": rows("never read\n"),
        "stories/train.jsonl": rows("One story.", "Another\none."),
    },
    "someone/numbers": {"train.jsonl": '{"a": 1}\n{"a": 2}\n'},
    "someone/broken": {"train.jsonl": '{"text": "one"}\n{"text": '},
    "someone/old-files": {"train.txt": OLD_FILES.encode("gb18030")},
    "someone/doubtful": {"train.txt": ("Весна пришла.\n" * 9).encode("cp1251")},
    "someone/validation": {"validation.jsonl": rows("only this")},
}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def missing(self, code: str) -> None:
        self.answer(404, b"", X_Error_Code=code, X_Error_Message="not here")

    def send_json(self, value: object) -> None:
        self.answer(200, json.dumps(value).encode(), Content_Type="application/json")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        repository = "/".join(urlsplit(self.path).path.split("/")[3:5])
        self.send_json([entry for entry in tree(repository) if entry["path"] in asked["paths"]])

    def do_GET(self) -> None:
        parts = urlsplit(self.path).path.strip("/").split("/")
        is_api = parts[0] == "api"
        repository = "/".join(parts[2:4] if is_api else parts[1:3])
        if repository not in FILES:
            self.missing("RepoNotFound")
        elif is_api and parts[4:5] == ["tree"]:
            folder = "/".join(parts[6:])
            self.send_json([entry for entry in tree(repository) if entry["path"].startswith(folder)])
        elif is_api:
            siblings = [{"rfilename": path} for path in FILES[repository]]
            self.send_json({"id": repository, "sha": COMMIT, "siblings": siblings, "tags": []})
        elif parts[4] not in ("main", COMMIT):
            self.missing("RevisionNotFound")
        elif "/".join(parts[5:]) not in FILES[repository]:
            self.missing("EntryNotFound")
        else:
            body = as_bytes(FILES[repository]["/".join(parts[5:])])
            self.answer(200, body, ETag=f'"{digest(body)}"', X_Repo_Commit=COMMIT, Accept_Ranges="none")


def as_bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


def digest(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


def tree(repository: str) -> list[dict]:
    files = [
        {"type": "file", "path": path, "size": len(as_bytes(body)), "oid": digest(as_bytes(body))}
        for path, body in FILES[repository].items()
    ]
    folders = sorted({path.split("/")[0] for path in FILES[repository] if "/" in path})
    return [*files, *({"type": "directory", "path": folder, "oid": folder} for folder in folders)]


def serve() -> tuple[ThreadingHTTPServer, str]:
    """The running server and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"
