"""Real data that packages ship: tables of vega-datasets, and trees of Python's own files."""

from __future__ import annotations

import json
import sysconfig
from functools import cache
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet
import vega_datasets

FILES_WANTED = 2500
FILE_BYTES_MAX = 1 << 20
TABLES_OF_DUCKDB = ("airports", "seattle-weather", "stocks", "us-employment", "sf-temps")
TABLES_OF_ARROW = ("cars", "barley", "iris")


def write_tables(folder: Path) -> dict[str, Path]:
    """Parquet files made of vega-datasets' tables: CSV through DuckDB, JSON through pyarrow."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(vega_datasets.__file__).parent / "_data"
    written: dict[str, Path] = {}
    for name in TABLES_OF_DUCKDB:
        written[name] = folder / f"{name}.parquet"
        duckdb.execute(
            f"COPY (SELECT * FROM read_csv('{source / name}.csv')) "
            f"TO '{written[name]}' (FORMAT parquet)"
        )
    for name in TABLES_OF_ARROW:
        written[name] = folder / f"{name}.parquet"
        rows = json.loads((source / f"{name}.json").read_text())
        table = pyarrow.Table.from_pylist(rows)
        pyarrow.parquet.write_table(table, written[name])
    return written


@cache
def source_tree() -> dict[str, Path]:
    """Key by file: the standard library, then pandas' package, up to FILES_WANTED files."""
    roots = {
        "stdlib": Path(sysconfig.get_paths()["stdlib"]),
        "pandas": Path(sysconfig.get_paths()["purelib"]) / "pandas",
    }
    found: dict[str, Path] = {}
    for name, root in roots.items():
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            if inside.parts[0] in ("site-packages", "dist-packages"):
                continue
            if path.is_file() and path.stat().st_size <= FILE_BYTES_MAX:
                found[f"{name}/{inside.as_posix()}"] = path
    keys = sorted(found)[-FILES_WANTED:] if len(found) > FILES_WANTED else sorted(found)
    return {key: found[key] for key in keys}
