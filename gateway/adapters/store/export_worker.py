"""Writes an export to standard output, in a process of its own: a million rows hold up no call.

Standard input is one JSON object: the database's path, the format, and the query.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import msgspec

from gateway.adapters.store.exporting import chunks
from gateway.adapters.store.file import connect
from gateway.core.exporting import COLUMNS, INTEGERS, TIMES, ExportQuery, Format, Row, csv_head, csv_of, jsonl_of


class Order(msgspec.Struct):
    path: str
    format: Format
    query: ExportQuery


def write(order: Order, out: IO[bytes]) -> None:
    """Write the file to ``out``, which need not be seekable."""
    with closing(connect(Path(order.path), readonly=True)) as db:
        rows = chunks(db, order.query)
        match order.format:
            case Format.CSV:
                out.write(csv_head())
                for some in rows:
                    out.write(csv_of(some))
            case Format.JSONL:
                for some in rows:
                    out.write(jsonl_of(some))
            case Format.PARQUET:
                _parquet(rows, out)


def _parquet(rows: Iterator[list[Row]], out: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def kind(name: str) -> Any:
        return pa.timestamp("ms", "UTC") if name in TIMES else pa.int64() if name in INTEGERS else pa.string()

    schema = pa.schema([(name, kind(name)) for name in COLUMNS])
    with pq.ParquetWriter(pa.PythonFile(out, mode="w"), schema, compression="zstd") as writer:
        for some in rows:
            columns = zip(*some, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def main() -> None:
    os.nice(10)  # calls come first
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    write(order, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
