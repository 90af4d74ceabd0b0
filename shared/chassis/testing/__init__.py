"""What tests stand on: services in this process or in one of their own, a hub, faults."""
