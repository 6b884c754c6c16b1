"""A short run of each kind. Skipped, loudly, where the reference is absent."""

import pathlib
import re
import warnings

import pytest

from tests.differential import run, s3_requests, servers, store
from tests.differential.accepted import REST, S3

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_or_skip(capsys, *arguments: str) -> None:
    try:
        servers.reference_binary()
        servers.tarn_binary()
    except servers.Unavailable as problem:
        warnings.warn(f"NOT COMPARED WITH THE REFERENCE: {problem}", stacklevel=2)
        pytest.skip(str(problem))
    status = run.main(list(arguments))
    said = capsys.readouterr().out
    assert status == 0, said


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_http_api_answers_as_the_reference_does(capsys, seed):
    run_or_skip(capsys, "--steps", "300", "--seed", seed)


def test_presigned_urls_are_those_of_the_reference(capsys):
    if not store.program().exists():
        pytest.skip("moto is not installed")
    run_or_skip(capsys, "--steps", "200", "--seed", "1", "--blockstore", "s3")


def test_the_s3_gateway_answers_as_the_reference_does(capsys):
    if not s3_requests.available():
        pytest.skip("botocore is not installed")
    run_or_skip(capsys, "--steps", "300", "--seed", "1", "--s3")


def test_every_accepted_difference_is_documented():
    page = re.sub(r"\s+", " ", (ROOT / "docs" / "compatibility.md").read_text())
    missing = [rule.reason for rule in REST + S3 if rule.reason not in page]
    assert not missing
