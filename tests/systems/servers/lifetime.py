"""Keeps one server process alive exactly as long as the test run that asked for it.

The run is named by a process: the server is stopped when that process ends, however it ends, and the
server itself is told by the kernel to die should this keeper be killed. What the tests need to know is
written to `ready.json`; if the server cannot start or dies too early, the reason goes to `failed`.
"""

import ctypes
import json
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1


# What this process holds, so that the ports it was given stay its own.
held = []


def free_port():
    """A port of 127.0.0.1 by the rule of `src/ports.rs`, which this process keeps as long as it lives."""
    for _ in range(1000):
        port = random.randrange(10_000, 30_000)
        holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            holder.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                # As servers do, which may follow one that ended a moment ago.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            holder.close()
            continue
        held.append(holder)
        return port
    raise RuntimeError("no port between 10000 and 30000 is free")


def die_with_keeper(sig):
    """For `preexec_fn`, after any change of user: a change of user clears it."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def write(path, text):
    """Readers see the whole file or none."""
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.chmod(0o600)
    partial.rename(path)


class Keeper:
    def __init__(self, owner, directory, stop_signal):
        self.directory = pathlib.Path(directory)
        self.stop_signal = stop_signal
        self.owner = os.pidfd_open(owner)
        self.log = self.directory / "server.log"

    def fail(self, reason):
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-30:]) if self.log.exists() else ""
        (self.directory / "ready.json").unlink(missing_ok=True)
        write(self.directory / "failed", f"{reason}\n{tail}".strip())

    def owner_gone(self, seconds):
        return bool(select.select([self.owner], [], [], seconds)[0])

    def keep(self, command, ready, facts, become=lambda: None, attempt_seconds=240, **process):
        """Runs `command` until the owner ends. `ready()` says whether it answers; `facts` is what to tell besides the
        process."""
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: sys.exit(1))

        def prepare():
            become()
            die_with_keeper(self.stop_signal)

        with open(self.log, "ab") as log:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=prepare, **process
            )
        try:
            deadline = time.monotonic() + attempt_seconds
            while not ready():
                if server.poll() is not None:
                    return self.fail(f"the server ended with status {server.returncode} before it was ready")
                if time.monotonic() > deadline:
                    return self.fail(f"the server was not ready after {attempt_seconds} seconds")
                if self.owner_gone(0.05):
                    return None
            write(self.directory / "ready.json", json.dumps({**facts, "process": server.pid}))
            while not self.owner_gone(0.5):
                if server.poll() is not None:
                    return self.fail(f"the server ended with status {server.returncode} during the run")
        finally:
            if server.poll() is None:
                server.send_signal(self.stop_signal)
                try:
                    server.wait(10)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
            if self.owner_gone(0):
                shutil.rmtree(self.directory, ignore_errors=True)
                run = self.directory.parent
                if not any(entry.is_dir() for entry in run.iterdir()):  # the last server of the run
                    shutil.rmtree(run, ignore_errors=True)


def serve(owner, directory, stop_signal, start):
    """Calls `start(keeper)`; whatever goes wrong ends in `failed`."""
    keeper = Keeper(owner, directory, stop_signal)
    try:
        start(keeper)
    except Exception as error:  # told to the tests, which fail with it
        keeper.fail(f"{type(error).__name__}: {error}")
        raise
