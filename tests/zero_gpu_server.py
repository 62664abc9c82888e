"""A stand-in of the service that lends GPUs on ZeroGPU, as the package `spaces` asks it.

POST /startup-report    the app has started and has a decorated function: what a Space with ZeroGPU waits for
POST /schedule          a GPU for so many seconds
POST /allow             for this process
POST /release           it is given back

To look at the page as on such a Space, in an environment with a CUDA build of torch, with or without a GPU:

python -m tests.zero_gpu_server --minutes 10
SPACES_ZERO_GPU=true SPACES_ZERO_DEVICE_API_URL=THE_ADDRESS_THAT_IT_PRINTS python app.py
"""

import argparse
import json
import subprocess
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from tests.local_server import LocalHandler, LocalServer


@dataclass(frozen=True)
class Call:
    """What the package asked."""

    path: str
    values: dict[str, str]


class Handler(LocalHandler):
    server_of: "ZeroGpuServer"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        parts = urlsplit(self.path)
        call = Call(parts.path, dict(parse_qsl(parts.query)))
        self.server_of.calls.append(call)
        if call.path == "/schedule":
            self._schedule()
        elif call.path in ("/startup-report", "/allow", "/release"):
            self._send(200, b"")
        else:
            self._send(404, b"")

    def _schedule(self):
        answer = self.server_of.answer
        if answer == "granted":
            uuid = self.server_of.gpu_uuid
            grant = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": uuid, "allowToken": "granted"}
            self._send(200, json.dumps(grant).encode())
        elif answer == "quota exceeded":
            left = {"left": 0, "wait": 3600}
            self._send(429, json.dumps(left).encode(), {"X-Approve-Result": "quota-exceeded"})
        else:
            self._send(503, b"")

    def _send(self, status, body, headers=None):
        super()._send(status, body, {"Content-Type": "application/json", **(headers or {})})


class ZeroGpuServer(LocalServer):
    """Lends this machine's GPU, or the name of one where there is none.

    Attributes:
        answer: to whoever asks for a GPU: granted, quota exceeded, or busy.
        calls: all that it was asked, in order.
        gpu_uuid: of what it lends.
    """

    handler = Handler

    def __init__(self):
        self.answer = "granted"
        self.calls: list[Call] = []
        self.gpu_uuid = gpu_uuid()
        super().__init__("server_of")

    def asked(self, path):
        """The values of all calls of a path."""
        return [call.values for call in self.calls if call.path == path]


def gpu_uuid():
    """Of the first GPU of this machine; a made-up one where its driver names none."""
    command = ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        names = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return "GPU-00000000-0000-0000-0000-000000000000"
    return names.split("\n")[0].strip()


def main():
    parser = argparse.ArgumentParser(description="A stand-in of the service that lends GPUs on ZeroGPU.")
    parser.add_argument("--minutes", type=float, default=30.0, help="after which it ends by itself")
    end = time.monotonic() + 60 * parser.parse_args().minutes
    with ZeroGpuServer() as server:
        print(server.url, flush=True)
        num_read = 0
        while time.monotonic() < end:
            for call in server.calls[num_read:]:
                print(call.path, call.values, flush=True)
                num_read += 1
            time.sleep(0.2)


if __name__ == "__main__":
    main()
