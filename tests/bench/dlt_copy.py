"""The benchmark's other peer: dlt copies the warehouse table, merging by key, and stops.

dlt_copy.py WAREHOUSE_URL DESTINATION_URL STATE_FOLDER

The first call copies everything, each later one what its own incremental cursor takes for new. Nothing is matched,
routed or kept waiting: this is a bare copy of the rows.
"""

import os
import sys
import urllib.parse

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
from dlt.sources.sql_database import sql_table


def postgres(warehouse):
    """The table by dlt's quickest reader."""
    # SQLAlchemy knows the scheme by its long name only, and would take another driver than the one installed.
    return sql_table(
        credentials=warehouse.replace("postgres://", "postgresql+psycopg2://", 1),
        table="usage",
        backend="connectorx",
        incremental=dlt.sources.incremental("updated_at"),
    )


def clickhouse(warehouse):
    """The table as Arrow, by ClickHouse's own client: the quickest way that works. connectorx, as of 0.4.6, reads no row
    of a table that has a decimal column, and says nothing; dlt's reader over SQLAlchemy is slower."""
    import clickhouse_connect

    place = urllib.parse.urlparse(warehouse)

    @dlt.resource(name="usage")
    def usage(updated_at=dlt.sources.incremental("updated_at")):
        client = clickhouse_connect.get_client(
            host=place.hostname,
            port=place.port,
            username=place.username,
            password=place.password,
            database=place.path.strip("/"),
        )
        sql, since = "SELECT * FROM usage", updated_at.last_value
        if since is not None:
            sql += f" WHERE updated_at >= '{since:%Y-%m-%d %H:%M:%S.%f}'"
        with client.query_arrow_stream(sql, use_strings=True) as batches:
            yield from batches

    return usage()


def main(warehouse, destination, state):
    usage = clickhouse(warehouse) if warehouse.startswith("clickhouse:") else postgres(warehouse)
    usage.apply_hints(write_disposition="merge", primary_key="id")
    pipeline = dlt.pipeline(
        pipeline_name="copy",
        destination=dlt.destinations.postgres(destination.replace("postgres://", "postgresql://", 1)),
        dataset_name="copy",
        pipelines_dir=state,
    )
    pipeline.run(usage).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])
