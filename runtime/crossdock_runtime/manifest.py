"""What the store vouches for about one artifact."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Self

from crossdock.dsl.errors import StoreError
from crossdock.dsl.frozen import frozen
from crossdock_runtime.values import Tagged


class Absent(Enum):
    """The type of `ABSENT`, which stands for "no inline value", as None is a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


class ArtifactCorrupt(StoreError):
    """The bytes of an artifact are not those that its manifest vouches for."""

    id = "damaged-artifact"


@frozen
class Member:
    """One file of an artifact.

    Attributes:
        path: where it is below the artifact's uri, with `/`.
        digest: `sha256:<hex>` of its bytes.
        size: in bytes.
    """

    path: str
    digest: str
    size: int


@frozen
class Manifest:
    """What the store vouches for about one artifact, or a tombstone where a skipped task left none.

    Attributes:
        digest: of a value's canonical bytes; of files, of the canonical JSON of `[[path, digest, size], …]`.
        size: in bytes, of all members.
        type: dotted name of the Python type.
        materializer: `name@version`.
        producer: run, task, index, attempt and output that wrote it.
        uri: the folder of the members: a key of this store, or an absolute URI; None for an inline value.
        members: the files, sorted by path.
        value: the tagged value when it is inline, else ABSENT.
        skipped: whether this is a tombstone.
    """

    digest: str = ""
    size: int = 0
    type: str = ""
    materializer: str = ""
    producer: Mapping[str, Any] | None = None
    uri: str | None = None
    members: tuple[Member, ...] = ()
    value: Tagged | Absent = ABSENT
    skipped: bool = False

    @classmethod
    def tombstone(cls, producer: Mapping[str, Any] | None = None) -> Self:
        """The manifest of an output that a skipped task did not produce."""
        return cls(producer=producer, skipped=True)

    @property
    def is_value(self) -> bool:
        """Whether this is a value, inline or in a file."""
        return self.value is not ABSENT or self.materializer.partition("@")[0] == "value"

    def to_json(self) -> dict[str, Any]:
        """The JSON form (EXECUTION.md, "Manifest")."""
        producer = dict(self.producer) if self.producer is not None else None
        if self.skipped:
            return {"skipped": True, "producer": producer}
        place: dict[str, Any] = {"uri": self.uri} if self.value is ABSENT else {"value": self.value}
        out = {
            **place,
            "digest": self.digest,
            "size": self.size,
            "type": self.type,
            "materializer": self.materializer,
            "producer": producer,
        }
        if self.value is ABSENT:
            out["members"] = [{"path": m.path, "digest": m.digest, "size": m.size} for m in self.members]
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read the JSON form.

        Raises:
            ArtifactCorrupt: it is malformed, or a member's path leads out of the artifact.
        """
        try:
            if data.get("skipped"):
                return cls.tombstone(data.get("producer"))
            members = tuple(Member(m["path"], m["digest"], m["size"]) for m in data.get("members", ()))
            for member in members:
                if any(part in ("", ".", "..") for part in member.path.split("/")) or "\\" in member.path:
                    raise ValueError(f"the path {member.path!r} leads out of the artifact")
            return cls(
                digest=data["digest"],
                size=data["size"],
                type=data["type"],
                materializer=data["materializer"],
                producer=data.get("producer"),
                uri=data.get("uri"),
                members=members,
                value=data.get("value", ABSENT),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArtifactCorrupt(
                f"malformed manifest: {type(error).__name__} {error}",
                hint="run the task that produced it again, with its cache off",
                id="damaged-record",
            ) from error
