"""Real clients, pointed at a server."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import boto3
import duckdb
import lakefs
import lakefs_sdk
from botocore.config import Config
from lakefs.client import Client

from server_process import ACCESS_KEY, SECRET_KEY, ServerProcess

REGION = "us-east-1"
POOL_CONNECTIONS = 32


def s3_client(server: ServerProcess, **settings: Any) -> Any:
    """boto3 against the server; `settings` override its Config."""
    values: dict[str, Any] = {
        "signature_version": "s3v4",
        "s3": {"addressing_style": "path"},
        "retries": {"max_attempts": 1},
        "max_pool_connections": POOL_CONNECTIONS,
        "connect_timeout": 10,
        "read_timeout": 120,
    }
    return boto3.session.Session().client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        verify=server.ca_file,
        config=Config(**(values | settings)),
    )


def lakefs_client(server: ServerProcess) -> Client:
    """The high-level wrapper (`lakefs`)."""
    return Client(
        username=ACCESS_KEY,
        password=SECRET_KEY,
        host=server.url,
        verify_ssl=server.ca_file is None,
    )


def sdk_client(server: ServerProcess) -> lakefs_sdk.ApiClient:
    """The generated client (`lakefs-sdk`): strict about every body."""
    return lakefs_sdk.ApiClient(
        lakefs_sdk.Configuration(
            host=f"{server.url}/api/v1", username=ACCESS_KEY, password=SECRET_KEY
        )
    )


def create_repository(server: ServerProcess, name: str, **values: Any) -> lakefs.Repository:
    return lakefs.Repository(name, client=lakefs_client(server)).create(
        storage_namespace=f"local://{name}", default_branch="main", **values
    )


def httpfs_extension() -> Path:
    """The file that the package duckdb-extension-httpfs ships for this DuckDB."""
    package = resources.files("duckdb_extension_httpfs")
    name = f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension"
    return Path(str(package.joinpath(name)))


def duckdb_connection(server: ServerProcess) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"LOAD '{httpfs_extension()}'")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{ACCESS_KEY}', SECRET '{SECRET_KEY}', "
        f"ENDPOINT '{server.host}', USE_SSL false, URL_STYLE 'path', REGION '{REGION}')"
    )
    return connection
