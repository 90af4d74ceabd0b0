"""gRPC processes: serving, calling others, errors on the wire, health, and requests."""
