"""Health probe for containers: `python -m chassis.probe ADDRESS [SERVICE]`.

Exit status 0 if the service is SERVING, 1 if it is not or cannot be reached, 2 for wrong usage.
"""

import sys

from ft.health import SERVING, check_address
from ft.text.streams import safe_streams

TIMEOUT_SECONDS = 3.0


def main() -> int:
    """Probes what the command line names."""
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    address, *service = sys.argv[1:]
    status = check_address(address, service[0] if service else "", TIMEOUT_SECONDS)
    print(status)
    return 0 if status == SERVING else 1


if __name__ == "__main__":
    with safe_streams():
        sys.exit(main())
