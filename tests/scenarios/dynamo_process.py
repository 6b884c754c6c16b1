"""A DynamoDB that is not ours (moto), in memory, for one test or one module."""

from __future__ import annotations

from typing import Any

import boto3

from s3_process import ACCESS_KEY, REGION, SECRET_KEY, S3Process

TABLE = "kvstore"


class DynamoProcess(S3Process):
    """moto serves every AWS service on one port."""

    name = "database"

    def options(self) -> dict[str, str]:
        """Configuration of a server that keeps its metadata here."""
        return {
            "DATABASE_TYPE": "dynamodb",
            "DATABASE_DYNAMODB_TABLE_NAME": TABLE,
            "DATABASE_DYNAMODB_ENDPOINT": self.url,
            "DATABASE_DYNAMODB_AWS_REGION": REGION,
            "DATABASE_DYNAMODB_AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "DATABASE_DYNAMODB_AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def uri(self, table: str = TABLE) -> str:
        """As `tarn kv copy` takes it; the keys come from the environment."""
        return f"dynamodb:{table}?region={REGION}&endpoint={self.url}"

    @staticmethod
    def environment() -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def table_client(self) -> Any:
        return boto3.client(
            "dynamodb",
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
        )

    def has_item(self, partition: bytes, key: bytes, table: str = TABLE) -> bool:
        client = self.table_client()
        try:
            answer = client.get_item(
                TableName=table, Key={"PartitionKey": {"B": partition}, "ItemKey": {"B": key}}
            )
        except client.exceptions.ResourceNotFoundException:
            return False
        return "Item" in answer
