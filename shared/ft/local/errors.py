"""Errors of the studio on this machine."""


class LocalError(Exception):
    """Base of these errors. The message is for users; the studio is unchanged unless it says so."""


class BadSetting(LocalError):
    """An option or environment variable has a value that cannot be used."""


class AlreadyRunning(LocalError):
    """The studio runs already, with other settings."""


class NotServing(LocalError):
    """The studio was started, but does not serve."""


class ModelRefused(LocalError):
    """A served model or the workbench has refused a request."""
