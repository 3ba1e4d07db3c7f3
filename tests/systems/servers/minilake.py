"""MiniLake: an emulator of a Databricks workspace over DuckDB, on a free port of 127.0.0.1.

usage: minilake.py OWNER_PID DIRECTORY ENVIRONMENTS_FOLDER

It has a catalog `prod`. It accepts any token, or none. DuckDB has no `unix_micros`, so a macro of that name is made.
"""

import os
import pathlib
import signal
import sys

import environment
import lifetime
import workspace

NOWHERE = "http://127.0.0.1:9"


def start(keeper):
    home = environment.make("minilake", sys.argv[3])
    port = lifetime.free_port()
    # It would download extensions at its start; behind a proxy that is not there, it goes on without at once.
    own = os.environ | {"HOME": str(keeper.directory), "MINILAKE_NOTEBOOK": "0", "NO_PROXY": "127.0.0.1"}
    own |= {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "MINILAKE_STATEMENT_CACHE_SIZE": "50"}
    command = [str(home / "bin/minilake"), "--host", "127.0.0.1", "--port", str(port)]
    facts = {"port": port}
    wanted = {"name": "test", "cluster_size": "2X-Small", "warehouse_type": "PRO"}
    macro = "CREATE OR REPLACE MACRO unix_micros(value) AS epoch_us(value)"
    before = [("/api/2.1/unity-catalog/catalogs", {"name": "prod"})]
    ready = workspace.ready(port, facts, wanted, before, macro)
    keeper.keep(command, ready, facts, cwd=keeper.directory, env=own)


lifetime.serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), signal.SIGTERM, start)
