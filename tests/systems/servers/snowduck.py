"""snowduck, an emulator of Snowflake's SQL API over DuckDB, on a free port of 127.0.0.1.

usage: snowduck.py OWNER_PID DIRECTORY ENVIRONMENTS_FOLDER
"""

import json
import os
import pathlib
import signal
import sys
import urllib.request

import environment
import lifetime

NOWHERE = "http://127.0.0.1:9"


def start(keeper):
    home = environment.make("snowflake", sys.argv[3])
    port = lifetime.free_port()
    # A download at its start would fail at once: what it needs is installed.
    own = os.environ | {"HOME": str(keeper.directory), "SNOWDUCK_DB_PATH": str(keeper.directory / "data.duckdb")}
    own |= {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/statements",
        data=json.dumps({"statement": "SELECT 1"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready():
        try:
            with opener.open(request, timeout=5) as answer:
                return json.load(answer)["code"] == "090001"
        except OSError:
            return False

    command = [str(home / "bin/snowduck"), "--host", "127.0.0.1", "--port", str(port)]
    keeper.keep(command, ready, {"port": port}, cwd=keeper.directory, env=own)


lifetime.serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), signal.SIGTERM, start)
