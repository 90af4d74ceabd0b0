"""Why the studio on this machine cannot be started, stopped or found."""


class LocalError(Exception):
    """The message is for the user; the studio is as it was unless it says otherwise."""


class BadSetting(LocalError):
    """An option or environment variable that cannot be used."""


class AlreadyRunning(LocalError):
    """The studio runs already, in another way than it is wanted."""


class NotServing(LocalError):
    """The studio was started and does not serve."""


class ModelRefused(LocalError):
    """A served model, or the workbench, does not do what it was asked to."""
