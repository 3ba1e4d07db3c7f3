"""BrickHouse: an emulator of a Databricks workspace over real Delta tables, on a free port of 127.0.0.1.

usage: brickhouse.py OWNER_PID DIRECTORY ENVIRONMENTS_FOLDER

It has a catalog `main` with a schema `seeded`, whose table `typed` was written by delta-rs: types that its own INSERT
cannot write. It accepts any token.
"""

import os
import pathlib
import signal
import subprocess
import sys

import environment
import lifetime
import workspace

SEED = """
import decimal, sys
import deltalake, pyarrow as pa
from brickhouse import Workspace

folder, home = sys.argv[1:]
rows = range(500)
deltalake.write_deltalake(
    folder,
    pa.table(
        {
            "seq": pa.array([n // 3 if n % 50 else None for n in rows], pa.int64()),
            "id": pa.array(list(rows), pa.int64()),
            "small": pa.array([n % 100 for n in rows], pa.int32()),
            "amount": pa.array([decimal.Decimal(f"{10**27 + n}.0123456789") if n % 7 else None for n in rows], pa.decimal128(38, 10)),
            "ratio": pa.array([n / 3 for n in rows], pa.float64()),
            "label": pa.array([f"it's {n} 日本" for n in rows]),
            "active": pa.array([n % 2 == 0 for n in rows]),
            "day": pa.array([20454 + n // 10 for n in rows], pa.date32()),
        }
    ),
)
with Workspace(home) as workspace:
    workspace.schemas.create("main", "seeded")
    workspace.tables.register_external("main", "seeded", "typed", folder)
"""


def start(keeper):
    home = environment.make("brickhouse", sys.argv[3])
    place = keeper.directory / "workspace"
    # It keeps its locks and drafts in the user's home otherwise.
    own = os.environ | {"HOME": str(keeper.directory)}
    seed = [str(home / "bin/python"), "-c", SEED, str(keeper.directory / "typed"), str(place)]
    for command in ([str(home / "bin/brickhouse"), "init", "--workspace", str(place)], seed):
        made = subprocess.run(command, cwd=keeper.directory, env=own, capture_output=True, text=True)
        if made.returncode != 0:
            raise RuntimeError(f"BrickHouse cannot be prepared: {made.stderr.strip() or made.stdout.strip()}")
    port = lifetime.free_port()
    command = [str(home / "bin/brickhouse"), "serve", "--workspace", str(place), "--host", "127.0.0.1"]
    facts = {"port": port}
    wanted = {
        "name": "test",
        "cluster_size": "2X-Small",
        "warehouse_type": "PRO",
        "enable_serverless_compute": True,
        "min_num_clusters": 1,
        "max_num_clusters": 1,
        "auto_stop_mins": 120,
    }
    ready = workspace.ready(port, facts, wanted, [])
    keeper.keep([*command, "--port", str(port)], ready, facts, cwd=keeper.directory, env=own)


lifetime.serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), signal.SIGTERM, start)
