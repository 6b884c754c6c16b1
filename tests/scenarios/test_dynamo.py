"""Servers whose metadata is a DynamoDB table: the main job in short, and two servers on one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from lakefs import Repository

from clients import create_repository, lakefs_client, s3_client
from dynamo_process import TABLE, DynamoProcess
from server_process import ServerProcess

pytestmark = pytest.mark.tarn_only
MakeServer = Callable[..., ServerProcess]
FILES = 60


@pytest.fixture
def dynamo() -> Iterator[DynamoProcess]:
    with DynamoProcess() as process:
        yield process


# The table must outlive the servers, which are stopped and checked by make_server's own end.
@pytest.fixture
def make_dynamo_server(dynamo: DynamoProcess, make_server: MakeServer) -> MakeServer:
    def make(name: str = "data", **options: str) -> ServerProcess:
        return make_server(name, options={**dynamo.options(), **options})

    return make


def test_the_main_job_on_a_table(make_dynamo_server: MakeServer, dynamo: DynamoProcess) -> None:
    server = make_dynamo_server().start()
    repository = create_repository(server, "table")
    s3 = s3_client(server)
    content = {f"dir{i % 7}/file{i:03}": f"content {i}".encode() * 20 for i in range(FILES)}

    def put(item: tuple[str, bytes]) -> None:
        s3.put_object(Bucket="table", Key=f"main/{item[0]}", Body=item[1])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put, content.items()))
    main = repository.branch("main")
    first = main.commit("everything")
    fix = repository.branch("fix").create("main")
    fix.object("dir0/file000").upload(b"changed")
    fix.object("dir1/file001").delete()
    fix.object("new").upload(b"new")
    fix.commit("three changes")
    changes = {change.path: change.type for change in main.diff("fix")}
    assert changes == {"dir0/file000": "changed", "dir1/file001": "removed", "new": "added"}
    fix.merge_into(main)
    repository.tag("v1").create(first.id)
    main.object("staged").upload(b"not committed")

    server.restart()
    expected = {**content, "dir0/file000": b"changed", "new": b"new", "staged": b"not committed"}
    del expected["dir1/file001"]
    found = {item.path for item in repository.branch("main").objects()}
    assert found == expected.keys()
    for path in ("dir0/file000", "dir3/file010", "staged"):
        assert main.object(path).reader("rb").read() == expected[path]
    assert {item.path for item in repository.ref("v1").objects()} == content.keys()
    assert [item.path for item in main.uncommitted()] == ["staged"]
    described = dynamo.table_client().describe_table(TableName=TABLE)["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["KeySchema"] == [
        {"AttributeName": "PartitionKey", "KeyType": "HASH"},
        {"AttributeName": "ItemKey", "KeyType": "RANGE"},
    ]


def test_takeover_check_looks_at_a_table_and_makes_none(
    make_dynamo_server: MakeServer, dynamo: DynamoProcess
) -> None:
    server = make_dynamo_server().start()
    main = create_repository(server, "left").branch("main")
    for number in range(FILES):
        main.object(f"file{number}").upload(b"x")
    main.commit("all")
    main.object("staged").upload(b"x")
    server.stop()

    done = server.run_command("takeover", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 branches, 0 tags, 2 commits, 1 staged" in done.stdout
    elsewhere = ServerProcess(
        data_dir=server.data_dir,
        options=dynamo.options() | {"DATABASE_DYNAMODB_TABLE_NAME": "nothing-here"},
    )
    done = elsewhere.run_command("takeover", "check")
    assert done.returncode == 1, done.stdout + done.stderr
    assert dynamo.table_client().list_tables()["TableNames"] == [TABLE]


def test_two_servers_on_one_table_see_each_others_writes(
    make_dynamo_server: MakeServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shared = {
        "BLOCKSTORE_LOCAL_PATH": str(tmp_path_factory.mktemp("objects")),
        "AUTH_ENCRYPT_SECRET_KEY": "the same for both",
    }
    one = make_dynamo_server("one", **shared).start()
    two = make_dynamo_server("two", **shared).start()
    create_repository(one, "shared").branch("main").object("from-one").upload(b"1")
    main = Repository("shared", client=lakefs_client(two)).branch("main")
    assert main.object("from-one").reader("rb").read() == b"1"
    main.object("from-two").upload(b"2")

    def commit(number: int) -> str:
        server = (one, two)[number % 2]
        branch = Repository("shared", client=lakefs_client(server)).branch("main")
        branch.object(f"n{number}").upload(str(number).encode())
        return branch.commit(f"number {number}", allow_empty=True).id

    with ThreadPoolExecutor(4) as pool:
        commits = set(pool.map(commit, range(8)))
    assert commits <= {entry.id for entry in main.log()}
    paths = {item.path for item in main.objects()}
    assert paths == {"from-one", "from-two", *(f"n{i}" for i in range(8))}
