"""What emulators of a Databricks workspace have in common: a SQL warehouse is made once they answer."""

import json
import urllib.error
import urllib.request


def ready(port, facts, warehouse, before, statement=None):
    """Whether the emulator answers; then posts `before`, makes the warehouse, runs the statement, and tells the ID."""

    def post(path, body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def look():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/2.0/sql/warehouses", timeout=5):
                pass
        except OSError:
            return False
        for path, body in before:
            post(path, body)
        facts["warehouse"] = post("/api/2.0/sql/warehouses", warehouse)["id"]
        try:
            post(f"/api/2.0/sql/warehouses/{facts['warehouse']}/start", {})
        except urllib.error.HTTPError:
            pass  # it runs already
        if statement:
            body = {"warehouse_id": facts["warehouse"], "statement": statement, "wait_timeout": "30s"}
            post("/api/2.0/sql/statements", body)
        return True

    return look
