"""The benchmark's other peer: dlt copies the warehouse table, merging by key, and stops.

dlt_copy.py WAREHOUSE_URL DESTINATION_URL STATE_FOLDER

The first call copies everything, each later one what its own incremental cursor takes for new. Nothing is matched,
routed or kept waiting: this is a bare copy of the rows.
"""

import os
import sys

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
from dlt.sources.sql_database import sql_table


def main(warehouse, destination, state):
    # SQLAlchemy knows the scheme by its long name only, and would take another driver than the one installed.
    warehouse = warehouse.replace("postgres://", "postgresql+psycopg2://", 1)
    destination = destination.replace("postgres://", "postgresql://", 1)
    usage = sql_table(
        credentials=warehouse,
        table="usage",
        backend="connectorx",
        incremental=dlt.sources.incremental("updated_at"),
    )
    usage.apply_hints(write_disposition="merge", primary_key="id")
    pipeline = dlt.pipeline(
        pipeline_name="copy",
        destination=dlt.destinations.postgres(destination),
        dataset_name="copy",
        pipelines_dir=state,
    )
    pipeline.run(usage).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])
