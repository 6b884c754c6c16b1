"""The differences we know and mean. Each has a reason; docs/compatibility.md mirrors this list."""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """Applies when every given condition holds. Texts are regular expressions on the answer's body."""

    reason: str
    ops: tuple[str, ...] = ()
    reference: int | None = None
    tarn: int | None = None
    reference_text: str | None = None
    tarn_text: str | None = None
    request: str | None = None  # on the request's line
    only: tuple[str, ...] = ()  # the differing parts it explains: status, body, a header's name
    when: Callable | None = None  # (op, reference's body, tarn's body) -> bool

    def explains(self, op, ref: dict, tarn: dict, parts: set[str]) -> bool:
        return ((not self.ops or op.name in self.ops)
                and (self.reference is None or ref["status"] == self.reference)
                and (self.tarn is None or tarn["status"] == self.tarn)
                and (self.reference_text is None or re.search(self.reference_text, str(ref["body"]), re.S) is not None)
                and (self.tarn_text is None or re.search(self.tarn_text, str(tarn["body"]), re.S) is not None)
                and (self.request is None or re.search(self.request, op.line(), re.S) is not None)
                and (not self.only or parts <= set(self.only))
                and (self.when is None or self.when(op, ref["body"], tarn["body"])))


# Of several mistakes in one request either server names one; these are the kinds of answers.
MISTAKES = (
    r"argument parentNumber: ", r"branch(?: '.*')? not found", r"argument (?:branch|name|destination): ", r"argument path: |missing path", r"Not Implemented", r"checksum is required", r"signature|not signed|address is required",
    r"recondition failed|already exists", r"boundary|multipart upload", r"invalid value: validation error$", r"not found$", r"could not parse|not valid for block adapter|no key", r"argument size_bytes",
    r"empty value is not allowed|an invalid (?:boolean|integer)|multiple values", r"dirty branch", r"argument prefix", r"no changes", r"not unique|conflict found", r"operation not supported", r"read-only repository",
    r"protected branch", r"^No data", r"Requested Range Not Satisfiable")


def kind_of(side: dict) -> int | None:
    text = side["body"].get("message", "") if isinstance(side["body"], dict) else str(side["body"])
    return next((i for i, pattern in enumerate(MISTAKES) if re.search(pattern, text)), None)


def after_of(op) -> str:
    return next((v for k, v in op.query if k == "after"), "")


def group_again(op, ref, tarn) -> bool:
    """The reference's page is Tarn's behind one more group, which `after` lies in."""
    mine, theirs = tarn["results"], ref["results"]
    again = theirs and theirs[0]["path_type"] == "common_prefix" and after_of(op).startswith(theirs[0]["path"])
    return bool(again) and theirs[1:] == mine[: len(theirs) - 1]


def skips_after(op, ref, tarn) -> bool:
    """The reference's page is Tarn's without what starts with `after`, or holds it."""
    after = after_of(op)
    kept = [item for item in tarn["results"] if not item["path"].startswith(after) and not after.startswith(item["path"])]
    both = min(len(kept), len(ref["results"]))
    return bool(after) and kept[:both] == ref["results"][:both] and kept != tarn["results"]


def swapped(op, ref, tarn) -> bool:
    return (ref["source_commit_id"], ref["destination_commit_id"], ref["base_commit_id"]) == (tarn["destination_commit_id"], tarn["source_commit_id"], tarn["base_commit_id"])


def only_content_type(op, ref, tarn) -> bool:
    return ref | {"content_type": tarn["content_type"]} == tarn and ref["content_type"] == ""


def same_but_argument(op, ref, tarn) -> bool:
    return bool(re.sub(r"^argument \w+: ", "", ref["message"]) == re.sub(r"^argument \w+: ", "", tarn["message"]))


def bad_batch(op, ref, tarn) -> bool:
    return op.json is not None and not all(0 < len(p.encode()) <= 1024 for p in op.json.get("paths", []))


@dataclass(frozen=True)
class TwoMistakes(Accepted):
    def explains(self, op, ref, tarn, parts) -> bool:
        if not (400 <= ref["status"] <= 501 and 400 <= tarn["status"] <= 501 and super().explains(op, ref, tarn, parts)):
            return False
        first, second = kind_of(ref), kind_of(tarn)
        return first is not None and second is not None and first != second


@dataclass(frozen=True)
class AlteredCommit(Accepted):
    def explains(self, op, ref, tarn, parts) -> bool:
        return bool(ref["wrong ids"]) and not tarn["wrong ids"] and ref["status"] == tarn["status"]


@dataclass(frozen=True)
class Unequal(Accepted):
    """The reference's 500, or its crash, for a client's mistake."""

    def explains(self, op, ref, tarn, parts) -> bool:
        return ref["status"] in (0, 500) and 400 <= tarn["status"] < 500


REST: list[Accepted] = [
    Unequal("The reference answers 500 to a mistake of the client; Tarn answers 400 or 404, with the same text where it has one."),
    Accepted("A commit on an unknown branch: the reference answers by what its cache knows, either `branch not found` or the failure to list the branch's hooks. Tarn: `branch not found`.",
             ops=("commit",), reference=404, reference_text="list actions from commit|branch not found", tarn=404, tarn_text="branch not found"),
    AlteredCommit("After a cherry-pick the reference shows the picked commit, too, with `cherry-pick-origin` in its metadata until its cache forgets: its id then no longer fits its content."),
    Accepted("A negative ancestor (`main~-1`) is the reference itself to lakeFS, and 400 to Tarn.", request=r"~-1", tarn_text="could not parse modifier ~-1"),
    Accepted("A negative ancestor (`main~-1`): HEAD has no text.", ops=("headObject",), request=r"~-1", tarn=400),
    Accepted("A negative size is stored by the reference; Tarn refuses it.", tarn=400, tarn_text="argument size_bytes"),
    Accepted("An address without a key, or an empty one, is stored by the reference although nothing can ever be read there; Tarn refuses it.", ops=("stageObject", "linkPhysicalAddress"), tarn=400,
             tarn_text="no key|physical_address is required|is not valid for block adapter"),
    Accepted("getPhysicalAddress on an illegal branch name: the reference hands out an address that can never be linked; Tarn 400.", ops=("getPhysicalAddress",), reference=200, tarn=400,
             tarn_text="argument branch"),
    Accepted("deleteObjects on an unknown branch or repository is a silent success in the reference; Tarn says 404, as the contract has it. An illegal name is 400, not one 500 for each path.",
             ops=("deleteObjects",), reference=200, tarn_text="not found|argument (?:branch|repository)"),
    Accepted("deleteObjects with an empty or over-long path: the reference refuses every path of the batch with 500, Tarn that path with 400 (an empty one is ignored).", ops=("deleteObjects",), reference=200, tarn=200, when=bad_batch),
    Accepted("Writing to or asking about an unknown repository, where the reference does not look it up; Tarn 404.", reference_text="", tarn=404, tarn_text="repository not found"),
    Accepted("Path segments are decoded once. The reference decodes twice, so `%25` in a URL is an error to it.", request=r"%25", reference=400, reference_text="error unescaping"),
    Accepted("An empty segment in an API path: the reference misses the parameter (400), to Tarn there is no such route (404).", reference=400, reference_text=r"in path has an error: value is required but missing",
             tarn=404, tarn_text="invalid API endpoint"),
    Accepted("Path segments are decoded once. The reference decodes twice, so `%25` in a URL is an error to it.", ops=("headObject",), request=r"%25", reference=400),
    Accepted("An empty segment in an API path: the reference misses the parameter (400), to Tarn there is no such route (404).", ops=("headObject",), request="//", reference=400, tarn=404),
    Accepted("Diffs with a delimiter: the reference leaves out everything that starts with `after`, so that a client that pages loses results (`b` is shown, `b/` never is). Tarn goes on behind `after`.",
             ops=("diffRefs", "diffBranch"), reference=200, tarn=200, when=skips_after),
    Accepted("Listings: an `after` inside a folded group lists the group again in the reference even when nothing in it follows; Tarn (as S3 has it) only if something does.", ops=("listObjects",), reference=200,
             tarn=200, when=group_again),
    Accepted("findMergeBase: the reference swaps the two commit ids of its answer.", ops=("findMergeBase",), reference=200, tarn=200, when=swapped),
    Accepted("The user's own credentials can be managed in basic mode, too; the reference answers 501.", reference=501, ops=("listUserCredentials", "getCredentials", "deleteCredentials", "createCredentials", "createUser")),
    Accepted("copyObject of an entry without data: in the reference's memory store copying nothing succeeds.", ops=("copyObject",), reference=201, tarn=410),
    Accepted("A form upload whose part has no Content-Type: both store application/octet-stream, the reference's reply shows an empty string.", ops=("uploadObject",), reference=201, tarn=201, when=only_content_type),
    Accepted("HEAD: of several mistakes in one request, another one.", ops=("headObject",), reference=404, tarn=400),
    Accepted("HEAD: a refused request has no body and, from Tarn, no Content-Type.", ops=("headObject",), only=("content-type", "x-content-type-options")),
    Accepted("Numbers beyond what fits, or not in decimal: same status, another text.", reference=400, tarn=400, reference_text="Error unmarshalling body|error binding string parameter|value out of range"),
    Accepted("What the contract refuses (400): several violations in one request are met in another order.", reference=400, tarn=400, reference_text="has an error|^Invalid format", tarn_text="has an error|^Invalid format"),
    Accepted("A JSON body that cannot be parsed: same status, the parser's own words.", reference=400, tarn=400, reference_text="failed to decode request body", tarn_text="failed to decode request body"),
    Accepted("CreateCommitRecord: Tarn takes parents only if they are commit ids.", ops=("CreateCommitRecord",), tarn=400, tarn_text="commit id: invalid"),
    Accepted("A reference with a space in it: the same refusal, naming another argument.", reference=400, tarn=400,
             reference_text="argument (?:ref|left|right|source|destination): ref: invalid value", tarn_text="ref: invalid value"),
    Accepted("A commit may name a source_metarange that does not exist. On such a branch the reference answers 410 to whatever looks for hooks; Tarn only to what reads the tree.", reference=410, reference_text="No data",
             ops=("deleteBranch", "mergeIntoBranch", "commit", "createBranch", "createTag", "deleteTag", "revertBranch", "cherryPick")),
    Accepted("An illegal repository name in diffs is `argument repositoryName` to the reference.", reference_text="argument repositoryName", tarn_text="argument repository:"),
    Accepted("A physical address that is no URI is stored by the reference's link, whose listings are then 500; Tarn refuses it.", ops=("linkPhysicalAddress",), reference=200, tarn=400, tarn_text="could not parse URI"),
    Accepted("The configured default_namespace_prefix (`local://`) is shown with a memory store, too.", ops=("getConfig", "getStorageConfig"), reference=200, tarn=200, tarn_text="'default_namespace_prefix': 'local://'",
             reference_text="'default_namespace_prefix': ''"),
    Accepted("Tarn never asks for communication preferences: there is no one who would receive them.", ops=("getSetupState",), reference=200, tarn=200, reference_text="'comm_prefs_missing': True",
             tarn_text="'comm_prefs_missing': False"),
    Accepted("setupCommPrefs without an e-mail: another text.", ops=("setupCommPrefs",), reference=400, tarn=400),
    Accepted("deleteObjects of nothing: the reference checks credentials per path, so an empty list needs none; Tarn answers 401.", ops=("deleteObjects",), reference=200, tarn=401),
    Accepted("deleteObjects without credentials: the reference writes one error document per path.", ops=("deleteObjects",), reference=401, tarn=401),
    Accepted("getUnderlyingProperties does not look for the data in Tarn; the reference's memory store says 500 when it is missing.", ops=("getUnderlyingProperties",), reference=500, tarn=200),
    Accepted("A range that begins beyond 64 bits: 416 in both; Tarn names the size in Content-Range, as for every range past the end.", ops=("getObject",), reference=416, tarn=416, request="99999999999999999999-",
             only=("content-range",)),
    Accepted("Half a surrogate pair (`\\ud800`) in JSON is U+FFFD to the reference; Tarn refuses the document.", tarn=400, request=r"\\ud800", tarn_text="failed to decode request body"),
    Accepted("deleteRepositoryMetadata of no keys looks at nothing in the reference; Tarn judges the repository's name.", ops=("deleteRepositoryMetadata",), reference=204, tarn=400, tarn_text="argument repository"),
    Accepted("After a cherry-pick, `~` from the picked commit ends in `commit not found` in the reference; in Tarn it goes where it always goes.", reference=404, tarn=404, request="~", reference_text="commit not found", tarn_text=": not found|^not found"),
    Accepted("After a cherry-pick, `~` from the picked commit ends in `commit not found` in the reference; in Tarn it goes where it always goes.", ops=("cherryPick", "revertBranch"), reference=404, reference_text="commit not found", request="~"),
    Accepted("On its local store the reference does not recognise the addresses it handed out, and links them to any path; Tarn checks their signature.", ops=("linkPhysicalAddress",), reference=200, tarn=400,
             tarn_text="invalid address signature"),
    Accepted("deleteObjects where a tree is missing: 410 for the request, not one 500 for each path.", ops=("deleteObjects",), reference=200, tarn=410, tarn_text="No data"),
    Accepted("createRepository of a bare repository: the reference's answer leaves out read_only.", ops=("createRepository",), reference=201, tarn=201, request="bare=", only=("body",),
             when=lambda op, ref, tarn: ref | {"read_only": tarn["read_only"]} == tarn),
    Accepted("A protection pattern that is no glob (`[`) makes every write a 500 in the reference; in Tarn it matches nothing.", reference=500, reference_text="unexpected end of input"),
    Accepted("The same refusal, with or without the argument's name before it.", ops=("copyObject",), reference=400, tarn=400, only=("body",), when=same_but_argument),
    Accepted("uploadPartCopy of a range that is not within the source is 400, as in S3; moto gives the reference what there is.", ops=("uploadPartCopy",), reference=204, tarn=400, tarn_text="range is beyond the source"),
    Accepted("createUser judges the name before the credentials in the reference; Tarn answers 401.", ops=("createUser",), reference=400, tarn=401),
    Accepted("On its local store the reference takes an object's path for a part of a file name: 500 `bad path traversal blocked` for some (`..`, `/a`), in a listing for the whole page. To Tarn paths are only names.",
             reference=500, reference_text="bad path traversal blocked", tarn=200),
    TwoMistakes("Of several mistakes in one request, the two servers may name different ones."),
]

LISTS = ("ListObjects", "ListObjectsV2")
UPLOADS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts", "ListMultipartUploads")


def no_ref(op, ref, tarn) -> bool:
    return "/" not in next((str(v) for k, v in op.query if k == "prefix"), "")


def multipart_etag(op, ref, tarn) -> bool:
    def bare(text) -> str:
        return re.sub(r"[0-9a-f]{32}(-\d+)?", "etag", str(text))
    return re.search(r"[0-9a-f]{32}-\d+", str(tarn)) is not None and bare(ref) == bare(tarn)


@dataclass(frozen=True)
class EtagOfParts(Accepted):
    def explains(self, op, ref, tarn, parts) -> bool:
        etag = tarn["headers"].get("etag", "")
        return (parts == {"etag"} and re.search(r"-\d+\"?$", etag) is not None) or (parts <= {"etag", "body"} and ref["status"] == tarn["status"] and multipart_etag(op, ref["body"], tarn["body"]))


S3: list[Accepted] = [
    Unequal("The reference answers 500 to a mistake of the client; Tarn by name."),
    EtagOfParts("The ETag of a multipart upload is `<md5>-<parts>`, on completion and afterwards; the reference's depends on the store."),
    Accepted("Sub-resources that the reference refuses (405 ERRLakeFSNotSupported) or takes for the plain operation: answered, or refused by name (501).", ops=("BucketSubResource", "ObjectSubResource", "DeleteBucket")),
    Accepted("Errors have a document, where the reference sends an empty 404 for a key without a path; writing to such a key is 400, or nothing (a directory marker of a branch).", request=r"/<<r>>/[^/ ?]*/?(?:\?| headers| data|$)|/<<r>>//"),
    Accepted("A listing that names no ref is flat without a delimiter, and folds by any delimiter; the reference lists branches only.", ops=LISTS, reference=200, tarn=200, when=no_ref),
    Accepted("max-keys that is negative or no number, encoding-type other than url: 400.", ops=LISTS, tarn=400, tarn_text="InvalidArgument"),
    Accepted("max-keys=0 is not truncated.", ops=LISTS, request="max-keys=0"),
    Accepted("Listing behind an illegal or unknown ref is empty; the reference's V2 says 400.", ops=LISTS, reference=400, tarn=200),
    Accepted("Listing with a marker inside a folded group: the group is listed only if something in it follows.", ops=LISTS, reference=200, tarn=200, request="delimiter=.*(?:marker|start-after)="),
    Accepted("A copy of an empty object cannot be read from the reference's memory store.", ops=("GetObject",), reference=404, reference_text="NoSuchVersion", tarn=200, when=lambda op, ref, tarn: tarn == ""),
    Accepted("Bucket `api` is answered with the hint at the API endpoint on every operation.", reference=404, tarn=404, tarn_text="ErrNoSuchBucketPossibleAPIEndpoint"),
    Accepted("Listings show the storage class that was asked for; the reference's always STANDARD.", ops=LISTS, reference=200, tarn=200, when=lambda op, ref, tarn: re.sub("GLACIER", "STANDARD", str(tarn)) == str(ref)),
    Accepted("The storage class that was asked for is kept as metadata `::tarn::storage-class`, which the HTTP API shows.", ops=("listObjects",), reference=200, tarn=200, tarn_text="::tarn::storage-class"),
    Accepted("ListBuckets tells regions and the prefix.", ops=("ListBuckets",), reference=200, tarn=200),
    Accepted("Creating one's own bucket: BucketAlreadyOwnedByYou, which rclone wants.", ops=("CreateBucket",), reference=409, tarn=409),
    Accepted("Conditions on reads and on copy sources are honoured, with ETags and dates; the reference knows few.", ops=("GetObject", "HeadObject", "CopyObject"), request="If-|copy-source-if"),
    Accepted("Conditional writes by ETag: Tarn has them, the reference says 501.", ops=("PutObject",), reference=501),
    Accepted("Content-MD5 is verified.", tarn=400, tarn_text="BadDigest|InvalidDigest"),
    Accepted("Ranges as S3 has them: an end before the start is ignored, an unsatisfiable one is 416.", ops=("GetObject", "HeadObject"), request="Range"),
    Accepted("response-content-type and its like are applied.", ops=("GetObject",), request="response-content-type"),
    Accepted("Refs that are not branches cannot be written: 405 by name; the reference says 404, 500 or 204 and does nothing.", tarn=405, tarn_text="MethodNotAllowed"),
    Accepted("Refs that are not branches cannot be written: 405 by name; the reference says 404, 500 or 204 and does nothing.", tarn=405),
    Accepted("Deleting from a branch that does not exist is NoSuchBucket; the reference says 204.", ops=("DeleteObject",), reference=204, tarn=404),
    Accepted("DeleteObjects: errors of keys carry S3's codes; branch roots are skipped, not the whole batch; a broken document is MalformedXML.", ops=("DeleteObjects",)),
    Accepted("Uploads are bound to their key, part numbers and lists are checked, ListParts and ListMultipartUploads are complete and know only their own repository.", ops=UPLOADS, tarn=400),
    Accepted("Uploads are bound to their key, part numbers and lists are checked, ListParts and ListMultipartUploads are complete and know only their own repository.", ops=UPLOADS, tarn=404),
    Accepted("Uploads are bound to their key, part numbers and lists are checked, ListParts and ListMultipartUploads are complete and know only their own repository.", ops=("ListParts", "ListMultipartUploads", "AbortMultipartUpload")),
    Accepted("Copying an object onto itself without a change is InvalidRequest, an unknown directive InvalidArgument, as in S3.", ops=("CopyObject",), tarn=400),
    Accepted("Keys over 1,024 bytes: KeyTooLongError.", tarn=400, tarn_text="KeyTooLongError"),
    Accepted("Bad bucket names: InvalidBucketName.", tarn=400, tarn_text="InvalidBucketName"),
    Accepted("HEAD of what is no bucket or too long a key: 400.", ops=("HeadObject", "HeadBucket"), tarn=400),
]
