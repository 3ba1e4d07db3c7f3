"""An emulator of BigQuery's REST interface on a free port of 127.0.0.1.

usage: bigquery.py OWNER_PID DIRECTORY ENVIRONMENTS (local-bigquery | bqemulator)

Both keep their tables in DuckDB and take any token or none; what signs in is made here: a key as Google makes them
for service accounts. Their DuckDB extensions come as Python packages and are put where DuckDB looks for them, so
that nothing is downloaded later.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import urllib.request

import environment
import lifetime

KEY = """
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives import serialization as form
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
print(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode())
"""


def extensions(home, folder):
    """Puts the extensions the environment brings where DuckDB looks for them below the folder."""
    for file in environment.package_files(home, "duckdb_extension_*/extensions/*/*.duckdb_extension"):
        place = folder / ".duckdb/extensions" / file.parent.name / "linux_amd64"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)


def start(keeper):
    cache, name = pathlib.Path(sys.argv[3]), sys.argv[4]
    home, place = environment.make(name, cache), keeper.directory
    extensions(home, place)
    (place / "data").mkdir()
    port, other = lifetime.free_port(), lifetime.free_port()
    if name == "local-bigquery":
        command = ["serve", "--host", "127.0.0.1", "--port", port, "--grpc-port", other, "--data-dir", place / "data"]
    else:
        command = ["start", "--rest-host", "127.0.0.1", "--rest-port", port, "--grpc-host", "127.0.0.1"]
        command += ["--grpc-port", other, "--ephemeral", "--log-level", "warning"]
    # The proxy answers to nobody: an optional download at start fails at once.
    nowhere = "http://127.0.0.1:9"
    variables = os.environ | {"HOME": str(place), "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere}
    variables |= {"NO_PROXY": "127.0.0.1", "http_proxy": nowhere, "https_proxy": nowhere, "no_proxy": "127.0.0.1"}

    def ready():
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/bigquery/v2/projects/local/datasets", timeout=5) as answer:
                return "datasets" in json.load(answer) or answer.status == 200
        except OSError:
            return False

    python = home / "bin/python"
    made = subprocess.run([python, "-c", KEY], capture_output=True, text=True)
    if made.returncode != 0:
        raise RuntimeError(f"cannot make a key: {made.stderr.strip()}")
    facts = {"port": port, "key": made.stdout.strip() + "\n", "python": str(python)}
    program = home / "bin" / name
    keeper.keep([str(program), *map(str, command)], ready, facts, cwd=place, env=variables)


lifetime.serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), signal.SIGTERM, start)
