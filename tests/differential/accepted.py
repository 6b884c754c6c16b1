"""The differences we know and mean. Each has a reason; docs/compatibility.md mirrors this list."""

import re
from dataclasses import dataclass, field


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

    def explains(self, op, ref: dict, tarn: dict, parts: set[str]) -> bool:
        return ((not self.ops or op.name in self.ops)
                and (self.reference is None or ref["status"] == self.reference)
                and (self.tarn is None or tarn["status"] == self.tarn)
                and (self.reference_text is None or re.search(self.reference_text, str(ref["body"]), re.S) is not None)
                and (self.tarn_text is None or re.search(self.tarn_text, str(tarn["body"]), re.S) is not None)
                and (self.request is None or re.search(self.request, op.line(), re.S) is not None)
                and (not self.only or parts <= set(self.only)))


REST: list[Accepted] = [
    Accepted("A commit on an unknown branch: the reference answers by what its cache knows, either `branch not found` or the failure to list the branch's hooks.",
             ops=("commit",), reference=404, reference_text="list actions from commit|branch not found", tarn=404, tarn_text="branch not found"),
]

S3: list[Accepted] = []
