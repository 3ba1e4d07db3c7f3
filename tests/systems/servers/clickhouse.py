"""A real ClickHouse engine with its own HTTP interface, on a free port of 127.0.0.1.

usage: clickhouse.py OWNER_PID DIRECTORY ENGINE_FOLDER [USERS_XML], or clickhouse.py install ENGINE_FOLDER

Users, profiles and quotas of a file USERS_XML are added to the engine's own.

The engine is ClickHouse built as a library (the npm package named in clickhouse/package.json). It runs as
`clickhouse local`; `SYSTEM START LISTEN HTTP` then opens the very handler that clickhouse-server has.
"""

import fcntl
import hashlib
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import urllib.request

import lifetime

HERE = pathlib.Path(__file__).parent
HOST = """
import ctypes, sys
engine = ctypes.CDLL(sys.argv[1])
engine.chdb_query_cmdline.restype = ctypes.c_void_p
engine.chdb_result_error.restype = ctypes.c_char_p
engine.chdb_result_error.argtypes = [ctypes.c_void_p]
words = [b"clickhouse", *(word.encode() for word in sys.argv[2:])]
result = engine.chdb_query_cmdline(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None))
error = engine.chdb_result_error(result) if result else b"no result"
sys.exit(error.decode(errors="replace") if error else 0)
"""
# The engine serves while this query sleeps.
FOREVER = (
    "SELECT sleepEachRow(3) FROM system.numbers FORMAT Null "
    "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0"
)
# name, profile, further elements. `default` is the engine's own start-up user and may read nothing.
USERS = [
    ("admin", "default", "<access_management>1</access_management>"),
    ("reader", "reader", ""),
    ("strict_reader", "strict_reader", ""),
    ("small_reader", "small_reader", ""),
    ("cut_reader", "cut_reader", ""),
    ("limited_reader", "limited_reader", ""),
    ("leaf_reader", "leaf_reader", ""),
    ("strict_leaf_reader", "strict_leaf_reader", ""),
    ("stranger", "reader", "<grants><query>GRANT SELECT ON system.one</query></grants>"),
]
# Cuts whatever reads more rows of a table.
LEAF_LIMIT = (
    "<max_rows_to_read_leaf>70000</max_rows_to_read_leaf><read_overflow_mode_leaf>break</read_overflow_mode_leaf>"
)
STARTUP_GRANTS = (
    "<grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants>"
)


def engine(folder):
    """Installs the locked package once into `folder` and returns the library."""
    library = folder / "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (HERE / "clickhouse/package-lock.json").read_text()
        done = folder / ".installed"
        if not (done.exists() and done.read_text() == wanted and library.exists()):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / "clickhouse" / name, folder / name)
            install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
            made = subprocess.run(install, capture_output=True, text=True)
            if made.returncode != 0:
                raise RuntimeError(f"cannot install the ClickHouse engine: {made.stderr.strip()}")
            done.write_text(wanted)
    return library


def users_xml(passwords):
    users = "".join(
        f"<{name}><password_sha256_hex>{hashlib.sha256(passwords[name].encode()).hexdigest()}</password_sha256_hex>"
        f"<networks><ip>127.0.0.1</ip></networks><profile>{profile}</profile><quota>default</quota>{more}</{name}>"
        for name, profile, more in USERS
    )
    return (
        "<clickhouse><profiles><default/><reader><readonly>2</readonly></reader>"
        "<strict_reader><readonly>1</readonly></strict_reader><small_reader><readonly>2</readonly><limit>10</limit>"
        "<max_memory_usage>30000000</max_memory_usage></small_reader>"
        "<limited_reader><readonly>1</readonly><limit>10</limit></limited_reader>"
        f"<leaf_reader><readonly>2</readonly>{LEAF_LIMIT}</leaf_reader>"
        f"<strict_leaf_reader><readonly>1</readonly>{LEAF_LIMIT}</strict_leaf_reader>"
        "<cut_reader><readonly>1</readonly><max_result_rows>10</max_result_rows>"
        "<result_overflow_mode>break</result_overflow_mode></cut_reader></profiles><quotas><default/></quotas><users>"
        "<default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile>"
        f"<quota>default</quota>{STARTUP_GRANTS}</default>{users}</users></clickhouse>"
    )


def start(keeper):
    library = engine(pathlib.Path(sys.argv[3]))
    home, port = keeper.directory, lifetime.free_port()
    passwords = {name: secrets.token_hex(16) for name, _, _ in USERS}
    lifetime.write(home / "users.xml", users_xml(passwords))
    for added in sys.argv[4:]:
        # The engine merges what lies there into its `users.xml`.
        (home / "users.d").mkdir()
        shutil.copy(added, home / "users.d/added.xml")
    config = (
        f"<clickhouse><path>{home}/data/</path><users_config>{home}/users.xml</users_config>"
        f"<listen_host>127.0.0.1</listen_host><http_port>{port}</http_port>"
        "<keep_alive_timeout>30</keep_alive_timeout></clickhouse>"
    )
    lifetime.write(home / "config.xml", config)
    command = [sys.executable, "-c", HOST, str(library), f"--config-file={home}/config.xml"]
    command += ["--log-level=warning", "--query", f"SYSTEM START LISTEN HTTP; {FOREVER}"]

    def ready():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    keeper.keep(command, ready, {"port": port, "passwords": passwords}, cwd=home)


if sys.argv[1] == "install":
    engine(pathlib.Path(sys.argv[2]))
else:
    lifetime.serve(int(sys.argv[1]), pathlib.Path(sys.argv[2]), signal.SIGKILL, start)
