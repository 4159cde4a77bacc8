"""What can go wrong between a gate and its school server, by who can mend it.

Every error is one sentence that names the place and the remedy. Nothing here is ever a reason to drop an entry.
"""

from __future__ import annotations


class SyncError(Exception):
    """Base of everything that this package raises on purpose."""


class Misconfigured(SyncError):
    """A person has to act: wrong usage, an unreadable key, a folder that is not there."""


class JournalUnreadable(SyncError):
    """journal.db is missing, locked or not a journal. The next look may find it."""


class StreamDamaged(JournalUnreadable):
    """One stream of the journal lacks an entry, or holds something that is none. The other streams go on."""


class StateUnwritable(SyncError):
    """The agent's own files cannot be written: disk full, or rights changed. Nothing was counted as done."""


class SnapshotUnreadable(SyncError):
    """The office's own directory.db cannot be read; it is neither sent nor replaced until a person has looked."""


class ServerTrouble(SyncError):
    """The server, or the way to it, failed. Keep everything and try again later."""

    retry_after_s: float | None = None


class ServerUnreachable(ServerTrouble):
    """No connection: the request was certainly not seen."""


class AnswerLost(ServerTrouble):
    """The request left and no answer came: it may or may not have been stored."""


class ServerFailed(ServerTrouble):
    """The server answered that it broke (5xx), or answered something that is not this protocol."""


class ServerBroke(ServerFailed):
    """The school server itself answered 500: something in this very request broke it."""


class ServerBusy(ServerTrouble):
    """The server asks for a pause (429 or 503)."""

    def __init__(self, message: str, *, retry_after_s: float | None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServerRefused(SyncError):
    """The server understood and said no. `code` is one of protocol.Code; `durable_through` comes with holes and forks."""

    def __init__(
        self, message: str, *, status: int, code: str, durable_through: int | None = None, number: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.durable_through, self.number = durable_through, number


class PeerChainBroken(SyncError):
    """A peer's entries came with a hole or with a broken chain; from there on nothing was taken."""


class SnapshotRejected(SyncError):
    """A directory snapshot does not match its number, digest or signature; the present one stays."""


class DirectoryConflict(SyncError):
    """The office's own directory is not built on the server's. A person decides; both stay where they are."""
