"""What users do with the Hub in a terminal: run as a child, since HF_ENDPOINT is read at import.

Takes a list of command lines as JSON, each with what the environment holds meanwhile, and prints one line of
JSON for each: exit status, and what it wrote to its two outputs.
"""

import contextlib
import io
import json
import os
import sys
import time

from aigc_demo import cli


def main():
    pause = time.sleep
    # The client asks again six times, after 23 seconds in all.
    time.sleep = lambda seconds: pause(min(seconds, 0.05))
    err = io.StringIO()  # one for all: the client's log keeps the one that it found first
    for order in json.loads(sys.argv[1]):
        out = io.StringIO()
        err.seek(0)
        err.truncate()
        os.environ |= order["environment"]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                cli.main([*order["arguments"], "--json"])
        except SystemExit as end:
            status = end.code or 0
        print(json.dumps({"status": status, "out": out.getvalue(), "err": err.getvalue()}), flush=True)


if __name__ == "__main__":
    main()
