"""What can go wrong with a device, by who can mend it."""

import termios


class DriverError(Exception):
    """Base of everything a driver raises on purpose."""


class DeviceLost(DriverError):
    """I/O failed: the supervisor closes the device, backs off and opens it again."""


class Misconfigured(DriverError):
    """Retrying is pointless until a person acts: bad URL, missing extra, no permission."""


# pyserial and nfcpy let termios.error escape on hang-up, and it is not an OSError.
IO_ERRORS = (OSError, termios.error, EOFError)
