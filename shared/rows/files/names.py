"""Names of columns."""

from collections import Counter
from collections.abc import Iterable

from rows.errors import DataError
from rows.files.limits import MAX_NAME_CHARACTERS


def require_names(names: Iterable[str], place: str) -> None:
    """Raises DataError if column names are repeated, have a NUL, which no Arrow file can store, or
    are too long together."""
    names = list(names)
    if damaged := [name for name in names if "\0" in name]:
        raise DataError(f"{place}: column name {damaged[0]!r} has a NUL character: rename it")
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    if repeated:
        raise DataError(f"{place}: column names appear more than once: {', '.join(repeated)}")
    if (size := sum(map(len, names))) > MAX_NAME_CHARACTERS:
        raise DataError(
            f"{place}: column names have {size} characters; {MAX_NAME_CHARACTERS} are allowed"
        )
