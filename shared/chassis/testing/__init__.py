"""Support for tests: services in this process or in their own, a hub, faults."""
